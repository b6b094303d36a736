"""What is to be told to somebody outside until they take it, or it is given up, as rows: e-mails, and webhooks.

Inside one transaction of `SqliteLedger.transact`. Each kind has a table of its own for what is told, with columns
`number`, `id`, `state`, `attempts`, `next_at`, `created_at` and `session_id`, and one for its attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.control.webhook import Attempt
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp

MOST_WAITING = 1000
"""Of a day in which nobody takes any; a session that ended meanwhile waits in its own row."""

KEPT = 1000
"""Finished ones, for people who look why something did not come."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """`owner`: the column of `tries` that names a row of `table`. `personal`: columns that are emptied once somebody
    took it. All names are ours, never somebody's text."""

    table: str
    tries: str
    owner: str
    personal: tuple[str, ...]

    def room(self, db: Db) -> int:
        return max(0, MOST_WAITING - self.count(db, "waiting"))

    def count(self, db: Db, state: str) -> int:
        (row,) = rows(db, f"SELECT count(*) AS number FROM {self.table} WHERE state = ?", state)  # noqa: S608
        return int(row["number"])

    def waiting(self, db: Db, most: int) -> list[dict[str, Any]]:
        """Those whose time comes first."""
        query = f"SELECT * FROM {self.table} WHERE state = 'waiting' ORDER BY next_at, number LIMIT ?"  # noqa: S608
        return rows(db, query, most)

    def note_attempt(self, db: Db, told: str, attempt: Attempt, next_at: datetime | None) -> None:
        """To be tried again at `next_at`; None: it was taken, or is given up. What was deleted meanwhile, with its
        session, stays deleted."""
        if not rows(db, f"SELECT 1 FROM {self.table} WHERE id = ?", told):  # noqa: S608
            return
        db.execute(
            f"INSERT INTO {self.tries} ({self.owner}, at, status, problem, took_ms) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            (told, timestamp(attempt.at), attempt.status, attempt.problem, attempt.took_ms),
        )
        state = "waiting" if next_at else "given up" if attempt.problem else "delivered"
        emptied = "".join(f", {each} = ''" for each in self.personal) if state == "delivered" else ""
        db.execute(
            f"UPDATE {self.table} SET state = ?, attempts = attempts + 1, next_at = ?{emptied} WHERE id = ?",  # noqa: S608
            (state, timestamp(next_at) if next_at else None, told),
        )

    def send_again(self, db: Db, told: str, now: datetime) -> bool:
        """What was given up begins anew; what waits is due now. False: there is none to be sent."""
        done = db.execute(
            f"UPDATE {self.table} SET state = 'waiting', attempts = 0, next_at = ?"  # noqa: S608
            " WHERE id = ? AND state != 'delivered'",
            (timestamp(now), told),
        )
        return done.rowcount == 1

    def find(self, db: Db, state: str, before: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first with their `tries`, and one more if there are more. `state`: empty for all."""
        found = rows(
            db,
            f"SELECT * FROM {self.table} WHERE (?1 = '' OR state = ?1)"  # noqa: S608
            f" AND (?2 IS NULL OR number < (SELECT number FROM {self.table} WHERE id = ?2))"
            " ORDER BY number DESC LIMIT ?3",
            state,
            before,
            limit + 1,
        )
        tries = f"SELECT * FROM {self.tries} WHERE {self.owner} = ? ORDER BY id"  # noqa: S608
        for row in found:
            row["tries"] = rows(db, tries, row["id"])
        return found

    def forget_old(self, db: Db) -> None:
        last = f"(SELECT max(number) FROM {self.table})"  # noqa: S608
        db.execute(f"DELETE FROM {self.table} WHERE state != 'waiting' AND number <= {last} - ?", (KEPT,))  # noqa: S608
