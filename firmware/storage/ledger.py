"""Sessions on their way to the disk: written by one task, in a thread, from a bounded queue.

A call never waits for the disk here and never fails because of it. While the disk does not take anything, entries wait
in memory and are tried again; the user is told once, and once more when it works again.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import trio

from app.ports import Line, Outcome, Result
from app.turn_times import Turn
from firmware.lifetimes import serving
from firmware.storage.database import (
    StorageFault,
    explain,
    explain_refusal,
    is_damaged,
    is_full,
    open_database,
)
from firmware.storage.reading import SessionDetail, SessionSummary, read_session, read_sessions
from firmware.storage.reserve import Reserve
from firmware.storage.schema import timestamp

# Two entries a second and call are many: 16 calls go on for half a minute while a disk stands still.
WAITING_ENTRIES = 1000
_RETRY_S = 5.0
# The stop waits this long for the disk; longer, and the service manager would kill us anyway.
_CLOSING_S = 5.0
# What sqlite3 raises for a value that no column can hold, or not this one. Trying again would never help.
_REFUSALS = (
    UnicodeEncodeError,
    OverflowError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
)

T = TypeVar("T")
Parameters = tuple[str | int | float | None, ...]

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_session_id(started: datetime) -> str:
    """Sorts by time, says something to a person, and cannot meet another one."""
    return f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03d}-{secrets.token_hex(4)}"


@asynccontextmanager
async def ledger(
    path: Path, *, now: Callable[[], datetime] = utc_now, retry_s: float = _RETRY_S
) -> AsyncGenerator[SqliteLedger, None]:
    """The sessions in the database at `path`, which is made if missing and replaced if damaged.

    Sessions that a killed process left open are closed with the outcome "unknown". A database that cannot be
    written is a `problem` of the ledger, not an exception. Leaving the block writes what is waiting.
    """
    entries = _Entries(path, now)
    async with serving(_write_as_they_come, entries, retry_s):
        yield SqliteLedger(path, entries, now)


class SqliteLedger:
    """`app.ports.Ledger`, and what was kept."""

    def __init__(self, path: Path, entries: _Entries, now: Callable[[], datetime]) -> None:
        self._path, self._entries, self._now = path, entries, now

    @property
    def problem(self) -> str | None:
        """Why sessions are not written now, and what to do about it; None while all is well."""
        return self._entries.problem

    @property
    def lost_entries(self) -> int:
        """Entries that found no room while the disk took nothing."""
        return self._entries.lost

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SqliteSessionLog:
        started = self._now()
        session_id = new_session_id(started)
        self._entries.put(
            "INSERT INTO sessions (id, call_id, agent, direction, remote, started_at) VALUES (?, ?, ?, ?, ?, ?)",
            (session_id, call_id, agent, direction, remote, timestamp(started)),
        )
        return SqliteSessionLog(session_id, self._entries, self._now)

    def belongs(self, session_id: str, agent_id: str) -> None:
        """Whose session it is, whatever its agent is called by the time it ends."""
        self._entries.put("UPDATE sessions SET agent_ref = ? WHERE id = ?", (agent_id, session_id))

    def session_log(self, session_id: str) -> SqliteSessionLog:
        """Of a session that a transaction opened."""
        return SqliteSessionLog(session_id, self._entries, self._now)

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` as one transaction, in the one thread that writes; it sees everything that was told before, unless
        there is a `problem`. Acknowledged means: on the disk.

        Raises: StorageFault, and what `work` raises (also sqlite3.IntegrityError); nothing is changed then.
        """
        return await trio.to_thread.run_sync(self._entries.transact, work, limiter=self._entries.one_thread)

    async def make_room(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`transact`, for work that deletes: on a full disk it may use what is kept for that. Raises: as `transact`."""
        return await trio.to_thread.run_sync(self._entries.make_room, work, limiter=self._entries.one_thread)

    def log_event(self, at: datetime, level: int, source: str, agent_id: str, text: str, fields: str) -> None:
        """One line of the log, written when the disk has time for it."""
        self._entries.put(
            "INSERT INTO log_events (at, level, source, agent_id, connection_id, text, fields)"
            " VALUES (?, ?, ?, ?, '', ?, ?)",
            (timestamp(at), level, source, agent_id, text, fields),
        )

    async def settled(self) -> None:
        """Return once everything so far is on the disk: without an end while there is a `problem`."""
        await self._entries.empty.wait()

    async def sessions(self, limit: int = 100) -> list[SessionSummary]:
        """The latest sessions, newest first. Raises: sqlite3.Error if the database cannot be read."""
        return await trio.to_thread.run_sync(read_sessions, self._path, limit)

    async def session(self, session_id: str) -> SessionDetail | None:
        """One session with its transcript and turns. Raises: sqlite3.Error if the database cannot be read."""
        return await trio.to_thread.run_sync(read_session, self._path, session_id)


class SqliteSessionLog:
    """One call's entry: `app.ports.SessionLog`, and the path of its recording."""

    def __init__(self, session_id: str, entries: _Entries, now: Callable[[], datetime]) -> None:
        self.id = session_id
        self._entries, self._now = entries, now

    def connected(self, codec: str) -> None:
        self._entries.put(
            "UPDATE sessions SET connected_at = ?, codec = ? WHERE id = ?", (timestamp(self._now()), codec, self.id)
        )

    def recorded(self, path: Path) -> None:
        self._entries.put("UPDATE sessions SET recording = ? WHERE id = ?", (str(path), self.id))

    def line(self, line: Line) -> None:
        self._entries.put(
            "INSERT INTO messages (session_id, speaker, text, start_ms, end_ms, interrupted) VALUES (?, ?, ?, ?, ?, ?)",
            (self.id, line.speaker, line.text, line.start_ms, line.end_ms, line.interrupted),
        )

    def turn(self, turn: Turn) -> None:
        stages = (turn.decode_ms, turn.brain_ms, turn.voice_ms, turn.pause_because)
        self._entries.put(
            "INSERT INTO turns (session_id, speech_end_ms, commit_ms, first_audio_ms, decode_ms, brain_ms, voice_ms,"
            " pause_because) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self.id, turn.speech_end_ms, turn.commit_ms, turn.first_audio_ms, *stages),
        )

    def note(self, at_ms: int, text: str) -> None:
        self._entries.put("INSERT INTO notes (session_id, at_ms, text) VALUES (?, ?, ?)", (self.id, at_ms, text))

    def found(self, results: dict[str, str]) -> None:
        self._entries.put(
            "UPDATE sessions SET results = ? WHERE id = ?", (json.dumps(results, ensure_ascii=False), self.id)
        )

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        self._entries.put(
            "UPDATE sessions SET ended_at = ?, outcome = ?, ended_by = ?, conclusion = ?, sip_code = ?, sip_reason = ?,"
            " ring_ms = ?, talk_ms = ?, results = ? WHERE id = ?",
            (
                timestamp(self._now()),
                outcome.result.value,
                outcome.ended_by,
                conclusion,
                outcome.sip_code,
                outcome.reason,
                outcome.ring_ms,
                outcome.talk_ms,
                json.dumps(results, ensure_ascii=False),
                self.id,
            ),
        )


async def _write_as_they_come(
    entries: _Entries, retry_s: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    one_thread = entries.one_thread
    try:
        await trio.to_thread.run_sync(entries.write, abandon_on_cancel=True, limiter=one_thread)
        task_status.started()
        while True:
            if entries.problem:
                await trio.sleep(retry_s)
            else:
                entries.settle()
                await entries.come.wait()
            await trio.to_thread.run_sync(entries.write, abandon_on_cancel=True, limiter=one_thread)
    finally:
        with trio.move_on_after(_CLOSING_S, shield=True):
            await trio.to_thread.run_sync(entries.close, abandon_on_cancel=True, limiter=one_thread)
        if entries.unwritten:
            _log.error("sessions could not be written before the stop", extra={"entries": entries.unwritten})


class _Entries:
    """The queue and the connection. `put` and `settle` belong to the Trio thread, `write` and `close` to the one
    that the writer lends; the deque is safe between them, because only `write` removes."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.problem: str | None = None
        self.lost = 0
        self.come, self.empty = trio.Event(), trio.Event()
        # One thread at a time touches the connection, also when the one before was left behind in a sync.
        self.one_thread = trio.CapacityLimiter(1)
        self._path, self._now = path, now
        self._reserve = Reserve(path.with_name("reserve"))
        self._waiting: deque[tuple[str, Parameters]] = deque()
        self._connection: sqlite3.Connection | None = None
        self._refusal_told = False

    @property
    def unwritten(self) -> int:
        return len(self._waiting) + self.lost

    def put(self, statement: str, parameters: Parameters) -> None:
        if len(self._waiting) >= WAITING_ENTRIES:
            self.lost += 1
            return
        self._waiting.append((statement, parameters))
        if self.empty.is_set():
            self.empty = trio.Event()
        self.come.set()

    def settle(self) -> None:
        """All that came before the last `write` is on the disk; wait for more unless it is here already."""
        if not self._waiting:
            self.come = trio.Event()
            self.empty.set()

    def write(self) -> None:
        """Commit what is waiting, or leave it waiting and say why."""
        try:
            self._commit(self._opened())
        except (sqlite3.Error, OSError) as fault:
            self._stumble(fault)
        else:
            if self.problem:
                _log.warning("sessions are written again", extra={"lost_entries": self.lost})
            self.problem = None

    def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` as one transaction, on the disk when this returns. Raises: StorageFault, and what `work` raises;
        nothing is changed then."""
        self.write()  # a disk that does not take what is waiting may still be read
        return self._transacted(work)

    def make_room(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            done = self.transact(work)
        except StorageFault as fault:
            if not (fault.full and self._reserve.spend()):
                raise
            done = self._transacted(work)  # before what is waiting takes the room
        self._reserve.keep()
        return done

    def _transacted(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as fault:
            raise StorageFault(explain_refusal(fault, self._path.parent), full=is_full(fault)) from fault
        return done

    def close(self) -> None:
        self.write()
        if self._connection:
            self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._opened_on_a_full_disk_too()
            self._reserve.keep()
        return self._connection

    def _opened_on_a_full_disk_too(self) -> sqlite3.Connection:
        """A box that was restarted must come up, to tell that its disk is full. Raises: sqlite3.Error, OSError."""
        while True:
            try:
                return self._opened_and_tidied()
            except sqlite3.Error as fault:
                if not (is_full(fault) and self._reserve.spend_some()):
                    raise

    def _opened_and_tidied(self) -> sqlite3.Connection:
        """Raises: sqlite3.Error, OSError."""
        connection = open_database(self._path, self._now())
        try:
            connection.execute("UPDATE sessions SET outcome = ? WHERE outcome IS NULL", (Result.UNKNOWN.value,))
        except BaseException:
            connection.close()
            raise
        return connection

    def _commit(self, connection: sqlite3.Connection) -> None:
        batch = list(self._waiting)
        if not batch:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement, parameters in batch:
                self._enter(connection, statement, parameters)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        for _ in batch:
            self._waiting.popleft()

    def _enter(self, connection: sqlite3.Connection, statement: str, parameters: Parameters) -> None:
        """Execute, or leave out what SQLite will never take: the other entries and calls must not suffer from it."""
        try:
            connection.execute(statement, parameters)
        except _REFUSALS as fault:
            if not self._refusal_told:
                self._refusal_told = True
                # The kind of fault only: its text may quote the entry.
                _log.error(
                    "a bug of Deskbell: the database refused an entry of a session, which is lost. Please report it",
                    extra={"problem": type(fault).__name__},
                )

    def _stumble(self, fault: sqlite3.Error | OSError) -> None:
        if isinstance(fault, sqlite3.Error) and is_damaged(fault) and self._connection:
            self._connection.close()
            self._connection = None  # opening it again sets the damaged file aside
        problem = explain(fault, self._path.parent)
        if problem != self.problem:  # a disk that fails becomes one that can only be read
            self.problem = problem
            _log.error("sessions are not written, calls go on", extra={"problem": self.problem})
