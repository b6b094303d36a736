"""The database under the ledger: growing, damaged, full, left open by a killed process."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from app.ports import Line
from firmware.storage import SqliteLedger, ledger, read_session, read_sessions
from firmware.storage.ledger import WAITING_ENTRIES
from firmware.storage.schema import MIGRATIONS, migrate
from firmware.storage.searching import calls_by_hour
from tests.fakes.ledger import TALKED
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.unit


def open_call(kept: SqliteLedger) -> str:
    log = kept.open_session(call_id="call-1", agent="Reception", direction="inbound", remote="101")
    log.line(Line("caller", "Hello.", 0, 500))
    return log.id


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        assert isinstance(version, int)
        return version


async def test_leaving_writes_what_is_waiting(tmp_path: Path) -> None:
    path = tmp_path / "data" / "deskbell.db"
    with trio.CancelScope() as scope:
        async with ledger(path) as kept:
            scope.cancel()
            session_id = open_call(kept)
    detail = read_session(path, session_id)
    assert detail is not None
    assert [line.text for line in detail.lines] == ["Hello."]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_next_start_closes_what_a_killed_process_left_open(tmp_path: Path) -> None:
    path = tmp_path / "deskbell.db"
    async with ledger(path) as kept:
        open_call(kept)
        kept.open_session(call_id="call-2", agent="a", direction="inbound", remote="1").close(TALKED, "done", {})
    assert [call.outcome for call in read_sessions(path)] == ["answered", None]
    async with ledger(path) as kept:
        assert [call.outcome for call in await kept.sessions()] == ["answered", "unknown"]


@pytest.mark.parametrize("damage", [b"this is no database, and longer than a hundred bytes " * 3, None])
async def test_a_damaged_database_is_kept_aside_and_a_fresh_one_begun(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "deskbell.db"
    async with ledger(path) as kept:
        for _ in range(200):
            open_call(kept)
    whole = path.read_bytes()
    path.write_bytes(damage or whole[:8192] + bytes(len(whole) - 8192))
    async with ledger(path) as kept:
        session_id = open_call(kept)
    assert kept.problem is None
    assert [call.id for call in read_sessions(path)] == [session_id]
    assert set_aside(tmp_path) == [len(damage or whole)]


async def test_a_place_that_cannot_be_written_is_a_problem_and_calls_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with ledger(tmp_path / "file" / "deskbell.db") as kept:
        open_call(kept)
        assert kept.problem is not None
        assert "belongs to the user" in kept.problem


async def test_entries_wait_while_the_disk_takes_nothing_and_the_oldest_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.touch()
    async with ledger(folder / "deskbell.db", retry_s=0.01) as kept:
        assert kept.problem is not None
        log = kept.open_session(call_id="call-1", agent="a", direction="inbound", remote="1")
        for number in range(WAITING_ENTRIES + 9):
            log.line(Line("caller", str(number), number, number))
        assert kept.lost_entries == 10
        folder.unlink()
        with trio.fail_after(PATIENCE_S):
            await kept.settled()
        assert kept.problem is None
        detail = await kept.session(log.id)
        assert detail is not None
        assert [line.text for line in detail.lines] == [str(number) for number in range(WAITING_ENTRIES - 1)]


@pytest.mark.parametrize(
    "refused",
    [Line("caller", "not text: \udcfc", 0, 1), Line("caller", "too large", 0, 2**63), Line("caller", None, 0, 1)],  # type: ignore[arg-type]
    ids=["encoding", "range", "constraint"],
)
async def test_an_entry_that_sqlite_refuses_costs_no_other_and_is_told_once(
    tmp_path: Path, refused: Line, caplog: pytest.LogCaptureFixture
) -> None:
    async with ledger(tmp_path / "deskbell.db") as kept:
        log = kept.open_session(call_id="call-1", agent="a", direction="inbound", remote="1")
        for line in (Line("caller", "Before.", 0, 1), refused, refused, Line("caller", "After.", 2, 3)):
            log.line(line)
        with trio.fail_after(PATIENCE_S):
            await kept.settled()
        detail = await kept.session(log.id)
    assert detail is not None
    assert [line.text for line in detail.lines] == ["Before.", "After."]
    assert kept.problem is None
    [told] = caplog.records
    assert "refused an entry" in told.message
    assert str(vars(told)["problem"]).endswith("Error")


def test_migrations_run_once_each_and_in_order(database: sqlite3.Connection) -> None:
    migrate(database, ("CREATE TABLE a (x)",))
    migrate(database, ("CREATE TABLE a (x)", "CREATE TABLE b (x)"))
    migrate(database, ("CREATE TABLE a (x)", "CREATE TABLE b (x)"))
    assert tables(database) == {"a", "b"}
    assert database.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_migration_that_fails_leaves_nothing_behind(database: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(database, ("CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"))
    assert tables(database) == {"a"}
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    assert not database.in_transaction


async def test_a_database_of_a_newer_version_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "deskbell.db"
    with closing(sqlite3.connect(path)) as newer:
        migrate(newer, (*MIGRATIONS, "ALTER TABLE sessions ADD COLUMN mood TEXT DEFAULT 'fine'"))
    async with ledger(path) as kept:
        session_id = open_call(kept)
    assert [call.id for call in read_sessions(path)] == [session_id]
    assert user_version(path) == len(MIGRATIONS) + 1


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def set_aside(folder: Path) -> list[int]:
    """The sizes of the damaged databases that were kept."""
    return [file.stat().st_size for file in folder.glob("deskbell.db.damaged-*")]


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


async def test_calls_are_counted_by_the_hour_they_began_in(tmp_path: Path) -> None:
    begin = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
    clock = [begin]
    async with ledger(tmp_path / "deskbell.db", now=lambda: clock[-1]) as kept:
        for minutes in (-1, 0, 59, 60, 179, 181):
            clock.append(begin + timedelta(minutes=minutes))
            open_call(kept)
        await kept.settled()
        assert await kept.transact(lambda db: calls_by_hour(db, begin, 3)) == [2, 1, 2]
