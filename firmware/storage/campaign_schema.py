"""The migrations that campaigns brought. Their place in the order of all is in firmware/storage/schema.py."""

from __future__ import annotations

# Campaigns, and whom they call. A participant's `todo` is what is next at `place`: "walk" (a trigger or the end of a
# wait takes them on through the flow) or "call"; `zone` is theirs, empty for the campaign's. `trigger`: what came since
# they were looked at, as JSON. What the next steps look at (last outcome, results) stands in the participant, and what
# an attempt came to in the attempt: both stay when sessions are deleted.
CAMPAIGNS = """
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    modified_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    settings TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'inactive',
    problem TEXT NOT NULL DEFAULT '',
    breaker TEXT NOT NULL DEFAULT ''
);
CREATE TABLE participants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    version INTEGER NOT NULL DEFAULT 1,
    fields TEXT NOT NULL,
    canonical TEXT NOT NULL,
    zone TEXT NOT NULL DEFAULT '',
    place TEXT NOT NULL DEFAULT 'ready',
    todo TEXT NOT NULL DEFAULT 'walk',
    step TEXT NOT NULL DEFAULT '',
    due_at TEXT,
    trigger TEXT,
    communications INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '',
    outcome_text TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    results TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX participants_in_order ON participants (campaign_id, id);
CREATE INDEX participants_by_number ON participants (canonical, campaign_id);
CREATE INDEX participants_by_place ON participants (campaign_id, place);
CREATE INDEX participants_by_status ON participants (campaign_id, status, id);
CREATE INDEX participants_ready ON participants (campaign_id, todo, zone, id) WHERE place = 'ready';
CREATE INDEX participants_due ON participants (campaign_id, todo, zone, due_at) WHERE place = 'waiting';
CREATE INDEX participants_triggered ON participants (campaign_id, id) WHERE trigger IS NOT NULL AND place != 'calling';
CREATE TABLE communications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    participant_id INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'Started',
    reason TEXT NOT NULL DEFAULT '',
    began_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE INDEX communications_by_participant ON communications (participant_id);
CREATE INDEX communications_by_status ON communications (campaign_id, status);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    communication_id INTEGER NOT NULL REFERENCES communications (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    call_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    outcome TEXT,
    outcome_text TEXT NOT NULL DEFAULT '',
    talk_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX attempts_open ON attempts (id) WHERE outcome IS NULL;
CREATE INDEX attempts_by_communication ON attempts (communication_id);
CREATE INDEX attempts_by_outcome ON attempts (campaign_id, outcome, talk_ms);
CREATE INDEX attempts_by_time ON attempts (campaign_id, at);
CREATE TABLE imports (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    campaign_id TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    file_name TEXT NOT NULL,
    at TEXT NOT NULL,
    known TEXT NOT NULL,
    expected INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open',
    counted TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX imports_by_campaign ON imports (campaign_id, number);
CREATE TABLE import_rows (
    import_id TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    fields TEXT NOT NULL,
    canonical TEXT NOT NULL,
    zone TEXT NOT NULL,
    participant_id INTEGER,
    PRIMARY KEY (import_id, row)
) WITHOUT ROWID;
CREATE INDEX import_rows_by_number ON import_rows (import_id, canonical);
CREATE INDEX import_rows_by_verdict ON import_rows (import_id, verdict);
CREATE TABLE import_problems (
    id INTEGER PRIMARY KEY,
    import_id TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    field TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX import_problems_by_import ON import_problems (import_id, row);
CREATE TABLE do_not_call (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    canonical TEXT NOT NULL UNIQUE,
    ending TEXT NOT NULL,
    number TEXT NOT NULL,
    note TEXT NOT NULL,
    source TEXT NOT NULL,
    session_id TEXT NOT NULL DEFAULT '',
    added_at TEXT NOT NULL
);
CREATE INDEX do_not_call_by_ending ON do_not_call (ending);
ALTER TABLE sessions ADD COLUMN minded INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET minded = 1;
CREATE INDEX sessions_unminded ON sessions (id) WHERE minded = 0;
"""
