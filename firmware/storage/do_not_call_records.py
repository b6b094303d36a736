"""Numbers that must not be called, as rows. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp
from firmware.storage.searching import literal


@dataclass(frozen=True, slots=True)
class NewEntry:
    """`canonical` and `ending` are made of `number` by app.outbound.do_not_call."""

    number: str = field(repr=False)
    canonical: str = field(repr=False)
    ending: str = field(repr=False)
    source: Literal["person", "caller"]
    note: str = field(default="", repr=False)
    session_id: str = ""


def add(db: Db, entry: NewEntry, now: datetime) -> bool:
    """False: it is there already, and stays as it is."""
    done = db.execute(
        "INSERT INTO do_not_call (canonical, ending, number, note, source, session_id, added_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (canonical) DO NOTHING",
        (entry.canonical, entry.ending, entry.number, entry.note, entry.source, entry.session_id, timestamp(now)),
    )
    return done.rowcount == 1


def alike(db: Db, ending: str) -> list[str]:
    """Canonical numbers that end so: those that a number may be the same as."""
    return [row["canonical"] for row in rows(db, "SELECT canonical FROM do_not_call WHERE ending = ?", ending)]


def remove(db: Db, entry_id: int) -> bool:
    return db.execute("DELETE FROM do_not_call WHERE id = ?", (entry_id,)).rowcount == 1


def count(db: Db) -> int:
    (row,) = rows(db, "SELECT count(*) AS number FROM do_not_call")
    return int(row["number"])


def find(db: Db, texts: tuple[str, ...], before: int | None, limit: int) -> list[dict[str, Any]]:
    """Newest first, and one more if there are more. `texts`: parts of a number or note, any of which will do; none:
    all."""
    like = " OR ".join(
        ["number LIKE ? ESCAPE '\\' OR canonical LIKE ? ESCAPE '\\' OR note LIKE ? ESCAPE '\\'"] * len(texts)
    )
    parts = [f"%{literal(text)}%" for text in texts for _ in range(3)]
    return rows(
        db,
        f"SELECT * FROM do_not_call WHERE id < ? AND ({like or '1'}) ORDER BY id DESC LIMIT ?",  # noqa: S608  # our own names
        2**62 if before is None else before,
        *parts,
        limit + 1,
    )


def read_all(db: Db) -> list[dict[str, Any]]:
    """Oldest first, for a backup."""
    return rows(db, "SELECT * FROM do_not_call ORDER BY id")


def clear(db: Db) -> None:
    db.execute("DELETE FROM do_not_call")
