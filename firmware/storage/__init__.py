"""What the box remembers: the only importer of sqlite3."""

from firmware.storage.ledger import SqliteLedger, SqliteSessionLog, ledger
from firmware.storage.reading import SessionDetail, SessionSummary, read_session, read_sessions

__all__ = [
    "SessionDetail",
    "SessionSummary",
    "SqliteLedger",
    "SqliteSessionLog",
    "ledger",
    "read_session",
    "read_sessions",
]
