"""PocketSphinx for several calls at once: loaded once for a band, and forked for each call.

A call's audio is kept here, in the parent, for as long as its utterance lasts. A task of the call's own hands it to the
worker as that takes it, so `feed` never waits; when one of its processes crashes or gets stuck, another worker is
started and is given the utterance from its beginning.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import trio

from models import packs
from models.stt import Hearing, band
from models.stt.band import Band
from models.stt.hearing import PooledHearing
from models.stt.language_model import LanguageModel
from models.stt.noise import Network
from models.stt.process import DecoderLost
from models.stt.worker import AgentFiles, Loaded, Worker

_log = logging.getLogger(__name__)


class RecogniserFailed(Exception):
    """The recogniser does not start at all. The text says what to do."""


@asynccontextmanager
async def recogniser_pool(model: LanguageModel, size: int, *, narrow_band: bool = False) -> AsyncIterator[Pool]:
    """Recognisers for `size` calls at once that know the agent's `model`.

    Returns when they are loaded for the wide band, or the telephone's. A call over the other one has it loaded, in less
    time than a greeting takes, and what no call needs any more goes first: a small board has no room for both. Leaves
    no process behind.

    Raises: RecogniserFailed, packs.PackProblem.
    """
    async with _empty_pool(size) as pool:
        await pool.learn(lambda: model, narrow_band=narrow_band)
        yield pool


@asynccontextmanager
async def recogniser_pool_behind(learnt: Callable[[], LanguageModel], size: int) -> AsyncIterator[Pool]:
    """The same, at once: the model is made in a thread, and the recognisers are loaded, while the line is already told
    of the agent. A call that comes first waits for them behind its greeting.

    Raises: RecogniserFailed, in an ExceptionGroup; packs.PackProblem.
    """
    async with _empty_pool(size) as pool, trio.open_nursery() as learning:
        learning.start_soon(pool.learn, learnt)
        yield pool
        learning.cancel_scope.cancel()


@asynccontextmanager
async def _empty_pool(size: int) -> AsyncIterator[Pool]:
    narrow, network = band.narrow(), Network.load(packs.path("noise_network"))
    with tempfile.TemporaryDirectory(prefix="deskbell-stt-") as folder:  # names of people: mode 0700
        pool = Pool(Path(folder), narrow, network, size)
        try:
            yield pool
        finally:
            await pool.kill_all()


def _written(model: LanguageModel, folder: Path) -> AgentFiles:
    dictation = {name: folder / f"{name.replace(' ', '-')}.arpa" for name in model.dictation}
    files = AgentFiles(folder / "own.arpa", folder / "own.dict", dictation)
    files.language_model.write_text(model.arpa)
    files.dictionary.write_text(model.dictionary)
    for name, path in dictation.items():
        path.write_text(model.dictation[name])
    return files


class Pool:
    """Implements models.stt.Ears. Made by `recogniser_pool`, with a folder of its own."""

    def __init__(self, folder: Path, narrow: Band, network: Network, size: int) -> None:
        self._folder, self._narrow, self._network = folder, narrow, network
        self._files: AgentFiles  # from `_learnt` on
        self._learnt = trio.Event()
        self._seats = trio.Semaphore(size)
        self._loading = trio.Lock()
        self._loaded: dict[Band, Loaded] = {}
        self._calls: Counter[Band] = Counter()
        self._workers: set[Worker] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that are there now."""
        loaded = [pid for each in self._loaded.values() for pid in each.pids]
        return loaded + [pid for worker in self._workers for pid in worker.pids]

    def open(self, *, narrow_band: bool) -> AbstractAsyncContextManager[Hearing]:
        """See Ears.open. Waits while all recognisers are in use, which admission (Max opened sessions) prevents."""
        return self._open(self._narrow if narrow_band else band.WIDE)

    @asynccontextmanager
    async def _open(self, line: Band) -> AsyncIterator[Hearing]:
        async with self._seats:
            hearing = PooledHearing(line, self, self._network)
            self._calls[line] += 1
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(hearing.run)
                    yield hearing
                    nursery.cancel_scope.cancel()
            finally:
                self._calls[line] -= 1
                if hearing.worker:
                    await self.discard(hearing.worker)

    async def learn(self, model: Callable[[], LanguageModel], *, narrow_band: bool = False) -> None:
        """Make the model, in a thread, and load it for such lines. Once only. Raises: RecogniserFailed."""
        self._files = await trio.to_thread.run_sync(lambda: _written(model(), self._folder))
        self._learnt.set()
        try:
            await self._ready(self._narrow if narrow_band else band.WIDE)
        except DecoderLost as lost:
            raise RecogniserFailed(
                "the speech recogniser does not start: its process ended before it was ready. "
                "Its own words are above. If a file is missing, run `just setup`; if memory is short, "
                "lower Max opened sessions (each needs about 50 MB)"
            ) from lost

    async def start_worker(self, line: Band) -> Worker:
        """For a call over such a line. Raises: DecoderLost."""
        loaded = await self._ready(line)
        try:
            worker = await loaded.worker()
        except DecoderLost as lost:  # it died while nobody looked, which is no utterance's fault
            _log.warning("recogniser loaded again", extra={"problem": str(lost)})
            await self._unload(line, loaded)
            worker = await (await self._ready(line)).worker()
        self._workers.add(worker)
        return worker

    async def discard(self, worker: Worker) -> None:
        await worker.kill()
        self._workers.discard(worker)

    async def kill_all(self) -> None:
        for worker in list(self._workers):
            await self.discard(worker)
        for line, loaded in list(self._loaded.items()):
            await self._unload(line, loaded)

    async def _ready(self, line: Band) -> Loaded:
        """Raises: DecoderLost."""
        await self._learnt.wait()
        async with self._loading:
            if line not in self._loaded:
                for other in [each for each in self._loaded if not self._calls[each]]:
                    await self._unload(other, self._loaded[other])
                loaded = self._loaded[line] = await Loaded.start(self._files, line)
                try:
                    await loaded.loaded()
                except BaseException:
                    await self._unload(line, loaded)
                    raise
            return self._loaded[line]

    async def _unload(self, line: Band, loaded: Loaded) -> None:
        await loaded.kill()
        if self._loaded.get(line) is loaded:
            del self._loaded[line]
