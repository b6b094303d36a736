"""Communications with participants and the calls they are made of, as rows. Inside one transaction of
`SqliteLedger.transact`.

An attempt is written in the transaction that opens its session, before anything is dialled. It is *accounted for* once
its outcome stands in it, in the transaction that says what becomes of its participant: so a process that is killed at
any moment finds it at the next start, and takes none twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from app.control.campaigns import AttemptView, CommunicationView, Status
from app.outcomes import in_words
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp


@dataclass(frozen=True, slots=True)
class Communication:
    """One that goes on. `ended_so`: its calls that are over, by outcome."""

    id: int
    step: str
    ended_so: Mapping[str, int]

    @property
    def attempts(self) -> int:
        return sum(self.ended_so.values())


@dataclass(frozen=True, slots=True)
class OverCall:
    """An attempt whose session is over, and that is not accounted for."""

    attempt_id: int
    campaign_id: str
    communication_id: int
    participant_id: int
    call_id: str
    session_id: str
    outcome: str
    outcome_text: str
    conclusion: str
    talk_ms: int
    results: Mapping[str, str] = field(repr=False)


def begin(db: Db, campaign_id: str, participant_id: int, step: str, now: datetime) -> int:
    """A communication; its id."""
    done = db.execute(
        "INSERT INTO communications (campaign_id, participant_id, step, began_at) VALUES (?, ?, ?, ?)",
        (campaign_id, participant_id, step, timestamp(now)),
    )
    return cast("int", done.lastrowid)


def end(db: Db, communication_id: int, status: Status, reason: str, now: datetime) -> None:
    db.execute(
        "UPDATE communications SET status = ?, reason = ?, ended_at = ? WHERE id = ?",
        (status, reason, timestamp(now), communication_id),
    )


def read_begun(db: Db, participant_id: int) -> Communication | None:
    """The one that goes on with the participant."""
    found = rows(
        db,
        "SELECT id, step FROM communications WHERE participant_id = ? AND status = 'Started' ORDER BY id DESC LIMIT 1",
        participant_id,
    )
    if not found:
        return None
    over = rows(db, "SELECT outcome FROM attempts WHERE communication_id = ? AND outcome IS NOT NULL", found[0]["id"])
    return Communication(found[0]["id"], found[0]["step"], Counter(row["outcome"] for row in over))


def insert_attempt(
    db: Db, campaign_id: str, communication_id: int, call_id: str, session_id: str, now: datetime
) -> None:
    db.execute(
        "INSERT INTO attempts (campaign_id, communication_id, number, at, call_id, session_id) VALUES (?1, ?2,"
        " (SELECT count(*) + 1 FROM attempts WHERE communication_id = ?2), ?3, ?4, ?5)",
        (campaign_id, communication_id, timestamp(now), call_id, session_id),
    )


def read_over(db: Db, underway: Collection[str], most: int) -> list[OverCall]:
    """Attempts to be accounted for, oldest first. `underway`: ids of calls of which more is to come."""
    found = rows(
        db,
        "SELECT attempts.id, attempts.campaign_id, communication_id, participant_id, attempts.call_id, session_id,"
        " sessions.outcome, sip_code, sip_reason, ring_ms, sessions.talk_ms, conclusion, results FROM attempts"
        " JOIN communications ON communications.id = communication_id LEFT JOIN sessions ON sessions.id = session_id"
        " WHERE attempts.outcome IS NULL AND (sessions.outcome IS NOT NULL OR sessions.id IS NULL)"
        " ORDER BY attempts.id",
    )
    return [_over(row) for row in found if row["call_id"] not in underway][:most]


def count_open(db: Db) -> dict[str, int]:
    """Calls that are not accounted for, by campaign."""
    found = rows(db, "SELECT campaign_id, count(*) AS number FROM attempts WHERE outcome IS NULL GROUP BY campaign_id")
    return {row["campaign_id"]: row["number"] for row in found}


def account_for(db: Db, over: OverCall) -> None:
    db.execute(
        "UPDATE attempts SET outcome = ?, outcome_text = ?, talk_ms = ? WHERE id = ?",
        (over.outcome, over.outcome_text, over.talk_ms, over.attempt_id),
    )


# -- for people ------------------------------------------------------------------------------------------------


def communications_of(db: Db, participant_id: int) -> tuple[CommunicationView, ...]:
    """Oldest first."""
    found = rows(db, "SELECT * FROM communications WHERE participant_id = ? ORDER BY id", participant_id)
    return tuple(_communication(db, row) for row in found)


def _communication(db: Db, row: Mapping[str, Any]) -> CommunicationView:
    names = ("number", "at", "call_id", "session_id", "outcome", "outcome_text")
    attempts = rows(
        db,
        "SELECT attempts.*, coalesce(sessions.id, '') AS session_id FROM attempts"
        " LEFT JOIN sessions ON sessions.id = session_id WHERE communication_id = ? ORDER BY attempts.id",
        row["id"],
    )
    return CommunicationView(
        step=row["step"],
        status=row["status"],
        reason=row["reason"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        attempts=tuple(AttemptView(**{name: each[name] for name in names}) for each in attempts),
    )


def _over(row: Mapping[str, Any]) -> OverCall:
    """A session that is gone was deleted with its outcome: nobody knows any more."""
    outcome = row["outcome"] or "unknown"
    return OverCall(
        attempt_id=row["id"],
        campaign_id=row["campaign_id"],
        communication_id=row["communication_id"],
        participant_id=row["participant_id"],
        call_id=row["call_id"],
        session_id=row["session_id"],
        outcome=outcome,
        outcome_text=in_words(outcome, row["sip_code"], row["sip_reason"] or "", row["ring_ms"]),
        conclusion=row["conclusion"] or "",
        talk_ms=row["talk_ms"] or 0,
        results=json.loads(row["results"] or "{}"),
    )
