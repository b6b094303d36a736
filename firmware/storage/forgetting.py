"""What a factory reset of the settings leaves of the database: sessions, who asked not to be called, and what came with
the box."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from firmware.storage.database import StorageFault, explain_refusal, is_full, open_database

KEPT = frozenset({"sessions", "messages", "turns", "notes", "do_not_call"})
"""Tables that stay as they are: what people asked for is no setting. Every other one is emptied, so that nobody who
adds a table can forget it here."""

_AS_NEW = {
    # How long sessions are kept stays with them: the default might delete what its owner meant to keep.
    "box": "UPDATE box SET version = version + 1, settings = json_patch('{}',"
    " json_object('retention_days', json_extract(settings, '$.retention_days')))",
    "connectivity": "DELETE FROM connectivity WHERE NOT built_in",
}
"""What stands for emptying a table that is not empty on a new box."""


def forget_settings(path: Path, now: datetime) -> None:
    """Done whole or not at all, and again without harm. What is forgotten is written over in the file.

    Raises: StorageFault.
    """
    try:
        with closing(open_database(path, now)) as db:
            db.execute("PRAGMA secure_delete = ON")
            db.execute("BEGIN IMMEDIATE")
            db.execute("PRAGMA defer_foreign_keys = ON")
            for table in _tables(db) - KEPT:
                db.execute(_AS_NEW.get(table, f"DELETE FROM {table}"))  # noqa: S608  # our own tables
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, OSError) as fault:
        raise StorageFault(explain_refusal(fault, path.parent), full=is_full(fault)) from fault


def forget_everything(path: Path) -> None:
    """The database is gone, with what was set aside of it. Raises: OSError."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        file.unlink()


def _tables(db: sqlite3.Connection) -> set[str]:
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    return {name for (name,) in found}
