"""The mail server, and the e-mails that it is to carry, as rows. Inside one transaction of `SqliteLedger.transact`.

A session that ended is *mailed* once its letters are on the disk, in the same transaction: one for each address that
its agent has now. So a process that is killed at any moment goes on at the next start, and makes none twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.control.mail import MailServer
from app.settings import Agent, Box
from firmware.storage import records
from firmware.storage.outbox import Outbox
from firmware.storage.records import Db, Miss, Sealed, new_id, rows
from firmware.storage.schema import timestamp

ID = "mail"
"""Of the only mail server there is."""

RESULTS_S = 10.0
"""After a call: until then a language model may be writing down its results."""

OUTBOX = Outbox("letters", "letter_attempts", "letter_id", personal=("subject", "body"))

_SEVERAL = 3
"""Attempts: two are made within a minute, and many mail servers put off whom they do not know."""

_AT_ONCE = 50
"""Sessions in one transaction: a few milliseconds, in which nothing else is written."""

_ENDED = (
    "SELECT sessions.*, coalesce(calls.agent_id, nullif(agent_ref, '')) AS whose FROM sessions"
    " LEFT JOIN calls ON calls.session_id = sessions.id WHERE mailed = 0 AND outcome IS NOT NULL"
    " AND coalesce(ended_at, '') NOT BETWEEN ?1 AND ?2"
    " AND (calls.what = 'call' OR (calls.what IS NULL AND direction = 'inbound')) ORDER BY sessions.id LIMIT ?3"
)
_TALKS_OF_THE_HOUSE = (
    "UPDATE sessions SET mailed = 1 WHERE mailed = 0 AND outcome IS NOT NULL AND NOT (direction = 'inbound' AND NOT"
    " EXISTS (SELECT 1 FROM calls WHERE session_id = sessions.id)) AND NOT EXISTS"
    " (SELECT 1 FROM calls WHERE session_id = sessions.id AND what = 'call')"
)


@dataclass(frozen=True, slots=True)
class MailRecord:
    version: int
    settings: MailServer
    password: Sealed | None


@dataclass(frozen=True, slots=True)
class Words:
    """A letter before it is addressed."""

    subject: str = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail to one address. `attempts`: that were made so far."""

    id: str
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    created_at: datetime
    attempts: int
    next_at: datetime


def read_server(db: Db) -> MailRecord:
    """Version 0 where nobody has set one up yet."""
    found = rows(db, "SELECT * FROM mail_server WHERE id = ?", ID)
    if not found:
        return MailRecord(0, MailServer(), None)
    row = found[0]
    password = None if row["password"] is None else Sealed(row["password"], row["password_revision"])
    return MailRecord(row["version"], MailServer.model_validate_json(row["settings"], extra="ignore"), password)


def write_server(db: Db, record: MailRecord, if_version: int, now: datetime) -> Miss | None:
    """What ended while there was none is not mailed afterwards. What waits is tried at once."""
    before = read_server(db)
    if before.version != if_version:
        return Miss.OVERTAKEN
    if not before.settings.host:
        db.execute("UPDATE sessions SET mailed = 1 WHERE mailed = 0 AND outcome IS NOT NULL")
    password = (record.password.data, record.password.revision) if record.password else (None, 0)
    values = (ID, record.version, record.settings.model_dump_json(), *password)
    columns = "id, version, settings, password, password_revision"
    db.execute(f"INSERT OR REPLACE INTO mail_server ({columns}) VALUES (?, ?, ?, ?, ?)", values)  # noqa: S608  # our own names
    db.execute("UPDATE letters SET next_at = ? WHERE state = 'waiting'", (timestamp(now),))
    return None


# -- what is to be sent ----------------------------------------------------------------------------------------


def take_ended(db: Db, words_of: Callable[[dict[str, Any], Box], Words], now: datetime) -> None:
    """Sessions that ended become letters, as far as there is room. A clock that was set back since is no reason to
    wait."""
    db.execute(_TALKS_OF_THE_HOUSE)
    near = (timestamp(now - timedelta(seconds=RESULTS_S)), timestamp(now + timedelta(seconds=RESULTS_S)))
    found = rows(db, _ENDED, *near, _AT_ONCE) if OUTBOX.room(db) else []
    if found:
        _, box = records.read_box(db)
        agents = records.read_agents(db)
        whose = {each.id: each.plan.settings for each in agents}
        named = {each.plan.settings.name: each.plan.settings for each in agents}
        for row in found:
            agent = whose.get(row["whose"]) if row["whose"] else named.get(row["agent"])
            if agent and agent.mail_to and _is_wanted(agent, row):
                _add(db, row["id"], agent.mail_to, words_of(row, box), now)
            db.execute("UPDATE sessions SET mailed = 1 WHERE id = ?", (row["id"],))
    OUTBOX.forget_old(db)


def is_to_come(db: Db) -> bool:
    """Whether a call ended whose results may not be written down yet."""
    return bool(rows(db, "SELECT 1 FROM sessions WHERE mailed = 0 AND outcome IS NOT NULL LIMIT 1"))


def _is_wanted(agent: Agent, session: dict[str, Any]) -> bool:
    told = any(json.loads(session["results"]).values()) or session["conclusion"] == "message taken"
    return told or agent.mail_when == "every call"


def _add(db: Db, session_id: str, recipients: tuple[str, ...], words: Words, now: datetime) -> None:
    """One for each address: who refuses it, or has to wait, is nobody else's trouble."""
    at = timestamp(now)
    for recipient in dict.fromkeys(recipients):
        db.execute(
            "INSERT INTO letters (id, session_id, recipient, subject, body, created_at, next_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new_id(), session_id, recipient, words.subject, words.body, at, at),
        )


def read_waiting(db: Db, most: int) -> list[Letter]:
    """Those whose time comes first."""
    return [
        Letter(
            row["id"],
            row["recipient"],
            row["subject"],
            row["body"],
            datetime.fromisoformat(row["created_at"]),
            row["attempts"],
            datetime.fromisoformat(row["next_at"]),
        )
        for row in OUTBOX.waiting(db, most)
    ]


# -- for people ------------------------------------------------------------------------------------------------


def in_vain(db: Db, since: datetime) -> tuple[int, int]:
    """How many made since then were given up, and how many wait that were tried several times."""
    (row,) = rows(
        db,
        "SELECT coalesce(sum(state = 'given up' AND created_at >= ?1), 0) AS given_up,"
        " coalesce(sum(state = 'waiting' AND attempts >= ?2), 0) AS stuck FROM letters WHERE state != 'delivered'",
        timestamp(since),
        _SEVERAL,
    )
    return int(row["given_up"]), int(row["stuck"])
