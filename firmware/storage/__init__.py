"""What the box remembers: the only importer of sqlite3."""

from firmware.storage.database import StorageFault
from firmware.storage.ledger import SqliteLedger, SqliteSessionLog, ledger
from firmware.storage.reading import Note, SessionDetail, SessionSummary, read_session, read_sessions

__all__ = [
    "Note",
    "SessionDetail",
    "SessionSummary",
    "SqliteLedger",
    "SqliteSessionLog",
    "StorageFault",
    "ledger",
    "read_session",
    "read_sessions",
]
