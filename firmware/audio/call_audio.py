"""The audio of one call, between a clock thread and Trio: pjmedia's on the telephone, ours at the handset.

Every 20 ms the clock thread calls `take` for what the agent says, then `tick` with what the caller said meanwhile.
These only copy, append and wake. Everything else happens on the Trio thread.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import trio

from app.ports import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, Frame

EARS_FRAMES = 25
"""0.5 s. Live audio that is older than that is of no use to a conversation: the oldest is dropped and counted."""

RECORDER_FRAMES = 500
"""10 s. A recording may lag behind a busy disk or a full SD card's write pause; beyond that, drop oldest, count."""

MOUTH_BYTES = 10 * FRAME_BYTES
"""200 ms: enough that a synthesiser's hiccup is not heard, little enough that `hush` is instant to a caller."""

SILENCE = bytes(FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class Pair:
    """20 ms of both sides of the line. `at_ms` is the start of the frame; a jump in it means lost frames."""

    at_ms: int
    caller: bytes
    agent: bytes


@runtime_checkable
class TwoSided(Protocol):
    """A call that can be recorded."""

    def both(self) -> AsyncIterator[Pair]:
        """Both sides from now on, frame by frame, until the call has ended. One reader."""


@dataclass(frozen=True, slots=True)
class AudioStats:
    """What went wrong with the audio of one call, and how punctual its clock was."""

    lost_frames: int
    recorder_lost_frames: int
    underruns: int
    gap_max_ms: float
    gap_p999_ms: float


class TickGaps:
    """How long the audio callbacks were apart: the largest exactly, the rest in steps of a quarter millisecond.

    Nominal is 20 ms. What the RTP stream suffers when something holds the GIL shows here first.
    """

    STEP_MS = 0.25
    TOP_MS = 1000  # gaps beyond count as this in `quantile_ms`; `max_ms` has them exactly

    def __init__(self) -> None:
        self.count = 0
        self.max_ms = 0.0
        self._steps = array("Q", bytes(8 * (int(self.TOP_MS / self.STEP_MS) + 1)))

    def note(self, gap_ms: float) -> None:
        self.count += 1
        self.max_ms = max(self.max_ms, gap_ms)
        self._steps[int(min(gap_ms, self.TOP_MS) / self.STEP_MS)] += 1

    def quantile_ms(self, share: float) -> float:
        """The gap that `share` (0 to 1) of all gaps did not exceed, rounded up to a step; 0.0 without any."""
        wanted, seen = share * self.count, 0
        for step, count in enumerate(self._steps):
            seen += count
            if count and seen >= wanted:
                return min((step + 1) * self.STEP_MS, self.max_ms)
        return 0.0


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


T = TypeVar("T")


class Reader(Generic[T]):
    """What is in a queue, as it comes, until it is empty and closed. Nothing to clean up when left early."""

    def __init__(self, queue: deque[T], bell: Bell, is_closed: Callable[[], bool]) -> None:
        self._queue, self._bell, self._is_closed = queue, bell, is_closed

    def __aiter__(self) -> Reader[T]:
        return self

    async def __anext__(self) -> T:
        await trio.lowlevel.checkpoint()
        while not self._queue:
            if self._is_closed():
                raise StopAsyncIteration
            await self._bell.wait()
        return self._queue.popleft()


class Mouth:
    """What the caller will hear: app.ports.Mouth over a byte ring that the clock thread empties."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._lock = threading.Lock()  # held for microseconds, by Trio while adding and by the clock while taking
        self._queue = bytearray()
        self._played_bytes = 0
        self._ticks = 0
        self._speaking = False
        self._holding = False
        self._closed = False
        self.underruns = 0

    async def play(self, pcm: bytes) -> None:
        """Queue any length of audio; return once its last part is queued. After the call's end: return at once."""
        view = memoryview(pcm)
        while view and not self._closed:
            view = view[self._add(view) :]
            if view:
                await self._bell.wait()
        await trio.lowlevel.checkpoint()

    async def drained(self) -> None:
        """Return once everything queued has gone out to the line, or the call is over."""
        self._speaking = False
        while self._queue and not self._closed:
            await self._bell.wait()
        await trio.lowlevel.checkpoint()

    def hush(self) -> None:
        """Forget what is queued, and end a hold. Synchronous: safe while being cancelled."""
        with self._lock:
            self._queue.clear()
            self._speaking = self._holding = False
        self._bell.ring()

    def hold(self) -> None:
        """Keep what is queued, and say nothing until `release` or `hush`. Idempotent."""
        self._holding = True

    def release(self) -> None:
        """Go on where `hold` stopped. Without a hold, nothing happens."""
        self._holding = False

    @property
    def played_ms(self) -> int:
        """Audio given to `play` that has gone out so far (ms, whole call); silence that filled gaps not counted."""
        return self._played_bytes // BYTES_PER_MS

    @property
    def clock_ms(self) -> int:
        """Milliseconds of audio since the call's media started."""
        return self._ticks * FRAME_MS

    def take(self) -> bytes:
        """The next 20 ms, filled up with silence. Clock thread, at most once per tick.

        An underrun is a tick that finds less than a frame although somebody is in the middle of speaking, that is,
        between `play` and `drained` or `hush`: the caller hears a gap inside a sentence. Counted once per gap.
        """
        if self._holding:
            return SILENCE
        with self._lock:
            pcm = bytes(self._queue[:FRAME_BYTES])
            del self._queue[:FRAME_BYTES]
            self._played_bytes += len(pcm)
            if self._speaking and len(pcm) < FRAME_BYTES:
                self.underruns += 1
                self._speaking = False
        return pcm if len(pcm) == FRAME_BYTES else pcm + SILENCE[len(pcm) :]

    def advance(self) -> None:
        """20 ms of the call went by. Clock thread."""
        self._ticks += 1

    def close(self) -> None:
        """The call is over: whoever waits in `play` or `drained` returns."""
        self._closed = True
        self.hush()

    def _add(self, pcm: memoryview) -> int:
        with self._lock:
            fits = min(len(pcm), MOUTH_BYTES - len(self._queue))
            self._queue += pcm[:fits]
            self._speaking = True
        return fits


class CallAudio:
    """Both directions of one call. Made on the Trio thread; `tick` runs on the clock thread."""

    def __init__(self, endpoint_gaps: TickGaps | None = None, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._bell = Bell()
        self.mouth = Mouth(self._bell)
        self.gaps = TickGaps()
        self.lost_frames = 0
        self.recorder_lost_frames = 0
        self._all_gaps = endpoint_gaps
        self._now_ns, self._last_tick_ns = now_ns, 0
        self._ears: deque[Frame] = deque(maxlen=EARS_FRAMES)
        self._pairs: deque[Pair] | None = None
        self._closed = False
        self._agent = SILENCE

    def take(self) -> bytes:
        """What the agent says in this tick. Not called while the line takes no audio of ours (on hold)."""
        self._agent = self.mouth.take()
        return self._agent

    def tick(self, caller: bytes) -> None:
        """20 ms went by, in which the caller said `caller` (empty: nothing arrived)."""
        self._note_gap()
        at_ms, agent, self._agent = self.mouth.clock_ms, self._agent, SILENCE
        caller = caller if len(caller) == FRAME_BYTES else SILENCE
        self.mouth.advance()
        self.lost_frames += len(self._ears) == EARS_FRAMES
        self._ears.append(Frame(at_ms, caller, agent))
        if self._pairs is not None:
            self.recorder_lost_frames += len(self._pairs) == RECORDER_FRAMES
            self._pairs.append(Pair(at_ms, caller, agent))
        self._bell.ring()

    def close(self) -> None:
        """The call is over: readers get what is left, then the end. Trio thread, after the last tick."""
        self._closed = True
        self.mouth.close()

    def ears(self) -> AsyncIterator[Frame]:
        """The caller's side, oldest first, until the call is over. One reader."""
        return Reader(self._ears, self._bell, self._is_closed)

    def both(self) -> AsyncIterator[Pair]:
        """Both sides from now on, for a recording, until the call is over. One reader."""
        self._pairs = deque(maxlen=RECORDER_FRAMES)
        return Reader(self._pairs, self._bell, self._is_closed)

    def _is_closed(self) -> bool:
        return self._closed

    @property
    def stats(self) -> AudioStats:
        return AudioStats(
            lost_frames=self.lost_frames,
            recorder_lost_frames=self.recorder_lost_frames,
            underruns=self.mouth.underruns,
            gap_max_ms=self.gaps.max_ms,
            gap_p999_ms=self.gaps.quantile_ms(0.999),
        )

    def _note_gap(self) -> None:
        now_ns, last_ns = self._now_ns(), self._last_tick_ns
        self._last_tick_ns = now_ns
        if last_ns:
            gap_ms = (now_ns - last_ns) / 1e6
            self.gaps.note(gap_ms)
            if self._all_gaps is not None:
                self._all_gaps.note(gap_ms)
