"""One call's side of a worker: keeps the utterance, hands it over, mends crashes."""

from __future__ import annotations

import logging
from typing import Final, Protocol

import trio

from models.stt import SAMPLE_RATE_HZ, Heard
from models.stt.band import Band
from models.stt.dither import Dither
from models.stt.noise import Network, NoiseSuppressor
from models.stt.process import LARGEST_PAYLOAD, DecoderLost
from models.stt.worker import Worker

_log = logging.getLogger(__name__)

# Nobody is listened to for longer at a stretch: what a caller says after a minute without a pause is left out.
# 1.9 MB, and the longest that a new process has to catch up with (15 s on x86).
LONGEST_UTTERANCE_S: Final = 60
_LONGEST_BYTES: Final = LONGEST_UTTERANCE_S * SAMPLE_RATE_HZ * 2
# An utterance that brings down two processes would bring down a third.
_ATTEMPTS: Final = 2
_BLOCK_BYTES: Final = LARGEST_PAYLOAD // 2 * 2


class WorkerSource(Protocol):
    async def start_worker(self, line: Band) -> Worker: ...

    async def discard(self, worker: Worker) -> None: ...


class PooledHearing:
    """Implements models.stt.Hearing. `run` has to be running for as long as it is used."""

    def __init__(self, line: Band, source: WorkerSource, network: Network) -> None:
        """`network`: what takes the noise out of narrow-band audio."""
        self.worker: Worker | None = None  # not there yet, or lost
        self._line, self._source, self._network = line, source, network
        self._dither = Dither() if line.dithered else None
        self._suppressor: NoiseSuppressor | None = None
        self._utterance = bytearray()
        self._expected = ""
        self._dropped_bytes = 0
        self._begun = 0  # counts begins and re-beginnings, so that `run` sees that the worker has another one
        self._hurried = False  # the worker is to begin with what it holds back
        self._wanted = False  # somebody waits for the result
        self._result: Heard | None = None
        self._finishing = trio.CancelScope()
        self._changed = trio.Event()
        self._answered = trio.Event()

    async def begin(self, expected: str = "") -> None:
        self._utterance.clear()
        self._suppressor = NoiseSuppressor(self._network) if self._line.dithered else None
        self._expected = expected
        self._start_over()
        await trio.lowlevel.checkpoint()

    async def feed(self, pcm: bytes) -> None:
        if len(pcm) % 2:
            raise ValueError(f"half a sample: {len(pcm)} bytes of 16-bit audio")
        if self._wanted:
            self._start_over()  # the engine's utterance was ended by `finish`: all of it is decoded again
        self._take(self._suppressor.added(pcm) if self._suppressor else pcm)
        await trio.lowlevel.checkpoint()

    async def hurry(self) -> None:
        self._take(self._suppressor.caught_up() if self._suppressor else b"")
        self._hurried = True
        self._notify()
        await trio.lowlevel.checkpoint()

    async def finish(self) -> Heard:
        if not self._wanted:
            self._take(self._suppressor.caught_up() if self._suppressor else b"")
        self._wanted = True
        self._notify()
        while not self._result:
            await self._answered.wait()
        return self._result

    async def run(self) -> None:
        """Hand the call's audio to its worker. Ends by being cancelled."""
        attempts, at_begun = 0, -1
        while True:
            if at_begun != self._begun:
                attempts, at_begun = 0, self._begun
            try:
                if not self.worker:
                    self.worker = await self._source.start_worker(self._line)
                await self._hand_over(self.worker)
            except DecoderLost as lost:
                _log.warning("recogniser lost", extra={"problem": str(lost), "attempt": attempts + 1})
                await self._lose_worker()
                attempts += 1
            if attempts >= _ATTEMPTS and at_begun == self._begun:  # or else what brought them down is over
                await self._give_up()

    def _take(self, pcm: bytes) -> None:
        """More of the utterance, as the worker is to hear it."""
        room = _LONGEST_BYTES - len(self._utterance)
        self._utterance += (self._dither.added_to(pcm) if self._dither else pcm)[:room]
        self._notify()

    def _start_over(self) -> None:
        self._begun += 1
        self._finishing.cancel()  # the worker does not go on with what nobody waits for any more
        self._hurried, self._wanted, self._result = False, False, None
        self._notify()

    def _notify(self) -> None:
        self._changed.set()

    async def _hand_over(self, worker: Worker) -> None:
        """Hand over one utterance, from its beginning until another one begins."""
        begun, sent = self._begun, 0
        await worker.begin(self._expected)
        while begun == self._begun:
            if sent < len(self._utterance):
                block = bytes(self._utterance[sent : sent + _BLOCK_BYTES])
                await worker.feed(block)
                sent += len(block)
            elif self._hurried and not self._wanted:
                self._hurried = False
                await worker.hurry()
            elif self._wanted and not self._result:
                self._finishing = trio.CancelScope()
                await worker.finish()  # seconds where the socket is full; half a message must not be left in it
                with self._finishing:
                    self._answer(await worker.heard(), begun)
            else:
                await self._wait_for_change()

    def _answer(self, heard: Heard, begun: int) -> None:
        if begun == self._begun:
            self._result = heard
            self._answered.set()
            self._answered = trio.Event()

    async def _wait_for_change(self) -> None:
        self._changed = trio.Event()
        await self._changed.wait()

    async def _lose_worker(self) -> None:
        worker, self.worker = self.worker, None
        if worker:
            await self._source.discard(worker)

    async def _give_up(self) -> None:
        """Nothing was understood: wait until it is asked for, and until another utterance begins."""
        begun = self._begun
        while begun == self._begun:
            if self._wanted and not self._result:
                self._answer(Heard("", ""), begun)
            await self._wait_for_change()
