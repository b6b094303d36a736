"""PocketSphinx for several calls at once: a process for each, warm before its call begins.

A call's audio is kept here, in the parent, for as long as its utterance lasts. A task of the call's own hands it to the
process as that takes it, so `feed` never waits; when the process crashes or gets stuck, another one is started and is
given the utterance from its beginning.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from models.stt import Hearing, band
from models.stt.band import Band
from models.stt.hearing import PooledHearing
from models.stt.language_model import LanguageModel
from models.stt.process import Worker, WorkerFiles, WorkerLost

_log = logging.getLogger(__name__)

# A worker that cannot be started (memory, disk) is tried again, at first soon and then not so often that it hurts.
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 30.0


class RecogniserFailed(Exception):
    """The recogniser does not start at all. The text says what to do."""


@asynccontextmanager
async def recogniser_pool(model: LanguageModel, size: int) -> AsyncIterator[Pool]:
    """A pool of `size` warm recognisers that know the agent's `model`: as many as calls are let in at once.

    Returns when all of them are loaded, and leaves no process behind.

    Raises: RecogniserFailed, packs.PackProblem.
    """
    narrow_band = band.narrow()
    with tempfile.TemporaryDirectory(prefix="deskbell-stt-") as folder:  # names of people: mode 0700
        files = _written(model, Path(folder))
        pool = Pool(files, narrow_band, size)
        try:
            await pool.warm_up()
            async with trio.open_nursery() as nursery:
                pool.mend_in(nursery)
                yield pool
                nursery.cancel_scope.cancel()
        finally:
            await pool.kill_all()


def _written(model: LanguageModel, folder: Path) -> WorkerFiles:
    files = WorkerFiles(own_model=folder / "own.arpa", own_dictionary=folder / "own.dict")
    files.own_model.write_text(model.arpa)
    files.own_dictionary.write_text(model.dictionary)
    return files


class Pool:
    """Implements models.stt.Ears. Made by `recogniser_pool`."""

    def __init__(self, files: WorkerFiles, narrow: Band, size: int) -> None:
        self._files, self._narrow, self._size = files, narrow, size
        self._give_back, self._warm = trio.open_memory_channel[Worker](size)
        self._workers: set[Worker] = set()
        self._mending: trio.Nursery | None = None

    def mend_in(self, nursery: trio.Nursery) -> None:
        """Where to replace workers that were lost at the end of a call, so that the next one finds a warm one."""
        self._mending = nursery

    @property
    def pids(self) -> list[int]:
        """The processes that are there now."""
        return [worker.pid for worker in self._workers]

    def open(self, *, narrow_band: bool) -> AbstractAsyncContextManager[Hearing]:
        """See Ears.open. Waits while all recognisers are in use, which admission (Max opened sessions) prevents."""
        return self._open(self._narrow if narrow_band else band.WIDE)

    @asynccontextmanager
    async def _open(self, line: Band) -> AsyncIterator[Hearing]:
        worker = await self._warm.receive()
        hearing = PooledHearing(worker, line, self)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hearing.run)
                yield hearing
                nursery.cancel_scope.cancel()
        finally:
            self._take_back(hearing.worker)

    def _take_back(self, worker: Worker | None) -> None:
        if worker and not worker.busy:
            self._give_back.send_nowait(worker)
        elif self._mending:
            self._mending.start_soon(self._replace_later, worker)

    async def warm_up(self) -> None:
        """Raises: RecogniserFailed."""
        failures: BaseExceptionGroup[WorkerLost] | None = None
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(self._size):
                    nursery.start_soon(self._add_warm)
        except* WorkerLost as lost:
            failures = lost
        if failures:
            raise RecogniserFailed(
                "the speech recogniser does not start: its process ended before it was ready. "
                "Its own words are above. If a file is missing, run `just setup`; if memory is short, "
                "lower Max opened sessions (each needs about 150 MB)"
            ) from failures

    async def _add_warm(self) -> None:
        self._give_back.send_nowait(await self.start_worker(band.WIDE))

    async def start_worker(self, line: Band) -> Worker:
        """A loaded worker. Raises: WorkerLost."""
        worker = await Worker.start(self._files)
        self._workers.add(worker)
        try:
            await worker.open(line)
        except BaseException:
            await self.discard(worker)
            raise
        return worker

    async def discard(self, worker: Worker) -> None:
        await worker.kill()
        self._workers.discard(worker)

    async def kill_all(self) -> None:
        for worker in list(self._workers):
            await self.discard(worker)

    async def _replace_later(self, worker: Worker | None) -> None:
        if worker:
            await self.discard(worker)
        wait_s = _FIRST_RETRY_S
        while True:
            try:
                return await self._add_warm()
            except WorkerLost as lost:
                _log.warning("recogniser does not start", extra={"problem": str(lost), "next_try_s": wait_s})
            await trio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LAST_RETRY_S)
