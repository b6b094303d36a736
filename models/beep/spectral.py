"""A beep, by its spectrum: one steady tone of 400 to 2500 Hz for 120 ms or more, and then nothing.

Looked at are windows of 32 ms, one every 16 ms: how much of the sound is one tone, at which pitch and how loud. What
is taken for a tone in speech has neither one pitch nor one loudness for so long; in music the next note follows; a key
(DTMF) is two tones; and the tones of an exchange ("it rings", "busy") are known by their pitch or their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.beep import CHUNK_BYTES

Floats = npt.NDArray[np.float64]

_RATE_HZ: Final = 16_000
_WINDOW: Final = 512
_HOP: Final = 256
_HOP_MS: Final = 16
_HANN: Final = np.hanning(_WINDOW + 1)[:-1]
_HZ_PER_BIN: Final = _RATE_HZ / _WINDOW
_LOBE: Final = 2  # bins beside the peak that a tone between two bins reaches with this window


@dataclass(frozen=True, slots=True)
class BeepRule:
    """`purity`: share of the sound's power in one tone; 0.9 is a tone 10 dB above everything else. `loud_dbfs`: softer
    tones are hum and crosstalk. Over a run, pitch and loudness stay within `drift_hz` and `drift_db`.

    `windows`: whole windows of the tone in a row; a beep of 120 ms holds six, whatever its place. `longest_ms`: what
    lasts longer is a fax machine. Then `quiet_windows` must be `drop_db` softer than the tone: music and the three
    tones of "no such number" go on.
    """

    lowest_hz: float = 390.0
    highest_hz: float = 2550.0
    purity: float = 0.9
    loud_dbfs: float = -45.0
    drift_hz: float = 12.0
    drift_db: float = 1.5
    windows: int = 6
    longest_ms: int = 2_000
    drop_db: float = 12.0
    quiet_windows: int = 6
    fading_windows: int = 6


# Tones of exchanges (ITU-T E.180): 425 Hz in most of the world, 400 to 450 Hz in the rest, there for a second and more
# while it rings. A beep of 440 Hz is shorter than that.
_EXCHANGE_HZ = (415.0, 432.0)
_RINGING_HZ, _RINGING_MS = 500.0, 900


@dataclass(frozen=True, slots=True)
class _Window:
    hz: float
    purity: float
    dbfs: float


class SpectralBeeps:
    """See `models.beep.Beeps`. 60 µs for a chunk."""

    def __init__(self, rule: BeepRule = BeepRule()) -> None:
        self._rule = rule
        self._tail = np.zeros(_HOP)
        self._run: list[_Window] = []
        self._candidate: _Window | None = None  # a tone that was a beep, if nothing follows
        self._since = self._settled_windows + 1  # windows since the last tone of a beep's length
        self._quiet = 0

    @property
    def _settled_windows(self) -> int:
        """By then it is clear whether something follows a tone."""
        return self._rule.fading_windows + self._rule.quiet_windows

    def heard(self, chunk: bytes) -> bool:
        """See `models.beep.Beeps.heard`."""
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        samples = np.concatenate((self._tail, np.frombuffer(chunk, "<i2") / 32768))
        self._tail = samples[-_HOP:]
        windows = [samples[start : start + _WINDOW] for start in range(0, len(samples) - _WINDOW + 1, _HOP)]
        steps = [self._step(_looked_at(window)) for window in windows]
        return any(steps)

    def _step(self, window: _Window) -> bool:
        if self._goes_on(window):
            self._run.append(window)
            return False
        run, self._run = self._run, [window] if self._is_tone(window) else []
        self._since += 1
        if len(run) >= self._rule.windows:
            follows = self._since <= self._settled_windows
            self._candidate = None if follows or not self._is_beep(run) else run[len(run) // 2]
            self._since = self._quiet = 0
        return self._over(window)

    def _over(self, window: _Window) -> bool:
        """Whether it is quiet for long enough after a candidate; what is not quiet soon was none."""
        if self._candidate is None:
            return False
        self._quiet = self._quiet + 1 if window.dbfs <= self._candidate.dbfs - self._rule.drop_db else 0
        is_over = self._quiet >= self._rule.quiet_windows
        if is_over or self._since > self._settled_windows:
            self._candidate = None
        return is_over

    def _goes_on(self, window: _Window) -> bool:
        if not self._run or not self._is_tone(window):
            return False
        first = self._run[0]
        return abs(window.hz - first.hz) <= self._rule.drift_hz and abs(window.dbfs - first.dbfs) <= self._rule.drift_db

    def _is_tone(self, window: _Window) -> bool:
        within = self._rule.lowest_hz <= window.hz <= self._rule.highest_hz
        return within and window.purity >= self._rule.purity and window.dbfs >= self._rule.loud_dbfs

    def _is_beep(self, run: list[_Window]) -> bool:
        length_ms, hz = len(run) * _HOP_MS, float(np.mean([window.hz for window in run]))
        rings = hz <= _RINGING_HZ and length_ms >= _RINGING_MS
        return length_ms <= self._rule.longest_ms and not rings and not _EXCHANGE_HZ[0] <= hz <= _EXCHANGE_HZ[1]


def _looked_at(samples: Floats) -> _Window:
    """`samples`: one window, full scale at 1. A sine at full scale has -3 dBFS."""
    power = np.square(np.abs(np.fft.rfft(samples * _HANN)))
    whole = float(power[1:].sum()) + 1e-12  # without the direct current of a poor converter
    peak = int(np.argmax(power[1:])) + 1
    lobe = power[max(1, peak - _LOBE) : peak + _LOBE + 1]
    bins = np.arange(max(1, peak - _LOBE), peak + _LOBE + 1)[: len(lobe)]
    hz = float((bins * lobe).sum() / (lobe.sum() + 1e-12)) * _HZ_PER_BIN
    dbfs = 10 * np.log10(float(np.mean(np.square(samples))) + 1e-12)
    return _Window(hz, float(lobe.sum()) / whole, float(dbfs))
