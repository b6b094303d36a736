"""The audio of one call, between a clock thread and Trio: pjmedia's on the telephone, ours at the handset.

At the handset, the clock thread calls `take` every 20 ms for what the agent says, then `tick` with what the caller said
meanwhile. These only copy, append and wake. On the telephone, both sides meet in a ring of pjsua2's (see
firmware/telephony/tap.py), and the Trio thread hands over here what went by: `went_by`.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import trio

from app.ports import FRAME_BYTES, FRAME_MS, Frame
from firmware.audio.mouth import SILENCE, Bell, Mouth, OwnRing, Ring

EARS_FRAMES = 25
"""0.5 s. Live audio that is older than that is of no use to a conversation: the oldest is dropped and counted."""

RECORDER_FRAMES = 500
"""10 s. A recording may lag behind a busy disk or a full SD card's write pause; beyond that, drop oldest, count."""


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


class Durations:
    """How long something took each time: the longest exactly, the rest in steps of a quarter millisecond."""

    STEP_MS = 0.25
    TOP_MS = 1000  # longer ones count as this in `quantile_ms`; `max_ms` has them exactly

    def __init__(self) -> None:
        self.count = 0
        self.max_ms = 0.0
        self._steps = array("Q", bytes(8 * (int(self.TOP_MS / self.STEP_MS) + 1)))

    def note(self, took_ms: float) -> None:
        self.count += 1
        self.max_ms = max(self.max_ms, took_ms)
        self._steps[int(min(took_ms, self.TOP_MS) / self.STEP_MS)] += 1

    def quantile_ms(self, share: float) -> float:
        """What `share` (0 to 1) of all did not exceed, rounded up to a step; 0.0 without any."""
        wanted, seen = share * self.count, 0
        for step, count in enumerate(self._steps):
            seen += count
            if count and seen >= wanted:
                return min((step + 1) * self.STEP_MS, self.max_ms)
        return 0.0


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


class CallAudio:
    """Both directions of one call. Made on the Trio thread; `take` and `tick` run on the clock thread."""

    def __init__(self, endpoint_gaps: Durations | None = None, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._bell = Bell()
        self._own_ring = OwnRing()
        self.mouth = Mouth(self._bell, self._own_ring)
        self.gaps = Durations()
        self.lost_frames = 0
        self.recorder_lost_frames = 0
        self._all_gaps = endpoint_gaps
        self._now_ns, self._last_tick_ns = now_ns, 0
        self._ears: deque[Frame] = deque(maxlen=EARS_FRAMES)
        self._pairs: deque[Pair] | None = None
        self._closed = False
        self._agent = SILENCE
        self._expected = 0

    def take(self) -> bytes:
        """What the agent says in this tick. Not called while the line takes no audio of ours (on hold)."""
        self._agent = self._own_ring.take()
        return self._agent

    def tick(self, caller: bytes) -> None:
        """20 ms went by, in which the caller said `caller` (empty: nothing arrived)."""
        now_ns, last_ns = self._now_ns(), self._last_tick_ns
        self._last_tick_ns = now_ns
        number, agent, self._agent = self._own_ring.ticks, self._agent, SILENCE
        self._own_ring.ticks += 1
        caller = caller if len(caller) == FRAME_BYTES else SILENCE
        self.went_by(number, (now_ns - last_ns) / 1e6 if last_ns else 0.0, caller, agent)
        self.wake()

    def went_by(self, number: int, gap_ms: float, caller: bytes, agent: bytes) -> None:
        """Tick `number` of the call, `gap_ms` after the one before (0: there was none), with what both said in it.
        Numbers that are left out were lost. One thread: the clock's, or Trio's."""
        if gap_ms:
            self._note_gap(gap_ms)
        lost, self._expected = number - self._expected, number + 1
        at_ms = number * FRAME_MS
        self.lost_frames += lost + (len(self._ears) == EARS_FRAMES)
        self._ears.append(Frame(at_ms, caller, agent))
        if self._pairs is not None:
            self.recorder_lost_frames += lost + (len(self._pairs) == RECORDER_FRAMES)
            self._pairs.append(Pair(at_ms, caller, agent))

    def wake(self) -> None:
        """Whoever waits for what went by. From any thread."""
        self._bell.ring()

    def go_on_in(self, ring: Ring) -> None:
        """The clock is another one from here on, before its first tick."""
        self._own_ring.pour_into(ring)
        self.mouth.ring = ring

    def come_back(self) -> None:
        """After the last tick: the ring goes to somebody else, and what it counted stays here."""
        ring = self.mouth.ring
        self._own_ring = OwnRing(ring.played_bytes, ring.ticks, ring.underruns)
        self.mouth.ring = self._own_ring

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
            underruns=self.mouth.ring.underruns,
            gap_max_ms=self.gaps.max_ms,
            gap_p999_ms=self.gaps.quantile_ms(0.999),
        )

    def _note_gap(self, gap_ms: float) -> None:
        self.gaps.note(gap_ms)
        if self._all_gaps is not None:
            self._all_gaps.note(gap_ms)
