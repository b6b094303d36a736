"""The tables, as numbered migrations. The schema only grows: after a rollback the previous version of Deskbell must
still read and write what the newer one left, so a migration adds tables and columns with defaults, and nothing else.

`PRAGMA user_version` holds the number of the last migration that ran. A database with a higher number than ours comes
from a newer version, and is used as it is.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

# Instants are UTC in ISO 8601 with milliseconds; times inside a call are milliseconds of its audio clock.
# `outcome` is null while the call goes on.
_SESSIONS = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    call_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    direction TEXT NOT NULL,
    remote TEXT NOT NULL,
    started_at TEXT NOT NULL,
    connected_at TEXT,
    codec TEXT,
    ended_at TEXT,
    outcome TEXT,
    ended_by TEXT,
    results TEXT NOT NULL DEFAULT '{}',
    recording TEXT
);
CREATE INDEX sessions_by_start ON sessions (started_at);
CREATE INDEX sessions_open ON sessions (id) WHERE outcome IS NULL;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    interrupted INTEGER NOT NULL
);
CREATE INDEX messages_by_session ON messages (session_id);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    speech_end_ms INTEGER NOT NULL,
    commit_ms INTEGER NOT NULL,
    first_audio_ms INTEGER NOT NULL,
    decode_ms REAL NOT NULL,
    brain_ms REAL NOT NULL,
    voice_ms REAL NOT NULL
);
CREATE INDEX turns_by_session ON turns (session_id);
"""

MIGRATIONS = (_SESSIONS,)


def timestamp(instant: datetime) -> str:
    """An instant as the tables hold it: text that sorts by time. `instant` is in UTC."""
    return instant.isoformat(timespec="milliseconds")


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Run what the database has not seen yet, each migration whole or not at all. Raises: sqlite3.Error."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, migration in enumerate(migrations[version:], start=version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{migration};\nPRAGMA user_version = {number};\nCOMMIT;")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
