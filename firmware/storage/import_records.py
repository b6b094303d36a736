"""Lists of participants on their way into a campaign, as rows. Inside one transaction of `SqliteLedger.transact`.

Rows are staged as they come, each with what will become of it; `finish` moves them all at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.control.campaigns import BeginImport, ImportView, RowProblem
from firmware.storage.participant_records import Came, as_json, trigger_json
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp

SHOWN_PROBLEMS = 200
Verdict = Literal["good", "updated", "skipped", "bad"]


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """`expected`: rows that were announced, 0 if nobody counted them."""

    id: str
    campaign_id: str
    known: Literal["skip", "update"]
    state: Literal["open", "finished", "dropped"]
    expected: int


@dataclass(frozen=True, slots=True)
class StagedRow:
    """`row`: its number in the list. `values`: only fields that the list brings. `problems`: by field."""

    row: int
    values: Mapping[str, str] = field(repr=False)
    canonical: str = field(repr=False)
    zone: str
    problems: Mapping[str, str] = field(default_factory=dict, repr=False)


def insert_import(db: Db, import_id: str, ask: BeginImport, now: datetime) -> None:
    db.execute(
        "INSERT INTO imports (id, campaign_id, file_name, at, known, expected) VALUES (?, ?, ?, ?, ?, ?)",
        (import_id, ask.campaign_id, ask.file_name, timestamp(now), ask.known, ask.expected),
    )


def read_import(db: Db, import_id: str) -> ImportRecord | None:
    found = rows(db, "SELECT id, campaign_id, known, state, expected FROM imports WHERE id = ?", import_id)
    return ImportRecord(**found[0]) if found else None


def rows_staged(db: Db, import_id: str, first: int, count: int) -> set[int]:
    """Of these numbers, those that came already."""
    found = rows(
        db,
        "SELECT row FROM import_rows WHERE import_id = ? AND row BETWEEN ? AND ?",
        import_id,
        first,
        first + count - 1,
    )
    return {row["row"] for row in found}


def stage(db: Db, record: ImportRecord, staged: Sequence[StagedRow]) -> None:
    """Rows that are new to the list. Of two with the same number, the first counts."""
    db.executemany(
        "INSERT INTO import_rows (import_id, row, verdict, fields, canonical, zone, participant_id)"
        " SELECT ?1, ?2, CASE"
        "  WHEN ?6 THEN 'bad'"
        "  WHEN ?4 != '' AND EXISTS (SELECT 1 FROM import_rows INDEXED BY import_rows_by_number"
        "   WHERE import_id = ?1 AND canonical = ?4 AND verdict IN ('good', 'updated')) THEN 'skipped'"
        "  WHEN known.id IS NULL THEN 'good' WHEN ?8 = 'update' THEN 'updated' ELSE 'skipped' END,"
        " ?3, ?4, ?5, known.id FROM (SELECT min(id) AS id FROM participants WHERE canonical = ?4"
        " AND campaign_id = ?7 AND ?4 != '') AS known",
        [
            (
                record.id,
                each.row,
                as_json(each.values),
                each.canonical,
                each.zone,
                bool(each.problems),
                record.campaign_id,
                record.known,
            )
            for each in staged
        ],
    )
    db.executemany(
        "INSERT INTO import_problems (import_id, row, field, text) VALUES (?, ?, ?, ?)",
        [(record.id, each.row, name, text) for each in staged for name, text in each.problems.items()],
    )


def missing(db: Db, record: ImportRecord) -> int:
    """Rows that were announced and did not come."""
    return max(0, record.expected - sum(_counted(db, record.id).values())) if record.expected else 0


def finish(db: Db, record: ImportRecord) -> None:
    """What is good becomes participants, and what is known is changed; the staged rows go. Who came into the campaign
    or left it since a row was staged, counts as of now."""
    counted = _counted(db, record.id)
    if record.known == "update":
        db.execute(
            "UPDATE participants SET fields = json_patch(participants.fields, staged.fields),"
            " zone = CASE staged.zone WHEN '' THEN participants.zone ELSE staged.zone END,"
            " version = version + 1, trigger = coalesce(CASE trigger ->> 'on' WHEN 'participant created' THEN trigger"
            " END, ?2) FROM import_rows AS staged WHERE staged.import_id = ?1 AND staged.verdict = 'updated'"
            " AND participants.id = staged.participant_id",
            (record.id, trigger_json(Came("participant updated"))),
        )
    db.execute(
        "INSERT INTO participants (campaign_id, fields, canonical, zone, trigger)"
        " SELECT ?2, fields, canonical, zone, ?3 FROM import_rows AS staged WHERE import_id = ?1 AND verdict = 'good'"
        " AND (canonical = '' OR NOT EXISTS (SELECT 1 FROM participants WHERE canonical = staged.canonical"
        " AND campaign_id = ?2)) ORDER BY row",
        (record.id, record.campaign_id, trigger_json(Came("participant created"))),
    )
    _close(db, record.id, "finished", counted)


def drop(db: Db, record: ImportRecord) -> None:
    _close(db, record.id, "dropped", _counted(db, record.id))


def _close(db: Db, import_id: str, state: str, counted: Mapping[str, int]) -> None:
    db.execute("UPDATE imports SET state = ?, counted = ? WHERE id = ?", (state, json.dumps(dict(counted)), import_id))
    db.execute("DELETE FROM import_rows WHERE import_id = ?", (import_id,))


# -- for people ------------------------------------------------------------------------------------------------


def view(db: Db, import_id: str) -> ImportView | None:
    found = rows(db, "SELECT * FROM imports WHERE id = ?", import_id)
    return _view(db, found[0]) if found else None


def views(db: Db, campaign_id: str) -> tuple[ImportView, ...]:
    """Newest first."""
    found = rows(db, "SELECT * FROM imports WHERE campaign_id = ? ORDER BY number DESC", campaign_id)
    return tuple(_view(db, row) for row in found)


def _view(db: Db, row: Mapping[str, Any]) -> ImportView:
    counted = _counted(db, row["id"]) if row["state"] == "open" else json.loads(row["counted"])
    problems = rows(
        db,
        "SELECT row, field, text FROM import_problems WHERE import_id = ? ORDER BY row, id LIMIT ?",
        row["id"],
        SHOWN_PROBLEMS,
    )
    names = ("good", "updated", "skipped", "bad")
    return ImportView(
        **{name: row[name] for name in ("id", "campaign_id", "file_name", "at", "known", "state", "expected")},
        rows=sum(counted.values()),
        **{name: counted.get(name, 0) for name in names},
        problems=tuple(RowProblem(**each) for each in problems),
    )


def _counted(db: Db, import_id: str) -> dict[str, int]:
    found = rows(
        db, "SELECT verdict, count(*) AS number FROM import_rows WHERE import_id = ? GROUP BY verdict", import_id
    )
    return {row["verdict"]: row["number"] for row in found}
