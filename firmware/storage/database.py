"""The database file: opened, migrated, and replaced by a fresh one where it is damaged."""

from __future__ import annotations

import logging
import os
import sqlite3
from datetime import datetime
from pathlib import Path

from firmware.storage.schema import migrate

# The index of the journal could not be made as large as it has to be, which is what SQLite says of a full disk there.
_NO_INDEX = sqlite3.SQLITE_IOERR_SHMSIZE
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FOLDER_FAULTS = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
# Only a backup or a person with the sqlite3 program can hold the lock, and neither for long.
_BUSY_S = 2.0

_log = logging.getLogger(__name__)


def open_database(path: Path, now: datetime) -> sqlite3.Connection:
    """A connection to a sound, current database at `path` (mode 0600, made if missing). It belongs to nobody's thread.

    A damaged file is renamed, for somebody who can read more of it, and a fresh one takes its place.
    Raises: sqlite3.Error, OSError.
    """
    try:
        return _open(path)
    except sqlite3.DatabaseError as fault:
        if not is_damaged(fault):
            raise
    _set_aside(path, now)
    return _open(path)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Raises: sqlite3.Error."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)


def is_damaged(fault: sqlite3.Error) -> bool:
    return _code(fault) in _DAMAGED


def _set_aside(path: Path, now: datetime) -> None:
    """Rename the database with its journal, and say so. Raises: OSError."""
    stamp = f"{now:%Y%m%dT%H%M%S%f}Z"
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists():
            file.replace(file.with_name(f"{file.name}.damaged-{stamp}"))
    _log.error(
        "the session database is damaged: it was set aside, and a fresh one begun. The recordings are not affected. "
        "If this repeats, check the disk or SD card",
        extra={"file": f"{path.name}.damaged-{stamp}"},
    )


_WORN_OUT = (
    "If this repeats, the disk or SD card is worn out: make a backup (Box > Backup), and restore it on a new one"
)


def explain(fault: sqlite3.Error | OSError, folder: Path) -> str:
    """What happened, why, and what to do, for the user."""
    why, remedy = _cause(fault)
    return (
        f"Sessions cannot be written to the database in {folder} because {why} ({fault}). Calls go on, and the last "
        f"entries are kept in memory and written as soon as it works again. {remedy}."
    )


class StorageFault(Exception):
    """A change could not be written, and nothing was changed. The text is for the user. `full`: the disk is."""

    def __init__(self, text: str, *, full: bool) -> None:
        super().__init__(text)
        self.full = full


def is_full(fault: sqlite3.Error | OSError) -> bool:
    return _code(fault) == sqlite3.SQLITE_FULL or getattr(fault, "sqlite_errorcode", None) == _NO_INDEX


def explain_refusal(fault: sqlite3.Error | OSError, folder: Path) -> str:
    """Why a change of the settings was not stored, and what to do, for the user."""
    why, remedy = _cause(fault)
    return f"The change was not stored because {why} ({fault}; folder {folder}). Nothing was changed. {remedy}."


def _cause(fault: sqlite3.Error | OSError) -> tuple[str, str]:
    if is_full(fault):
        return "the disk is full", "Delete what is not needed there, old recordings first"
    if isinstance(fault, OSError) or _code(fault) in _FOLDER_FAULTS:
        return "the folder cannot be written to", "Make it a folder that belongs to the user Deskbell runs as"
    if _code(fault) == sqlite3.SQLITE_BUSY:
        return "another program holds it", "Close the program that has the database open"
    return "the disk does not take the data", _WORN_OUT


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # SQLite gives its journal the same mode
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what the agent confirmed to a caller ("I will pass it on") survives a power cut. It costs one sync for each
    # commit, every few seconds of a call and never on the Trio thread. NORMAL would lose the last ones.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        fault = sqlite3.DatabaseError(verdict)
        fault.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise fault
    migrate(connection)


def _code(fault: BaseException) -> int:
    """SQLite's primary result code; the extended one holds it in its low byte. 0: not SQLite's."""
    return (getattr(fault, "sqlite_errorcode", None) or 0) & 0xFF
