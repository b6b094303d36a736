"""What was kept, for the pages and the demo. Reads with a connection of its own, also from another process."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app.ports import Line
from app.turn_times import Turn
from firmware.storage.database import open_for_reading


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One call. `outcome` is None while it goes on, `ended_at` also after a power cut. Instants are UTC.

    `outcome` is a word of app.ports.Result, or from an older version something else; that has no code and no times.
    """

    id: str
    call_id: str
    agent: str
    direction: str
    remote: str = field(repr=False)
    started_at: datetime
    connected_at: datetime | None
    codec: str | None
    ended_at: datetime | None
    outcome: str | None
    ended_by: str | None
    conclusion: str
    sip_code: int | None
    sip_reason: str
    ring_ms: int | None
    talk_ms: int | None
    results: dict[str, str] = field(repr=False)
    recording: Path | None


@dataclass(frozen=True, slots=True)
class Note:
    """What the box noted of a call: nothing that was said."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A call with its transcript, in the order in which the lines were said, and its turns. `variables`: of a call that
    somebody asked for."""

    summary: SessionSummary
    lines: tuple[Line, ...] = field(repr=False)
    turns: tuple[Turn, ...]
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[Note, ...] = ()


def read_sessions(path: Path, limit: int = 100) -> list[SessionSummary]:
    """The latest sessions, newest first. Blocks. Raises: sqlite3.Error if the database cannot be read."""
    with closing(open_for_reading(path)) as connection:
        rows = _rows(connection, "SELECT * FROM sessions ORDER BY started_at DESC, rowid DESC LIMIT ?", limit)
    return [_summary(row) for row in rows]


def read_session(path: Path, session_id: str) -> SessionDetail | None:
    """One session with its transcript and turns. Blocks. Raises: sqlite3.Error if the database cannot be read."""
    with closing(open_for_reading(path)) as connection:
        connection.execute("BEGIN")  # the reads see one moment
        found = _rows(connection, "SELECT * FROM sessions WHERE id = ?", session_id)
        lines = _rows(connection, "SELECT * FROM messages WHERE session_id = ? ORDER BY start_ms, id", session_id)
        turns = _rows(connection, "SELECT * FROM turns WHERE session_id = ? ORDER BY id", session_id)
        asked = _rows(connection, "SELECT variables FROM calls WHERE session_id = ?", session_id)
        notes = _rows(connection, "SELECT at_ms, text FROM notes WHERE session_id = ? ORDER BY id", session_id)
    if not found:
        return None
    return SessionDetail(
        _summary(found[0]),
        tuple(map(_line, lines)),
        tuple(map(_turn, turns)),
        variables=json.loads(asked[0]["variables"]) if asked else {},
        notes=tuple(Note(**each) for each in notes),
    )


def _rows(connection: sqlite3.Connection, statement: str, *parameters: str | int) -> list[dict[str, Any]]:
    cursor = connection.execute(statement, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _summary(row: dict[str, Any]) -> SessionSummary:
    return SessionSummary(
        id=row["id"],
        call_id=row["call_id"],
        agent=row["agent"],
        direction=row["direction"],
        remote=row["remote"],
        started_at=datetime.fromisoformat(row["started_at"]),
        connected_at=_instant(row["connected_at"]),
        codec=row["codec"],
        ended_at=_instant(row["ended_at"]),
        outcome=row["outcome"],
        ended_by=row["ended_by"],
        conclusion=row["conclusion"],
        sip_code=row["sip_code"],
        sip_reason=row["sip_reason"],
        ring_ms=row["ring_ms"],
        talk_ms=row["talk_ms"],
        results=json.loads(row["results"]),
        recording=Path(row["recording"]) if row["recording"] else None,
    )


def _line(row: dict[str, Any]) -> Line:
    return Line(row["speaker"], row["text"], row["start_ms"], row["end_ms"], bool(row["interrupted"]))


def _turn(row: dict[str, Any]) -> Turn:
    return Turn(
        speech_end_ms=row["speech_end_ms"],
        commit_ms=row["commit_ms"],
        first_audio_ms=row["first_audio_ms"],
        decode_ms=row["decode_ms"],
        brain_ms=row["brain_ms"],
        voice_ms=row["voice_ms"],
        pause_because=row["pause_because"],
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
