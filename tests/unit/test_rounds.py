"""Work that goes round for ever, on a virtual clock."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from firmware.rounds import Rounds
from firmware.storage import StorageFault

pytestmark = pytest.mark.unit

FULL = StorageFault("The disk is full.", full=True)
TROUBLE_S = 30.0


class Work:
    """Each round ends with the next of `ends`: a pause, or what goes wrong. `at_s`: when rounds began."""

    def __init__(self, ends: Sequence[float | Exception]) -> None:
        self.at_s: list[float] = []
        self._ends = iter(ends)
        self._began_s = trio.current_time()

    async def one_round(self) -> float:
        self.at_s.append(trio.current_time() - self._began_s)
        await trio.lowlevel.checkpoint()
        end = next(self._ends, math.inf)
        if isinstance(end, Exception):
            raise end
        return end


@asynccontextmanager
async def rounds(work: Work) -> AsyncGenerator[Rounds, None]:
    made = Rounds("tests")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run, work.one_round)
        yield made
        nursery.cancel_scope.cancel()


async def test_a_round_says_when_the_next_one_is(autojump_clock: MockClock) -> None:
    work = Work([5.0, 0.0, 7.0])
    async with rounds(work) as made:
        await trio.sleep(100)
    assert work.at_s == [0.0, 5.0, 5.0, 12.0]
    assert made.done == 4


async def test_whoever_has_work_does_not_wait(autojump_clock: MockClock) -> None:
    """Also where it comes while a round is under way."""
    work = Work([60.0])
    async with rounds(work) as made:
        await trio.sleep(1)
        made.wake()
        await trio.testing.wait_all_tasks_blocked()
    assert work.at_s == [0.0, 1.0]


async def test_what_wakes_it_in_the_middle_of_a_round_is_not_lost(autojump_clock: MockClock) -> None:
    made, at_s = Rounds("tests"), list[float]()

    async def one_round() -> float:
        at_s.append(trio.current_time())
        if len(at_s) == 1:
            made.wake()
        await trio.sleep(1)
        return math.inf

    with trio.move_on_after(10):
        await made.run(one_round)
    assert [each - at_s[0] for each in at_s] == [0.0, 1.0]


@pytest.mark.parametrize(
    "trouble", [FULL, ExceptionGroup("", [FULL]), ExceptionGroup("", [ExceptionGroup("", [FULL])])]
)
async def test_a_disk_that_takes_nothing_is_tried_again(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    work = Work([trouble])
    async with rounds(work) as made:
        await trio.sleep(TROUBLE_S + 1)
    assert work.at_s == [0.0, TROUBLE_S]
    assert made.done == 1
    (record,) = caplog.records
    assert (record.levelname, record.problem, record.work) == ("WARNING", str(FULL), "tests")  # type: ignore[attr-defined]


async def test_a_bug_ends_nothing(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    work = Work([ValueError("a bug"), 5.0])
    async with rounds(work) as made:
        await trio.sleep(TROUBLE_S + 6)
    assert work.at_s == [0.0, TROUBLE_S, TROUBLE_S + 5]
    assert made.done == 2
    assert "a bug" in caplog.text
