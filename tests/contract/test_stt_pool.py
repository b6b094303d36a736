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
from models.stt import Heard, Hearing, process, worker
from models.stt import hearing as hearing_module
from models.stt.band import Band
from models.stt.language_model import build
from models.stt.pool import Pool, RecogniserFailed, recogniser_pool
from models.stt.process import DecoderLost
from models.stt.worker import Worker
from tests.contract.test_stt import FIRST, FIRST_TEXT, SECOND, SECOND_TEXT, feed
from tests.contract.test_vad import recorded
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

MODEL = build([FIRST_TEXT, SECOND_TEXT])
each_decoder = pytest.mark.parametrize("which", [0, 1], ids=["own", "general"])
TREE = Path(__file__).resolve().parents[2]


def decoders(pool: Pool) -> list[int]:
    """The processes of the only call; those that are loaded come before them."""
    return pool.pids[-2:]


async def begin(hearing: Hearing) -> None:
    """An utterance, in a call that has its processes."""
    await hearing.begin()
    await hearing.finish()
    await hearing.begin()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@each_decoder
@pytest.mark.parametrize("narrow_band", [False, True])
async def test_a_crash_in_an_utterance_loses_nothing_of_it(narrow_band: bool, which: int) -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=narrow_band) as hearing:
        await begin(hearing)
        await feed(hearing, speech[:32_000])
        pids = decoders(pool)
        os.kill(pids[which], signal.SIGKILL)
        await feed(hearing, speech[32_000:])
        assert (await hearing.finish()).own == FIRST_TEXT
        assert not set(pids) & set(pool.pids)
        assert not any(map(alive, pids))


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


@each_decoder
async def test_a_crash_while_finishing_is_mended(which: int) -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        for _ in range(3):
            await begin(hearing)
            await feed(hearing, speech)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_kill_after, 0.05, decoders(pool)[which])
                assert (await hearing.finish()).own == FIRST_TEXT


async def _kill_after(seconds: float, pid: int) -> None:
    await trio.sleep(seconds)
    if alive(pid):
        os.kill(pid, signal.SIGKILL)


async def test_all_of_it_may_crash_in_an_utterance() -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await begin(hearing)
        await feed(hearing, speech)
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
        assert (await hearing.finish()).own == FIRST_TEXT


@each_decoder
async def test_a_crash_between_calls_is_mended(which: int) -> None:
    async with recogniser_pool(MODEL, 1) as pool:
        os.kill(pool.pids[which], signal.SIGKILL)
        async with pool.open(narrow_band=False) as hearing:
            await hearing.begin()
            await feed(hearing, recorded(FIRST))
            assert (await hearing.finish()).own == FIRST_TEXT


@each_decoder
async def test_what_is_loaded_may_crash_beside_a_call(which: int) -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 2) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, speech)
        first = (await hearing.finish()).own
        before = pool.pids
        os.kill(before[which], signal.SIGKILL)
        async with pool.open(narrow_band=False) as other:
            for each in (hearing, other):
                await each.begin()
                await feed(each, speech)
            assert first == (await hearing.finish()).own == (await other.finish()).own == FIRST_TEXT
        assert not set(before[:2]) & set(pool.pids)
        assert decoders(pool) == before[2:]


async def test_calls_that_end_leave_neither_processes_nor_descriptors() -> None:
    async with recogniser_pool(MODEL, 1) as pool:
        at_first = pool.pids
        async with pool.open(narrow_band=False):
            await trio.lowlevel.checkpoint()  # long enough to begin with a worker, and not to have one
        descriptors = _open_descriptors()
        for _ in range(5):
            async with pool.open(narrow_band=False) as hearing:
                await hearing.begin()
                await hearing.finish()
                pids = decoders(pool)
            assert not any(map(alive, pids))
        assert pool.pids == at_first
        assert _open_descriptors() == descriptors
        zombies = [pid for pid in _children(at_first[0]) if not alive(pid)]
        assert len(zombies) <= 1  # the last one, which is buried when the next one begins


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_only_bands_that_calls_have_stay_loaded() -> None:
    speech = recorded(FIRST)
    async with recogniser_pool(MODEL, 2) as pool:
        async with pool.open(narrow_band=False) as wide, pool.open(narrow_band=True) as narrow:
            for each in (wide, narrow):
                await each.begin()
                await feed(each, speech)
                assert (await each.finish()).own == FIRST_TEXT
            assert len(pool.pids) == 2 * 2 + 2 * 2
        assert len(pool.pids) == 4
        async with pool.open(narrow_band=True) as hearing:
            await begin(hearing)
            assert len(pool.pids) == 4 + 2  # there was no need to load anything
    async with recogniser_pool(MODEL, 1) as pool:
        first = pool.pids
        async with pool.open(narrow_band=True) as hearing:
            await begin(hearing)
            await feed(hearing, speech)
            assert (await hearing.finish()).own == FIRST_TEXT
            assert len(pool.pids) == 4
        assert not any(map(alive, first))


async def test_calls_share_what_is_loaded() -> None:
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, recorded(FIRST))
        await hearing.finish()
        call_kb = sum(map(_private_kb, decoders(pool)))
        own_kb = sum(int(line.split()[1]) for pid in decoders(pool) for line in _memory(pid) if "Rss" in line)
    assert call_kb < own_kb / 2


def _private_kb(pid: int) -> int:
    return sum(int(line.split()[1]) for line in _memory(pid) if "Private" in line)


def _memory(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()


async def test_loading_may_take_longer_than_a_reply_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "REPLY_TIMEOUT_S", 0.001)  # a machine on which nothing loads so fast
    async with recogniser_pool(MODEL, 1) as pool:
        assert all(map(alive, pool.pids))


@each_decoder
async def test_a_worker_that_hangs_is_replaced(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await hearing.begin()
        await hearing.finish()
        monkeypatch.setattr(process, "SEND_TIMEOUT_S", 0.3)
        pids = decoders(pool)
        os.kill(pids[which], signal.SIGSTOP)
        await hearing.begin()
        await feed(hearing, recorded(FIRST))
        assert (await hearing.finish()).own == FIRST_TEXT
        assert not any(map(alive, pids))


@each_decoder
async def test_a_worker_that_hangs_while_finishing_is_replaced(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
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
        pids = decoders(pool)
        assert isinstance(hearing, hearing_module.PooledHearing)
        assert hearing.worker
        finish = hearing.worker.finish

        async def finish_hung() -> None:
            """Once it has taken all: who hangs before that is found by another time-out, which is longer."""
            os.kill(pids[which], signal.SIGSTOP)
            await finish()

        monkeypatch.setattr(hearing.worker, "finish", finish_hung)
        await feed(hearing, recorded(FIRST))
        assert (await hearing.finish()).own == FIRST_TEXT
        assert not any(map(alive, pids))


async def test_without_a_worker_the_utterance_is_empty_and_the_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_worker(_line: Band) -> Worker:
        raise DecoderLost("no memory")

    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await begin(hearing)
        monkeypatch.setattr(pool, "start_worker", no_worker)
        os.kill(decoders(pool)[0], signal.SIGKILL)
        await feed(hearing, recorded(FIRST))
        assert await hearing.finish() == Heard("", "")
        monkeypatch.undo()
        await hearing.begin()
        await feed(hearing, recorded(FIRST))
        assert (await hearing.finish()).own == FIRST_TEXT


async def test_a_pool_that_ends_leaves_no_process_behind() -> None:
    async with recogniser_pool(MODEL, 2) as pool, pool.open(narrow_band=True) as hearing:
        await begin(hearing)
        await feed(hearing, recorded(FIRST))
        pids = pool.pids
        assert len(pids) == 4  # two language models, loaded, and the call's
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


async def test_cancelling_everything_leaves_no_process_behind() -> None:
    pids: list[int] = []
    with trio.CancelScope() as everything:
        async with recogniser_pool(MODEL, 2) as pool, pool.open(narrow_band=True) as hearing:
            await begin(hearing)
            await feed(hearing, recorded(FIRST))
            pids = pool.pids
            everything.cancel()
            await hearing.finish()
    assert len(pids) == 4
    assert not any(map(alive, pids))


OWNER = f"""
import sys, trio
from models.stt.language_model import build
from models.stt.pool import recogniser_pool
async def main():
    async with recogniser_pool(build([{FIRST_TEXT!r}]), 2) as pool:
        async with pool.open(narrow_band=False) as hearing:
            await hearing.begin()
            await hearing.finish()
            print(*pool.pids, flush=True)
            await trio.sleep_forever()
trio.run(main)
"""


def test_workers_die_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], cwd=TREE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 4
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


@pytest.mark.parametrize("expected", ["", "free"])
async def test_in_a_crowd_a_late_second_opinion_is_done_without(expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not where only the general decoder can hear what is said."""
    monkeypatch.setattr(worker, "_CORES", 0)
    monkeypatch.setattr(process, "_BUFFER_BYTES", 200_000)  # all of it: a process that is stopped takes nothing
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await begin(hearing)
        general = decoders(pool)[1]
        os.kill(general, signal.SIGSTOP)
        await hearing.begin(expected)
        await feed(hearing, recorded(FIRST))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_go_on_after, 3.0, general)
            heard = await hearing.finish()
        assert heard.own == FIRST_TEXT
        assert bool(heard.general) is bool(expected)
        await hearing.begin(expected)
        await feed(hearing, recorded(SECOND))
        monkeypatch.setattr(worker, "_CORES", 9)
        heard = await hearing.finish()
        assert heard.own == SECOND_TEXT
        assert heard.general
        assert decoders(pool)[1] == general


async def test_decoders_step_back_behind_the_audio_the_second_opinion_furthest() -> None:
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await begin(hearing)
        assert [os.getpriority(os.PRIO_PROCESS, pid) for pid in decoders(pool)] == [
            min(19, os.getpriority(os.PRIO_PROCESS, 0) + steps) for steps in (5, 10)
        ]
        assert {os.sched_getscheduler(pid) for pid in decoders(pool)} == {os.SCHED_BATCH}


async def _go_on_after(seconds: float, pid: int) -> None:
    await trio.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


async def test_a_caller_who_goes_on_waits_for_nothing_that_was_asked_before() -> None:
    async with recogniser_pool(MODEL, 1) as pool, pool.open(narrow_band=False) as hearing:
        await begin(hearing)
        await feed(hearing, recorded(SECOND))
        for pid in decoders(pool):
            os.kill(pid, signal.SIGSTOP)
        with trio.move_on_after(0.3):
            await hearing.finish()
        await hearing.begin()
        await feed(hearing, recorded(FIRST))
        for pid in decoders(pool):
            os.kill(pid, signal.SIGCONT)
        assert (await hearing.finish()).own == FIRST_TEXT
