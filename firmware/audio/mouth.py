"""What is on its way to the caller, and how a clock thread and Trio wake each other."""

from __future__ import annotations

import threading
from typing import Protocol

import trio

from app.ports import BYTES_PER_MS, FRAME_BYTES, FRAME_MS

MOUTH_BYTES = 10 * FRAME_BYTES
"""200 ms: enough that a synthesiser's hiccup is not heard, little enough that `hush` is instant to a caller."""

SILENCE = bytes(FRAME_BYTES)


class Bell:
    """Wakes Trio tasks from any thread. `ring` is cheap, idempotent and never fails."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._lot = trio.lowlevel.ParkingLot()

    def ring(self) -> None:
        try:
            self._token.run_sync_soon(self._lot.unpark_all, idempotent=True)
        except trio.RunFinishedError:
            return  # nobody is left to wake: the process is on its way out

    async def wait(self) -> None:
        """Until the next ring. Check the condition first: there is no checkpoint between that check and this."""
        await self._lot.park()


class Ring(Protocol):
    """What is on its way to the caller. `hush` forgets it, and ends a hold; `hold` sends silence until it is off again;
    `settle`: nobody is in the middle of speaking."""

    def add(self, pcm: memoryview) -> int:
        """As many bytes as fit; somebody is speaking now."""

    def hush(self) -> None: ...

    def hold(self, on: bool) -> None: ...

    def settle(self) -> None: ...

    @property
    def queued_bytes(self) -> int: ...

    @property
    def played_bytes(self) -> int: ...

    @property
    def ticks(self) -> int: ...

    @property
    def underruns(self) -> int: ...


class OwnRing:
    """Implements Ring for a clock thread of Python's, and for the time before and after a call has its tap."""

    def __init__(self, played_bytes: int = 0, ticks: int = 0, underruns: int = 0) -> None:
        self.played_bytes, self.ticks, self.underruns = played_bytes, ticks, underruns
        self.is_speaking = self.is_holding = False
        self._lock = threading.Lock()  # held for microseconds, by Trio while adding and by the clock while taking
        self._queue = bytearray()

    @property
    def queued_bytes(self) -> int:
        return len(self._queue)

    def add(self, pcm: memoryview) -> int:
        with self._lock:
            fits = min(len(pcm), MOUTH_BYTES - len(self._queue))
            self._queue += pcm[:fits]
            self.is_speaking = True
        return fits

    def hush(self) -> None:
        with self._lock:
            self._queue.clear()
            self.is_speaking = self.is_holding = False

    def hold(self, on: bool) -> None:
        self.is_holding = on

    def settle(self) -> None:
        self.is_speaking = False

    def take(self) -> bytes:
        """The next 20 ms, filled up with silence. Clock thread, at most once per tick."""
        if self.is_holding:
            return SILENCE
        with self._lock:
            pcm = bytes(self._queue[:FRAME_BYTES])
            del self._queue[:FRAME_BYTES]
            self.played_bytes += len(pcm)
            if self.is_speaking and len(pcm) < FRAME_BYTES:
                self.underruns += 1
                self.is_speaking = False
        return pcm if len(pcm) == FRAME_BYTES else pcm + SILENCE[len(pcm) :]

    def pour_into(self, other: Ring) -> None:
        """Go on over there."""
        other.add(memoryview(bytes(self._queue)))
        if not self.is_speaking:
            other.settle()
        other.hold(self.is_holding)


class Mouth:
    """What the caller will hear: app.ports.Mouth over a ring that the clock thread empties.

    An underrun is a tick that finds less than a frame although somebody is in the middle of speaking, that is, between
    `play` and `drained` or `hush`: the caller hears a gap inside a sentence. Counted once per gap.
    """

    def __init__(self, bell: Bell, ring: Ring) -> None:
        self.ring = ring
        self._bell = bell
        self._closed = False

    async def play(self, pcm: bytes) -> None:
        """Queue any length of audio; return once its last part is queued. After the call's end: return at once."""
        view = memoryview(pcm)
        while view and not self._closed:
            view = view[self.ring.add(view) :]
            if view:
                await self._bell.wait()
        await trio.lowlevel.checkpoint()

    async def drained(self) -> None:
        """Return once everything queued has gone out to the line, or the call is over."""
        self.ring.settle()
        while self.ring.queued_bytes and not self._closed:
            await self._bell.wait()
        await trio.lowlevel.checkpoint()

    def hush(self) -> None:
        """Forget what is queued, and end a hold. Synchronous: safe while being cancelled."""
        self.ring.hush()
        self._bell.ring()

    def hold(self) -> None:
        """Keep what is queued, and say nothing until `release` or `hush`. Idempotent."""
        self.ring.hold(True)

    def release(self) -> None:
        """Go on where `hold` stopped. Without a hold, nothing happens."""
        self.ring.hold(False)

    @property
    def played_ms(self) -> int:
        """Audio given to `play` that has gone out so far (ms, whole call); silence that filled gaps not counted."""
        return self.ring.played_bytes // BYTES_PER_MS

    @property
    def clock_ms(self) -> int:
        """Milliseconds of audio since the call's media started."""
        return self.ring.ticks * FRAME_MS

    def close(self) -> None:
        """The call is over: whoever waits in `play` or `drained` returns."""
        self._closed = True
        self.hush()
