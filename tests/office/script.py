"""What a scripted caller does in a call, and how it tells that the agent speaks.

A script is data (JSON), so that demo and benches can hand it to a caller in another process. Each wait has its
time-out; a caller that waited in vain says so and hangs up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from app.ports import FRAME_MS

# RMS of a 20 ms frame, -50 dBFS: speech on the telephone lies around -25, a quantised silence below -70.
SPEECH_RMS = 104.0


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Listen(Model):
    """Wait until the agent has said something, and then nothing for `quiet_ms`."""

    do: Literal["listen"] = "listen"
    quiet_ms: int = Field(default=800, ge=FRAME_MS)
    timeout_s: float = 20.0


class Say(Model):
    """Play a 16 kHz mono WAV. `name` comes back in the events."""

    do: Literal["say"] = "say"
    wav: Path
    name: str = ""


class Interrupt(Model):
    """Once the agent has been speaking for `after_ms`, play a WAV over it."""

    do: Literal["interrupt"] = "interrupt"
    wav: Path
    name: str = ""
    after_ms: int = Field(default=1500, ge=0)
    timeout_s: float = 20.0


class Pause(Model):
    do: Literal["pause"] = "pause"
    ms: int = Field(ge=0)


class HangUp(Model):
    do: Literal["hang up"] = "hang up"


class AwaitEnd(Model):
    """Wait until the agent hangs up."""

    do: Literal["await end"] = "await end"
    timeout_s: float = 20.0


Step = Annotated[Listen | Say | Interrupt | Pause | HangUp | AwaitEnd, Field(discriminator="do")]


class Script(Model):
    """One call: who calls whom through which PBX, and what happens in it.

    `pbx` is a host with a port, as in a SIP domain. With `repeat_s` the steps begin again until that time is over.
    RTP uses the two ports from `rtp_port` on.
    """

    pbx: str
    user: str
    dial: str
    steps: tuple[Step, ...]
    codecs: tuple[str, ...] = ("G722", "PCMU")
    rtp_port: int = 22_900
    repeat_s: float = 0.0
    answer_timeout_s: float = 15.0


class AgentVoice:
    """Frames of the agent in, how long it has been speaking or silent out. Pure: time is in the frames.

    Pauses shorter than `BRIDGED_MS` belong to the speech around them.
    """

    BRIDGED_MS = 400

    def __init__(self) -> None:
        self._now_ms = 0
        self._began_ms: int | None = None
        self._voiced_ms: int | None = None
        self._mark_ms = 0

    def feed(self, at_ms: int, pcm: bytes) -> None:
        self._now_ms = at_ms + FRAME_MS
        if rms(pcm) < SPEECH_RMS:
            return
        if self._voiced_ms is None or at_ms - self._voiced_ms >= self.BRIDGED_MS:
            self._began_ms = at_ms
        self._voiced_ms = self._now_ms

    def mark(self) -> None:
        """What the agent said before now does not count any more for `spoke`."""
        self._mark_ms = self._now_ms

    @property
    def spoke(self) -> bool:
        return self._voiced_ms is not None and self._voiced_ms > self._mark_ms

    @property
    def quiet_ms(self) -> int:
        """Since the agent's last sound."""
        return self._now_ms - (self._voiced_ms or 0)

    @property
    def speaking_ms(self) -> int:
        """How long the agent has been speaking; 0 when it is silent."""
        if self._began_ms is None or self.quiet_ms >= self.BRIDGED_MS:
            return 0
        return self._now_ms - self._began_ms


def rms(pcm: bytes) -> float:
    """Of 16-bit samples; 0 for none."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
