"""The ledger on a real disk that is full, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from app.ports import Line
from firmware.storage import SqliteLedger, StorageFault, ledger
from firmware.storage.records import Db
from firmware.storage.reserve import SIZE
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

LINES = 500
STARTS = 3
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@contextmanager
def small(folder: Path, size: str) -> Generator[None, None, None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small(tmp_path, "300k"):
        yield tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_a_full_disk_stops_no_call_and_loses_nothing(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with ledger(small_disk / "deskbell.db", retry_s=0.05) as kept:
        log = kept.open_session(call_id="call-1", agent="a", direction="inbound", remote="1")
        for number in range(LINES):
            log.line(Line("caller", "x" * 1000, number, number))
        await problem(kept)
        assert "the disk is full" in str(kept.problem)
        assert "old recordings" in str(kept.problem)
        await trio.sleep(0.2)
        await trio.to_thread.run_sync(make_room, small_disk)
        with trio.fail_after(PATIENCE_S):
            await kept.settled()
        detail = await kept.session(log.id)
        assert detail is not None
        assert len(detail.lines) == LINES
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_a_full_disk_is_still_read_and_something_can_be_deleted(tmp_path: Path) -> None:
    """What was told and is waiting stands in nobody's way, and the reserve is there again once there is room."""
    with small(tmp_path, "16m"):
        async with ledger(tmp_path / "deskbell.db", retry_s=0.05) as kept:
            await kept.settled()
            reserve = tmp_path / "reserve"
            assert reserve.stat().st_size == SIZE
            fill_up(tmp_path / "ballast")
            for _ in range(LINES):
                kept.log_event(NOW, 20, "test", "", "x" * 1000, "{}")
            await problem(kept)
            assert await kept.transact(count) == 0
            with pytest.raises(StorageFault, match="the disk is full") as fault:
                await kept.transact(spend_much)
            assert fault.value.full
            await kept.make_room(write_little)
            assert await kept.transact(lambda db: db.execute("SELECT version FROM box").fetchone()) == (2,)
            assert not reserve.exists()
            (tmp_path / "ballast").unlink()
            with trio.fail_after(PATIENCE_S):
                await kept.settled()
            assert await kept.transact(count) == LINES
            await kept.make_room(count)
            assert reserve.stat().st_size == SIZE


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_one_that_starts_full_is_read_and_can_delete(tmp_path: Path) -> None:
    """After a clean stop SQLite has given its journal back, and needs room for a new one before it reads anything. A
    few starts, and a deletion after them."""
    with small(tmp_path, "16m"):
        async with ledger(tmp_path / "deskbell.db") as kept:
            await kept.settled()
        ballast = [tmp_path / f"ballast {number}" for number in range(2 * STARTS)]
        for before, later in zip(ballast[::2], ballast[1::2], strict=True):
            fill_up(before)
            async with ledger(tmp_path / "deskbell.db") as kept:
                assert await kept.transact(count) == 0
                with pytest.raises(StorageFault, match="the disk is full"):
                    await kept.transact(spend_much)
                fill_up(later)
        async with ledger(tmp_path / "deskbell.db") as kept:
            await kept.make_room(write_little)
        for each in ballast:
            each.unlink()
        async with ledger(tmp_path / "deskbell.db") as kept:
            await kept.settled()
            assert (tmp_path / "reserve").stat().st_size == SIZE


def write_little(db: Db) -> None:
    db.execute("UPDATE box SET version = 2")


def count(db: Db) -> int:
    return int(db.execute("SELECT count(*) FROM log_events").fetchone()[0])


def spend_much(db: Db) -> None:
    db.execute("INSERT INTO tokens VALUES ('a', ?, '', 'b', '', NULL)", ("x" * 1_000_000,))


def fill_up(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


async def problem(kept: SqliteLedger) -> None:
    with trio.fail_after(PATIENCE_S):
        while not kept.problem:  # noqa: ASYNC110 - a property tells nobody
            await trio.sleep(0.01)


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
