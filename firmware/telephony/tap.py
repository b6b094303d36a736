"""Where pjmedia's bridge meets `CallAudio`. The clock thread never runs Python: it would wait for the GIL, and for
whoever lost their core while they had it. Both sides meet in a ring of C++ (image/pjsua2/patches), and Trio is woken.

Taps are never destroyed while the clock runs, but go back to the rack, and are used again. The rack is emptied at
shutdown, after the clock has stopped.
"""

from __future__ import annotations

import os
import struct
import time
from collections import deque

import pjsua2 as pj
import trio

from app.ports import FRAME_BYTES, SAMPLE_RATE_HZ
from firmware.audio.call_audio import CallAudio, Durations
from firmware.audio.mouth import MOUTH_BYTES

REST_S = 0.1
"""Five ticks between two calls of one tap: the bridge disconnects asynchronously, at the start of a tick, and the
last frame of one caller must not reach the next."""

_HEAD = struct.Struct("=QII")
_RECORD_BYTES = _HEAD.size + 2 * FRAME_BYTES
_AT_ONCE = 25
"""Records: half a second. The ring holds two, which is how long the Trio thread may stand still before audio is lost.
"""


class Tap:
    """One port of the bridge: caller's frames in, agent's frames out, 16 kHz mono 20 ms. Implements
    firmware.audio.mouth.Ring.

    In each tick the bridge first asks for the agent's frame, if anybody listens, then delivers the caller's, empty
    if nobody talks. So the delivery is the clock.
    """

    def __init__(self, port: pj.AudioRing) -> None:
        self.port = port
        self._records = bytearray(_AT_ONCE * _RECORD_BYTES)
        self._audio: CallAudio | None = None

    def begin(self, audio: CallAudio, event_fd: int) -> None:
        self.port.open(event_fd)
        self._audio = audio
        audio.go_on_in(self)

    def end(self) -> None:
        if self._audio:
            self._audio.come_back()
            self._audio = None
        self.port.close()

    def deliver(self, delays: Durations) -> None:
        """Hand over what went by since the last time, and note how long the oldest of it has waited."""
        audio = self._audio
        while audio and (size := self.port.drain(self._records)):
            at_us, _, _ = _HEAD.unpack_from(self._records)
            delays.note(time.monotonic_ns() / 1e6 - at_us / 1e3)
            for start in range(0, size, _RECORD_BYTES):
                _, number, gap_us = _HEAD.unpack_from(self._records, start)
                both = bytes(self._records[start + _HEAD.size : start + _RECORD_BYTES])
                audio.went_by(number, gap_us / 1000, both[:FRAME_BYTES], both[FRAME_BYTES:])
            audio.wake()

    def add(self, pcm: memoryview) -> int:
        return int(self.port.add(pcm, MOUTH_BYTES))

    def hush(self) -> None:
        self.port.hush()

    def hold(self, on: bool) -> None:
        self.port.hold(on)

    def settle(self) -> None:
        self.port.settle()

    @property
    def queued_bytes(self) -> int:
        return int(self.port.queuedBytes())

    @property
    def played_bytes(self) -> int:
        return int(self.port.playedBytes())

    @property
    def ticks(self) -> int:
        return int(self.port.ticks())

    @property
    def underruns(self) -> int:
        return int(self.port.underruns())


class TapRack:
    """The taps of one endpoint: as many as calls were up at once so far. `delays`: from a tick until the Trio thread
    got what was said in it; what holds the GIL or the loop shows there."""

    def __init__(self) -> None:
        self.delays = Durations()
        self._event_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._resting: deque[tuple[float, Tap]] = deque()
        self._used: set[Tap] = set()
        self._made = 0

    async def run(self) -> None:
        """Hand over what goes by, until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._event_fd)
            os.eventfd_read(self._event_fd)
            self.deliver()

    def deliver(self) -> None:
        """Hand over what went by, in all calls."""
        for tap in self._used:
            tap.deliver(self.delays)

    def take(self, audio: CallAudio) -> Tap:
        rested = self._resting and time.monotonic() - self._resting[0][0] >= REST_S
        if rested:
            _, tap = self._resting.popleft()
        else:
            tap = Tap(_port(f"tap{self._made}"))
            self._made += 1
        self._used.add(tap)
        tap.begin(audio, self._event_fd)
        return tap

    def give_back(self, tap: Tap) -> None:
        self._used.discard(tap)
        tap.end()
        self._resting.append((time.monotonic(), tap))

    def clear(self) -> None:
        """Destroy all taps. Only once the clock has stopped."""
        self._used.clear()
        self._resting.clear()
        os.close(self._event_fd)


def _port(name: str) -> pj.AudioRing:
    port = pj.AudioRing()
    form = pj.MediaFormatAudio()
    form.type = pj.PJMEDIA_TYPE_AUDIO
    form.clockRate, form.channelCount, form.bitsPerSample, form.frameTimeUsec = SAMPLE_RATE_HZ, 1, 16, 20_000
    port.createPort(name, form)
    return port
