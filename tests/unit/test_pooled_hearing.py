"""A call's side of its worker, where the worker is slow to take what it is handed, or gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from models import packs
from models.stt import Heard
from models.stt.band import WIDE, Band
from models.stt.hearing import PooledHearing
from models.stt.noise import Network
from models.stt.process import DecoderLost
from models.stt.worker import Worker
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.unit

SOUND = bytes(640)


class Scripted(Worker):
    """`takes_end`: when it has room for what asks it to finish, which takes it for ever. It dies of the first sound if
    it is `broken`. `begun` counts utterances."""

    def __init__(self, *, broken: bool = False) -> None:
        self.takes_end = trio.Event()
        self.begun = 0
        self._broken = broken

    async def begin(self, expected: str = "") -> None:
        self.begun += 1
        await trio.lowlevel.checkpoint()

    async def feed(self, pcm: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self._broken:
            raise DecoderLost("crashed")

    async def finish(self) -> None:
        await self.takes_end.wait()

    async def heard(self) -> Heard:
        await trio.sleep_forever()
        raise AssertionError


class Healthy(Scripted):
    async def finish(self) -> None:
        await trio.lowlevel.checkpoint()

    async def heard(self) -> Heard:
        await trio.lowlevel.checkpoint()
        return Heard("hello", "hello")


class Source:
    """Gives out `workers` one after the other. `meanwhile` happens while the last but one is being killed."""

    def __init__(self, *workers: Worker) -> None:
        self._workers = list(workers)
        self.meanwhile: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint

    async def start_worker(self, line: Band) -> Worker:
        await trio.lowlevel.checkpoint()
        return self._workers.pop(0)

    async def discard(self, worker: Worker) -> None:
        await trio.lowlevel.checkpoint()
        if len(self._workers) == 1:
            await self.meanwhile()


@asynccontextmanager
async def served(source: Source) -> AsyncIterator[tuple[PooledHearing, trio.Nursery]]:
    hearing = PooledHearing(WIDE, source, Network.load(packs.path("noise_network")))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hearing.run)
        yield hearing, nursery
        nursery.cancel_scope.cancel()


async def test_who_goes_on_while_the_end_is_handed_over_is_not_kept_waiting_for_what_was_before() -> None:
    worker = Scripted()
    async with served(Source(worker)) as (hearing, drafts):
        await hearing.begin()
        await hearing.feed(SOUND)
        drafts.start_soon(hearing.finish)
        await wait_all_tasks_blocked()
        before = worker.begun
        await hearing.feed(SOUND)
        worker.takes_end.set()
        await wait_all_tasks_blocked()
        assert worker.begun == before + 1


async def test_an_utterance_that_begins_while_the_second_process_is_killed_is_tried_all_the_same() -> None:
    source = Source(Scripted(broken=True), Scripted(broken=True), Healthy())
    async with served(source) as (hearing, _):
        source.meanwhile = hearing.begin
        await hearing.begin()
        await hearing.feed(SOUND)
        await wait_all_tasks_blocked()
        await hearing.feed(SOUND)
        with trio.fail_after(PATIENCE_S):
            assert await hearing.finish() == Heard("hello", "hello")
