"""Participants of campaigns, as rows. Inside one transaction of `SqliteLedger.transact`.

Nothing here scans a campaign: a hundred thousand participants are paged, and the next ones are found, by indexes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from app.control.campaigns import ListParticipants, Place, Status
from app.outbound.flow import When
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp
from firmware.storage.searching import literal

Todo = Literal["walk", "call"]


@dataclass(frozen=True, slots=True)
class Came:
    """A trigger that waits to be looked at. `fields`: that changed, of "participant updated"."""

    on: When
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """`values` by field. `canonical`: the number to call, as numbers are compared; empty for none. `due_at`: when a
    wait is over, or a call may be tried again. `communications`: how many there were. `status`, `outcome`, `results`:
    of the last one, its last call, and the last call that was answered."""

    id: int
    campaign_id: str
    version: int
    values: Mapping[str, str] = field(repr=False)
    canonical: str = field(repr=False)
    zone: str
    place: Place
    todo: Todo
    step: str
    due_at: datetime | None
    trigger: Came | None
    communications: int
    status: Status | Literal[""]
    outcome: str
    outcome_text: str
    attempts: int
    results: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewParticipant:
    values: Mapping[str, str] = field(repr=False)
    canonical: str = field(repr=False)
    zone: str = ""
    trigger: Came = Came("participant created")


def insert_participant(db: Db, campaign_id: str, new: NewParticipant) -> int:
    """Its id."""
    done = db.execute(
        "INSERT INTO participants (campaign_id, fields, canonical, zone, trigger) VALUES (?, ?, ?, ?, ?)",
        (campaign_id, as_json(new.values), new.canonical, new.zone, trigger_json(new.trigger)),
    )
    return cast("int", done.lastrowid)


def read_participant(db: Db, campaign_id: str, participant_id: int) -> ParticipantRecord | None:
    found = rows(db, "SELECT * FROM participants WHERE campaign_id = ? AND id = ?", campaign_id, participant_id)
    return _participant(found[0]) if found else None


def find_by_number(db: Db, campaign_id: str, canonical: str) -> int | None:
    """The id of who has this number in the campaign."""
    found = rows(
        db, "SELECT id FROM participants WHERE canonical = ? AND campaign_id = ? LIMIT 1", canonical, campaign_id
    )
    return found[0]["id"] if found and canonical else None


def delete_participant(db: Db, campaign_id: str, participant_id: int) -> bool:
    done = db.execute("DELETE FROM participants WHERE campaign_id = ? AND id = ?", (campaign_id, participant_id))
    return done.rowcount == 1


def find_participants(db: Db, ask: ListParticipants) -> list[ParticipantRecord]:
    """In the order in which they came, and one more if there are more."""
    asked, given = ["campaign_id = ?", "id > ?"], [ask.campaign_id, ask.after or 0]
    for column, wanted in (("place", ask.place), ("status", ask.status)):
        if wanted:
            asked.append(f"{column} = ?")
            given.append(wanted)
    if ask.text:  # the first of the two finds it among the names of fields, too, and costs little
        part = f"%{literal(ask.text)}%"
        asked.append("fields LIKE ? ESCAPE '\\'" if _is_plain(ask.text) else "? != ''")
        asked.append("EXISTS (SELECT 1 FROM json_each(fields) WHERE value LIKE ? ESCAPE '\\')")
        given += [part, part]
    where = " AND ".join(asked)
    found = rows(db, f"SELECT * FROM participants WHERE {where} ORDER BY id LIMIT ?", *given, ask.limit + 1)  # noqa: S608  # our own names
    return [_participant(row) for row in found]


def _is_plain(text: str) -> bool:
    """JSON writes it as it is."""
    return json.dumps(text, ensure_ascii=False) == f'"{text}"'


# -- who is next -----------------------------------------------------------------------------------------------


def read_to_walk(db: Db, campaign_id: str, now: datetime, most: int) -> list[ParticipantRecord]:
    """Who goes on through the flow at once: a trigger came, or a wait is over."""
    triggered = rows(
        db,
        "SELECT * FROM participants WHERE campaign_id = ? AND trigger IS NOT NULL AND place != 'calling'"
        " ORDER BY id LIMIT ?",
        campaign_id,
        most,
    )
    waited = rows(
        db,
        "SELECT * FROM participants WHERE campaign_id = ? AND place = 'waiting' AND todo = 'walk' AND trigger IS NULL"
        " AND due_at <= ? LIMIT ?",
        campaign_id,
        timestamp(now),
        most,
    )
    return [_participant(row) for row in (*triggered, *waited)]


_NEXT_ZONE = """
SELECT min(zone) FROM (
    SELECT min(zone) AS zone FROM participants
    WHERE campaign_id = ?1 AND todo = ?2 AND place = 'ready' AND zone > ?3
    UNION ALL SELECT min(zone) FROM participants
    WHERE campaign_id = ?1 AND todo = ?2 AND place = 'waiting' AND zone > ?3
)
"""
_OWN_ZONE = """
SELECT EXISTS (SELECT 1 FROM participants WHERE campaign_id = ?1 AND todo = ?2 AND place = 'ready' AND zone = '')
    OR EXISTS (SELECT 1 FROM participants WHERE campaign_id = ?1 AND todo = ?2 AND place = 'waiting' AND zone = '')
"""


def zones_of(db: Db, campaign_id: str, todo: Todo) -> list[str]:
    """Of those who are ready or wait; "" is the campaign's own. One step of an index for each."""
    (own,) = db.execute(_OWN_ZONE, (campaign_id, todo)).fetchone()
    zones, zone = [""] if own else [], ""
    while zone is not None:
        (zone,) = db.execute(_NEXT_ZONE, (campaign_id, todo, zone)).fetchone()
        zones += [zone] if zone else []
    return zones


_DUE = """
SELECT due_at, id FROM participants WHERE campaign_id = ? AND place = 'waiting' AND todo = 'call' AND zone = ?
    AND due_at <= ? ORDER BY due_at, id LIMIT ?
"""
_READY = """
SELECT id FROM participants WHERE campaign_id = ? AND place = 'ready' AND todo = 'call' AND zone = ? ORDER BY id LIMIT ?
"""


def read_to_call(db: Db, campaign_id: str, zones: Sequence[str], now: datetime, most: int) -> list[ParticipantRecord]:
    """Whose call is due in these zones: those that wait for another attempt first, longest due first; then new ones in
    the order in which they came. Of whom it is not, only the index is read."""
    at = timestamp(now)
    due = sorted(each for zone in zones for each in db.execute(_DUE, (campaign_id, zone, at, most)))
    ids = [each for _, each in due[:most]]
    if left := most - len(ids):
        ready = sorted(each for zone in zones for (each,) in db.execute(_READY, (campaign_id, zone, left)))
        ids += ready[:left]
    found = (read_participant(db, campaign_id, each) for each in ids)
    return [each for each in found if each]


def earliest_due(db: Db, campaign_id: str, todo: Todo, zones: Sequence[str] | None = None) -> datetime | None:
    """The first instant that somebody waits for; `zones` None: in any."""
    asked = (
        "SELECT min(due_at) AS at FROM participants WHERE campaign_id = ? AND place = 'waiting' AND todo = ?"
        " AND zone = ?"
    )
    looked_at = zones_of(db, campaign_id, todo) if zones is None else zones
    found = [row["at"] for zone in looked_at for row in rows(db, asked, campaign_id, todo, zone) if row["at"]]
    return datetime.fromisoformat(min(found)) if found else None


def is_anybody_left(db: Db, campaign_id: str) -> bool:
    """Whether somebody's flow goes on, or begins again by a trigger."""
    (found,) = rows(
        db,
        "SELECT EXISTS (SELECT 1 FROM participants WHERE campaign_id = ?1 AND place = 'ready')"
        " OR EXISTS (SELECT 1 FROM participants WHERE campaign_id = ?1 AND place = 'waiting')"
        " OR EXISTS (SELECT 1 FROM participants WHERE campaign_id = ?1 AND place = 'calling')"
        " OR EXISTS (SELECT 1 FROM participants WHERE campaign_id = ?1 AND trigger IS NOT NULL AND place != 'calling')"
        " AS left_over",
        campaign_id,
    )
    return bool(found["left_over"])


def date_anew(db: Db, campaign_id: str, todo: Todo, latest: datetime, now: datetime) -> None:
    """Who waits for an instant after `latest`, which no wait can end at, was dated by a clock that was wrong: now."""
    for zone in zones_of(db, campaign_id, todo):
        db.execute(
            "UPDATE participants SET due_at = ? WHERE campaign_id = ? AND place = 'waiting' AND todo = ? AND zone = ?"
            " AND due_at > ?",
            (timestamp(now), campaign_id, todo, zone, timestamp(latest)),
        )


# -- where they are --------------------------------------------------------------------------------------------


def put(
    db: Db,
    participant_id: int,
    place: Place,
    step: str,
    *,
    todo: Todo = "walk",
    due_at: datetime | None = None,
) -> None:
    """At a step of the flow, or done. What had triggered it was looked at."""
    db.execute(
        "UPDATE participants SET place = ?, step = ?, todo = ?, due_at = ?, trigger = NULL WHERE id = ?",
        (place, step, todo, timestamp(due_at) if due_at else None, participant_id),
    )


def set_calling(db: Db, participant_id: int) -> None:
    """A trigger that came in the meantime stays: it is looked at after the call."""
    db.execute("UPDATE participants SET place = 'calling', due_at = NULL WHERE id = ?", (participant_id,))


def set_waiting(db: Db, participant_id: int, due_at: datetime) -> None:
    """For another attempt."""
    db.execute(
        "UPDATE participants SET place = 'waiting', todo = 'call', due_at = ? WHERE id = ?",
        (timestamp(due_at), participant_id),
    )


def set_values(db: Db, participant_id: int, values: Mapping[str, str], canonical: str, zone: str) -> None:
    db.execute(
        "UPDATE participants SET fields = ?, canonical = ?, zone = ?, version = version + 1 WHERE id = ?",
        (as_json(values), canonical, zone, participant_id),
    )


def set_zones(db: Db, campaign_id: str, zone_field: str, is_known: Callable[[str], bool]) -> None:
    """Everybody's zone is in another field from now on; `zone_field` "": in none."""
    path = f"$.{zone_field}" if zone_field else "$"
    named = rows(
        db, "SELECT DISTINCT json_extract(fields, ?) AS zone FROM participants WHERE campaign_id = ?", path, campaign_id
    )
    known = [row["zone"] for row in named if row["zone"] and is_known(row["zone"])] if zone_field else []
    db.execute(
        "UPDATE participants SET zone = CASE WHEN json_extract(fields, ?1) IN (SELECT value FROM json_each(?2))"
        " THEN json_extract(fields, ?1) ELSE '' END WHERE campaign_id = ?3",
        (path, json.dumps(known), campaign_id),
    )


def set_trigger(db: Db, participant_id: int, came: Came) -> None:
    """The last one counts."""
    db.execute("UPDATE participants SET trigger = ? WHERE id = ?", (trigger_json(came), participant_id))


def forget_trigger(db: Db, participant_id: int) -> None:
    db.execute("UPDATE participants SET trigger = NULL WHERE id = ?", (participant_id,))


def note_status(db: Db, participant_id: int, status: Status, *, begins: bool) -> None:
    """Of the communication that began, or of the one that ended."""
    db.execute(
        "UPDATE participants SET status = ?, communications = communications + ? WHERE id = ?",
        (status, begins, participant_id),
    )


def note_outcome(db: Db, participant_id: int, outcome: str, text: str, results: Mapping[str, str] | None) -> None:
    """Of a call; `results` None: those of the one before stay."""
    db.execute(
        "UPDATE participants SET outcome = ?, outcome_text = ?, attempts = attempts + 1,"
        " results = coalesce(?, results) WHERE id = ?",
        (outcome, text, None if results is None else as_json(results), participant_id),
    )


def note_results(db: Db, participant_id: int, results: Mapping[str, str]) -> None:
    db.execute("UPDATE participants SET results = ? WHERE id = ?", (as_json(results), participant_id))


def cancel_waiting(db: Db, campaign_id: str, now: datetime) -> None:
    """Everybody but those who are being called is done, and what had begun with them is canceled."""
    db.execute(
        "UPDATE communications SET status = 'Canceled', reason = 'the campaign was stopped', ended_at = ?2"
        " WHERE campaign_id = ?1 AND status = 'Started' AND participant_id IN"
        " (SELECT id FROM participants WHERE campaign_id = ?1 AND place IN ('ready', 'waiting'))",
        (campaign_id, timestamp(now)),
    )
    db.execute(
        "UPDATE participants SET status = CASE status WHEN 'Started' THEN 'Canceled' ELSE status END, place = 'done',"
        " step = '', due_at = NULL, trigger = NULL WHERE campaign_id = ? AND place IN ('ready', 'waiting')",
        (campaign_id,),
    )


def as_json(values: Mapping[str, str]) -> str:
    """As they are written, so that they can be searched."""
    return json.dumps(dict(values), ensure_ascii=False)


def trigger_json(came: Came) -> str:
    return json.dumps({"on": came.on, "fields": list(came.fields)})


def _participant(row: Mapping[str, Any]) -> ParticipantRecord:
    trigger = json.loads(row["trigger"]) if row["trigger"] else None
    return ParticipantRecord(
        id=row["id"],
        campaign_id=row["campaign_id"],
        version=row["version"],
        values=json.loads(row["fields"]),
        canonical=row["canonical"],
        zone=row["zone"],
        place=row["place"],
        todo=row["todo"],
        step=row["step"],
        due_at=datetime.fromisoformat(row["due_at"]) if row["due_at"] else None,
        trigger=Came(trigger["on"], tuple(trigger["fields"])) if trigger else None,
        communications=row["communications"],
        status=row["status"],
        outcome=row["outcome"],
        outcome_text=row["outcome_text"],
        attempts=row["attempts"],
        results=json.loads(row["results"]),
    )
