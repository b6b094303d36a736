"""The recogniser's processes: crash, hang, and never outlive the box."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from models import packs
from models.stt import Heard, process
from models.stt import hearing as hearing_module
from models.stt.band import Band
from models.stt.language_model import build
from models.stt.pool import RecogniserFailed, recogniser_pool
from models.stt.process import Worker, WorkerLost
from tests.contract.test_stt import FIRST, FIRST_TEXT, SECOND, SECOND_TEXT, feed
from tests.contract.test_vad import recorded
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

MODEL = build([FIRST_TEXT, SECOND_TEXT])
TREE = Path(__file__).resolve().parents[2]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("narrow_band", [False, True])
async def test_a_crash_in_an_utterance_loses_nothing_of_it(narrow_band: bool) -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=narrow_band) as hearing:
        await hearing.begin()
        await feed(hearing, speech[:32_000])
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        await feed(hearing, speech[32_000:])
        assert (await hearing.finish()).own == FIRST_TEXT
        assert pool.pids != [pid]


@pytest.mark.parametrize("narrow_band", [False, True])
async def test_what_the_agents_model_lacks_is_told_from_what_it_has(narrow_band: bool) -> None:
    async with recogniser_pool(build([FIRST_TEXT]), 1) as pool, pool.open(narrow_band=narrow_band) as hearing:
        found = []
        for prompt in (FIRST, SECOND):
            await hearing.begin()
            await feed(hearing, recorded(prompt))
            found.append((await hearing.finish()).off_topic)
    on_topic, off_topic = found
    assert on_topic < 0 < off_topic


async def test_a_crash_while_finishing_is_mended() -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        for _ in range(3):
            await hearing.begin()
            await feed(hearing, speech)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_kill_after, 0.05, pool.pids[0])
                assert (await hearing.finish()).own == FIRST_TEXT


async def _kill_after(seconds: float, pid: int) -> None:
    await trio.sleep(seconds)
    if alive(pid):
        os.kill(pid, signal.SIGKILL)


async def test_a_crash_between_calls_is_mended() -> None:
    async with recogniser_pool(MODEL, 1) as pool:
        os.kill(pool.pids[0], signal.SIGKILL)
        async with pool.open(narrow_band=False) as hearing:
            await hearing.begin()
            await feed(hearing, recorded(FIRST))
            assert (await hearing.finish()).own == FIRST_TEXT


async def test_loading_may_take_longer_than_a_reply_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "REPLY_TIMEOUT_S", 0.001)  # a machine on which nothing loads so fast
    async with recogniser_pool(MODEL, 1) as pool:
        assert alive(pool.pids[0])


async def test_a_worker_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        await hearing.finish()
        monkeypatch.setattr(process, "SEND_TIMEOUT_S", 0.3)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        await hearing.begin()
        await feed(hearing, recorded(FIRST))
        assert (await hearing.finish()).own == FIRST_TEXT
        assert not alive(pid)


async def test_a_worker_that_hangs_while_finishing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        await hearing.finish()
        start, patience_s = pool.start_worker, process.REPLY_TIMEOUT_S
        monkeypatch.setattr(process, "REPLY_TIMEOUT_S", 0.3)

        async def start_another(line: Band) -> Worker:
            """Which has all the time to load."""
            monkeypatch.setattr(process, "REPLY_TIMEOUT_S", patience_s)
            return await start(line)

        monkeypatch.setattr(pool, "start_worker", start_another)
        (pid,) = pool.pids
        await feed(hearing, recorded(FIRST))
        os.kill(pid, signal.SIGSTOP)
        assert (await hearing.finish()).own == FIRST_TEXT
        assert not alive(pid)


async def test_without_a_worker_the_utterance_is_empty_and_the_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_worker(_line: Band) -> Worker:
        raise WorkerLost("no memory")

    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        monkeypatch.setattr(pool, "start_worker", no_worker)
        os.kill(pool.pids[0], signal.SIGKILL)
        await feed(hearing, recorded(FIRST))
        assert await hearing.finish() == Heard("", "")
        monkeypatch.undo()
        await hearing.begin()
        await feed(hearing, recorded(FIRST))
        assert (await hearing.finish()).own == FIRST_TEXT


async def test_a_pool_that_ends_leaves_no_process_behind() -> None:
    async with recogniser_pool(MODEL, 2) as pool:
        pids = pool.pids
        assert len(pids) == 2
        assert all(map(alive, pids))
        async with pool.open(narrow_band=False) as hearing:
            await hearing.begin()
            await feed(hearing, recorded(FIRST))
    assert not any(map(alive, pids))


async def test_cancelling_everything_leaves_no_process_behind() -> None:
    pids: list[int] = []
    with trio.CancelScope() as everything:
        async with recogniser_pool(MODEL, 2) as pool, pool.open(narrow_band=True) as hearing:
            pids = pool.pids
            await hearing.begin()
            await feed(hearing, recorded(FIRST))
            everything.cancel()
            await hearing.finish()
    assert len(pids) == 2
    assert not any(map(alive, pids))


OWNER = f"""
import sys, trio
from models.stt.language_model import build
from models.stt.pool import recogniser_pool
async def main():
    async with recogniser_pool(build([{FIRST_TEXT!r}]), 2) as pool:
        print(*pool.pids, flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


def test_workers_die_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], cwd=TREE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        owner.kill()
    deadline = time.monotonic() + PATIENCE_S
    while any(map(alive, pids)) and time.monotonic() < deadline:
        os.sched_yield()
    assert not any(map(alive, pids))


async def test_a_recogniser_that_cannot_start_says_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    broken = replace(MODEL, arpa="this is no language model")
    with pytest.raises(RecogniserFailed, match="just setup"):
        async with recogniser_pool(broken, 1):
            pass
    assert "Error" in capfd.readouterr().err


async def test_a_missing_transform_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "HERE", tmp_path)
    with pytest.raises(packs.PackMissing, match=r"mllr_phone.*restore it"):
        async with recogniser_pool(MODEL, 1):
            pass


async def test_what_is_said_after_a_minute_without_a_pause_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = recorded(FIRST)
    monkeypatch.setattr(hearing_module, "_LONGEST_BYTES", len(speech))
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        for _ in range(3):
            await feed(hearing, speech)
        assert (await hearing.finish()).own == FIRST_TEXT
