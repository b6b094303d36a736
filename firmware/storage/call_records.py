"""Calls that somebody asked for, and the keys they asked with. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from firmware.storage.ledger import new_session_id
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp

KEY_KEPT = timedelta(hours=24)
"""Whoever lost an answer asks again within minutes; a batch that stopped over night, on the next morning."""

HOW_IT_WENT = ("connected_at", "ended_at", "outcome", "conclusion", "sip_code", "ring_ms", "talk_ms", "ended_by")
"""Columns of a session that whoever asks for it gets under the same names, whether call, session or webhook."""

_CALL = (
    "SELECT calls.number, calls.id, what, agent_id, connection_id, dialled, variables, session_id, agent, remote,"
    " started_at, connected_at, ended_at, outcome, conclusion, sip_code, sip_reason, ring_ms, talk_ms, ended_by,"
    " results FROM calls JOIN sessions ON sessions.id = session_id"
)


@dataclass(frozen=True, slots=True)
class NewCall:
    """`what`: "call", "echo test" or "handset". `agent`: its name. `dialled`: what the dial rules made of `remote`."""

    id: str
    what: str
    agent_id: str
    agent: str
    connection_id: str
    direction: str
    remote: str = field(repr=False)
    dialled: str = field(default="", repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """What a caller of the API asks with twice, to get one call. `asked_sha256`: of everything else that it asked."""

    text: str = field(repr=False)
    asked_sha256: str


@dataclass(frozen=True, slots=True)
class KeptKey:
    asked_sha256: str
    call_id: str


def find_key(db: Db, text: str, now: datetime) -> KeptKey | None:
    """Keys of calls that were placed within `KEY_KEPT`."""
    db.execute("DELETE FROM idempotency_keys WHERE at < ?", (timestamp(now - KEY_KEPT),))
    found = rows(db, "SELECT asked_sha256, call_id FROM idempotency_keys WHERE key = ?", text)
    return KeptKey(**found[0]) if found else None


def insert_call(db: Db, call: NewCall, key: Key | None, now: datetime) -> str:
    """The call with its session, which is open from now on, and its key; the id of the session."""
    session_id = new_session_id(now)
    db.execute(
        "INSERT INTO sessions (id, call_id, agent, direction, remote, started_at) VALUES (?, ?, ?, ?, ?, ?)",
        (session_id, call.id, call.agent, call.direction, call.remote, timestamp(now)),
    )
    db.execute(
        "INSERT INTO calls (id, session_id, what, agent_id, connection_id, dialled, variables)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            call.id,
            session_id,
            call.what,
            call.agent_id,
            call.connection_id,
            call.dialled,
            json.dumps(dict(call.variables)),
        ),
    )
    if key:
        values = (key.text, key.asked_sha256, call.id, timestamp(now))
        db.execute("INSERT INTO idempotency_keys (key, asked_sha256, call_id, at) VALUES (?, ?, ?, ?)", values)
    return session_id


def read_call(db: Db, call_id: str) -> dict[str, Any] | None:
    found = rows(db, f"{_CALL} WHERE calls.id = ?", call_id)
    return found[0] if found else None


def read_calls(db: Db, limit: int, before: str | None) -> list[dict[str, Any]]:
    """Newest first, and one more than `limit` if there are more. `before`: the id of a call."""
    older = "WHERE ?1 IS NULL OR calls.number < (SELECT number FROM calls WHERE id = ?1)"
    return rows(db, f"{_CALL} {older} ORDER BY calls.number DESC LIMIT ?2", before, limit + 1)
