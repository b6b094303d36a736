"""The echo test: whoever calls hears themselves, half a second later, and the page shows how loud they came in."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import mul

from app.ports import FRAME_MS, Call, Ended, Frame

DELAY_MS = 500
"""Long enough to be told from one's own voice in the room, short enough to be waited for."""

TELL_EVERY_MS = 500
"""As often as a person looks at a level; a word is as long, so that the gaps between words do not make it dance."""

SILENT_DBFS = -96.0
"""Below the smallest step of a 16-bit sample: digital silence."""

_FULL_SCALE = 32_768


@dataclass(frozen=True, slots=True)
class Echoed:
    """`loudest_dbfs`: of the loudest half second heard; SILENT_DBFS where nothing came, not even noise."""

    ended: Ended
    loudest_dbfs: float


async def echo(call: Call, tell: Callable[[float], None]) -> Echoed:
    """Give back what the connected `call` hears until it ends. `tell` gets the loudness of each half second (dBFS).

    Holds 500 ms, besides what the mouth holds. While the line takes nothing of ours (on hold) we wait, and the oldest
    of what is heard meanwhile is lost, as `call.lost_frames` says.
    """
    delayed = deque([b""] * (DELAY_MS // FRAME_MS))
    level = Level()
    async for frame in call.ears():
        for loudness_dbfs in level.heard(frame):
            tell(loudness_dbfs)
        delayed.append(frame.pcm)
        await call.mouth.play(delayed.popleft())
    return Echoed(await call.ended(), level.loudest_dbfs)


class Level:
    """Frames in, the loudness of each half second of sound out."""

    def __init__(self) -> None:
        self.loudest_dbfs = SILENT_DBFS
        self._window: list[bytes] = []

    def heard(self, frame: Frame) -> Iterator[float]:
        self._window.append(frame.pcm)
        if len(self._window) * FRAME_MS < TELL_EVERY_MS:
            return
        loudness_dbfs = rms_dbfs(b"".join(self._window))
        self._window.clear()
        self.loudest_dbfs = max(self.loudest_dbfs, loudness_dbfs)
        yield loudness_dbfs


def rms_dbfs(pcm: bytes) -> float:
    """Loudness of 16-bit samples: 0.0 for a square wave at full scale (a sine is 3.0 below), SILENT_DBFS for silence
    and for no samples at all."""
    samples = array("h", pcm)
    return power_dbfs(sum(map(mul, samples, samples)) / (len(samples) or 1))


def power_dbfs(power: float) -> float:
    """The loudness of 16-bit samples whose squares are `power` on average."""
    return max(SILENT_DBFS, 10 * math.log10(power / _FULL_SCALE**2)) if power else SILENT_DBFS
