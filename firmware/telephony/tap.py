"""Where pjmedia's bridge meets `CallAudio`: the only code of ours on the clock thread.

Taps are never destroyed while the clock runs. Dropping one at the end of a call would race with a callback that
waits for the GIL, so a call's tap goes back to the rack and is used again. The rack is emptied at shutdown, after
the clock has stopped.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import pjsua2 as pj

from app.ports import FRAME_BYTES, SAMPLE_RATE_HZ
from firmware.audio.call_audio import SILENCE, CallAudio

REST_S = 0.1
"""Five ticks between two calls of one tap: the bridge disconnects asynchronously, at the start of a tick, and the
last frame of one caller must not reach the next."""


class Tap(pj.AudioMediaPort):  # type: ignore[misc]  # pjsua2 has no types
    """One port of the bridge: caller's frames in, agent's frames out, 16 kHz mono 20 ms.

    In each tick the bridge first asks for the agent's frame, if anybody listens, then delivers the caller's, empty
    if nobody talks. So the delivery is the clock.
    """

    def __init__(self, number: int, on_fault: Callable[[Exception], None]) -> None:
        super().__init__()
        self.audio: CallAudio | None = None
        self._on_fault = on_fault
        form = pj.MediaFormatAudio()
        form.type = pj.PJMEDIA_TYPE_AUDIO
        form.clockRate, form.channelCount, form.bitsPerSample, form.frameTimeUsec = SAMPLE_RATE_HZ, 1, 16, 20_000
        self.createPort(f"tap{number}", form)

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:  # noqa: N802
        try:
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
            audio = self.audio
            frame.buf.assign_from_bytes(audio.take() if audio else SILENCE)
            frame.size = FRAME_BYTES
        except Exception as fault:  # noqa: BLE001  # one that escapes from a callback pins the port and aborts us
            self._on_fault(fault)

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:  # noqa: N802
        try:
            audio = self.audio
            if audio is None:
                return
            caller = bytearray(frame.size)
            if caller:
                frame.buf.copy_to_bytearray(caller)
            audio.tick(bytes(caller))
        except Exception as fault:  # noqa: BLE001
            self._on_fault(fault)


class TapRack:
    """The taps of one endpoint: as many as calls were up at once so far."""

    def __init__(self, on_fault: Callable[[Exception], None]) -> None:
        self._on_fault = on_fault
        self._resting: deque[tuple[float, Tap]] = deque()
        self._made = 0

    def take(self, audio: CallAudio) -> Tap:
        rested = self._resting and time.monotonic() - self._resting[0][0] >= REST_S
        if rested:
            _, tap = self._resting.popleft()
        else:
            tap = Tap(self._made, self._on_fault)
            self._made += 1
        tap.audio = audio
        return tap

    def give_back(self, tap: Tap) -> None:
        tap.audio = None
        self._resting.append((time.monotonic(), tap))

    def clear(self) -> None:
        """Destroy all taps. Only once the clock has stopped."""
        self._resting.clear()
