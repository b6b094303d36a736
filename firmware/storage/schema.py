"""The tables, as numbered migrations. The schema only grows: after a rollback the previous version of Deskbell must
still read and write what the newer one left, so a migration adds tables and columns with defaults, and nothing else.

`PRAGMA user_version` holds the number of the last migration that ran. A database with a higher number than ours comes
from a newer version, and is used as it is.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from firmware.storage.campaign_schema import CAMPAIGNS

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

# What users edit is JSON of the models in app/settings.py, which grow with defaults; what the box itself looks at has a
# column. A sealed secret names the revision of the record at which it was sealed: it is part of what the seal binds.
_SETTINGS = """
CREATE TABLE box (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL,
    settings TEXT NOT NULL
);
CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    modified_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    account TEXT NOT NULL,
    password BLOB,
    password_revision INTEGER NOT NULL DEFAULT 0,
    login BLOB,
    login_revision INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE connectivity (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    description TEXT NOT NULL,
    engine TEXT NOT NULL,
    voice TEXT NOT NULL,
    built_in INTEGER NOT NULL
);
CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    modified_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    settings TEXT NOT NULL,
    speech_to_text TEXT REFERENCES connectivity (id),
    text_to_speech TEXT REFERENCES connectivity (id),
    language_model TEXT REFERENCES connectivity (id),
    should_run INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE attachments (
    agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    inbound INTEGER NOT NULL,
    PRIMARY KEY (agent_id, connection_id)
);
CREATE UNIQUE INDEX one_inbound_agent ON attachments (connection_id) WHERE inbound = 1;
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    last_used_at TEXT
);
CREATE TABLE log_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    level INTEGER NOT NULL,
    source TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    text TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX log_events_by_agent ON log_events (agent_id, id);
INSERT INTO box VALUES (1, 1, '{}');
INSERT INTO connectivity VALUES
    ('box-ears', 1, 'speech-to-text', 'On this box', 'PocketSphinx, taught the agent''s words', 'pocketsphinx', '', 1),
    ('box-voice-slt', 1, 'text-to-speech', 'On this box, a woman''s voice', 'Flite', 'flite', 'slt', 1),
    ('box-voice-rms', 1, 'text-to-speech', 'On this box, a man''s voice', 'Flite', 'flite', 'rms', 1);
"""

# `outcome` is a word of app.ports.Result from here on; what a talk came to has a column of its own. Rows from before
# hold what was said then in `outcome`, and nothing in these.
_OUTCOMES = """
ALTER TABLE sessions ADD COLUMN conclusion TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN sip_code INTEGER;
ALTER TABLE sessions ADD COLUMN sip_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN ring_ms INTEGER;
ALTER TABLE sessions ADD COLUMN talk_ms INTEGER;
"""

# What an entry of Settings > Connectivity is made of is JSON of app.settings.Engine; `engine` and `voice` stay for the
# version before.
_CONNECTIVITY = """
ALTER TABLE connectivity ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE connectivity ADD COLUMN api_key BLOB;
ALTER TABLE connectivity ADD COLUMN api_key_revision INTEGER NOT NULL DEFAULT 0;
UPDATE connectivity SET settings = '{"kind":"speech-to-text"}' WHERE kind = 'speech-to-text';
UPDATE connectivity SET settings = '{"kind":"text-to-speech","voice":"' || voice || '"}' WHERE kind = 'text-to-speech';
"""

# Calls that somebody asked for: each has a session from before it is dialled. A key outlives its call, so that a call
# that was deleted is not placed a second time; it holds nothing of what was asked but a hash.
_CALLS = """
CREATE TABLE calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL UNIQUE REFERENCES sessions (id),
    what TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    variables TEXT NOT NULL
);
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    asked_sha256 TEXT NOT NULL,
    call_id TEXT NOT NULL,
    at TEXT NOT NULL
);
"""

# Which set-up file was applied, so that one that could not be removed in time is not taken for another one.
_SET_UP = """
CREATE TABLE set_up (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL);
"""

# What the box noted of a call, for whoever reads its session: nothing that was said.
_NOTES = """
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    at_ms INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX notes_by_session ON notes (session_id);
"""

_DIALLED = "ALTER TABLE calls ADD COLUMN dialled TEXT NOT NULL DEFAULT '';"

# The webhook and its secret; what it is to be told, and each attempt. `told`: a delivery was made of this session, or
# none is wanted. What a campaign tells is of no session. What is waiting has its next attempt in `next_at`.
_WEBHOOK = """
CREATE TABLE webhook (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    settings TEXT NOT NULL,
    secret BLOB,
    secret_revision INTEGER NOT NULL DEFAULT 0
);
ALTER TABLE sessions ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_untold ON sessions (id) WHERE told = 0;
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT
);
CREATE INDEX deliveries_waiting ON deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_by_session ON deliveries (session_id);
CREATE TABLE delivery_attempts (
    id INTEGER PRIMARY KEY,
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    status INTEGER NOT NULL,
    problem TEXT NOT NULL,
    took_ms INTEGER NOT NULL
);
CREATE INDEX attempts_by_delivery ON delivery_attempts (delivery_id);
"""

# The mail server and its password; e-mails after calls, one for each address, and each attempt. `mailed`: letters were
# made of this session, or none are wanted. `agent_ref`: the id of the agent that took a call, which may be called
# something else by the time it ends. What is waiting has its next attempt in `next_at`.
_MAIL = """
CREATE TABLE mail_server (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    settings TEXT NOT NULL,
    password BLOB,
    password_revision INTEGER NOT NULL DEFAULT 0
);
ALTER TABLE sessions ADD COLUMN mailed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN agent_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_unmailed ON sessions (id) WHERE mailed = 0;
CREATE TABLE letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT
);
CREATE INDEX letters_waiting ON letters (next_at) WHERE state = 'waiting';
CREATE INDEX letters_by_session ON letters (session_id);
CREATE TABLE letter_attempts (
    id INTEGER PRIMARY KEY,
    letter_id TEXT NOT NULL REFERENCES letters (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    status INTEGER NOT NULL,
    problem TEXT NOT NULL,
    took_ms INTEGER NOT NULL
);
CREATE INDEX attempts_by_letter ON letter_attempts (letter_id);
"""

# Why the pause that ended the caller's turn was long enough.
_PAUSES = "ALTER TABLE turns ADD COLUMN pause_because TEXT NOT NULL DEFAULT '';"

# Files that an agent knows, cut into passages; a passage counts from 1.
_DOCUMENTS = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    added_at TEXT NOT NULL,
    UNIQUE (agent_id, name)
);
CREATE TABLE passages (
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (document_id, number)
);
"""

# Programs that an agent may ask in a call. `called`: by what name a language model calls it. `headers`: names and
# values, one sealed JSON object.
_HTTP_TOOLS = """
CREATE TABLE http_tools (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    called TEXT NOT NULL,
    settings TEXT NOT NULL,
    headers BLOB,
    headers_revision INTEGER NOT NULL DEFAULT 0,
    UNIQUE (agent_id, called)
);
"""

MIGRATIONS = (
    _SESSIONS,
    _SETTINGS,
    _OUTCOMES,
    _CONNECTIVITY,
    _CALLS,
    _SET_UP,
    _NOTES,
    _DIALLED,
    _WEBHOOK,
    CAMPAIGNS,
    _PAUSES,
    _MAIL,
    _DOCUMENTS,
    _HTTP_TOOLS,
)


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
