"""The ledger on a real disk that is full, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from app.ports import Line
from firmware.storage import SqliteLedger, ledger

pytestmark = pytest.mark.contract

LINES = 500


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


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
        with trio.fail_after(5):
            await kept.settled()
        detail = await kept.session(log.id)
        assert detail is not None
        assert len(detail.lines) == LINES
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def problem(kept: SqliteLedger) -> None:
    for _ in range(500):
        if kept.problem:
            return
        await trio.sleep(0.01)
    pytest.fail("the disk never got full")


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
