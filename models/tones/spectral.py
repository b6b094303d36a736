"""Keys by their two tones: one of four low pitches and one of four high ones, and nothing else beside them.

Looked at are windows of 26 ms, one every 16 ms. Speech has two such pitches now and then, and never alone: so nearly
all of the sound's power must lie in the two, and they must stay for two windows. Telephones press for 65 ms and longer;
ITU-T Q.24 asks for 40.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.tones import CHUNK_BYTES

Floats = npt.NDArray[np.float64]

_RATE_HZ: Final = 16_000
_WINDOW: Final = 410  # bins of 39 Hz: rows are 73 Hz apart and more
_HOP: Final = 256
_ROWS: Final = (697, 770, 852, 941)
_COLUMNS: Final = (1209, 1336, 1477, 1633)
_KEYS: Final = ("123A", "456B", "789C", "*0#D")
_HANN: Final = np.hanning(_WINDOW + 1)[:-1]
_TIMES: Final = np.arange(_WINDOW) / _RATE_HZ
_WAVES: Final = _HANN * np.exp(-2j * np.pi * np.outer((*_ROWS, *_COLUMNS), _TIMES))
# A tone's power in the window, from the square of its sum with its wave.
_SCALE: Final = 2 * float(np.sum(_HANN**2)) / float(np.sum(_HANN)) ** 2
_SILENT: Final = _WINDOW * 3 / 8 * 10 ** (-45 / 10)  # the power of -45 dBFS under this window


@dataclass(frozen=True, slots=True)
class ToneRule:
    """`purity`: share of the sound's power in the two tones; `twist_db`: how much louder one may be than the other;
    `windows`: in a row for a press, and without it for the end of one."""

    purity: float = 0.7
    twist_db: float = 9.0
    windows: int = 2


class SpectralTones:
    """See `models.tones.KeyTones`."""

    def __init__(self, rule: ToneRule = ToneRule()) -> None:
        self._rule = rule
        self._heard = np.zeros(_WINDOW)
        self._last, self._run, self._pressed, self._quiet = "", 0, "", 0
        self.sounding = False

    def feed(self, chunk: bytes) -> str:
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        came = np.frombuffer(chunk, "<i2").astype(np.float64) / 32_768
        self.sounding, told = False, ""
        for begin in range(0, len(came), _HOP):
            self._heard = np.concatenate((self._heard, came[begin : begin + _HOP]))[-_WINDOW:]
            key = self._key()
            self.sounding = self.sounding or bool(key)
            told = self._press(key) or told
        return told

    def _press(self, key: str) -> str:
        self._run = self._run + 1 if key and key == self._last else int(bool(key))
        self._last = key
        self._quiet = 0 if key == self._pressed else self._quiet + 1
        if self._quiet >= self._rule.windows:
            self._pressed = ""
        if self._run < self._rule.windows or key == self._pressed:
            return ""
        self._pressed, self._quiet = key, 0
        return key

    def _key(self) -> str:
        power = float(np.sum((self._heard * _HANN) ** 2))
        if power < _SILENT:
            return ""
        tones: Floats = np.abs(_WAVES @ self._heard) ** 2 * _SCALE
        row, column = int(np.argmax(tones[:4])), int(np.argmax(tones[4:]))
        low, high = float(tones[row]), float(tones[4 + column])
        twisted = abs(10 * np.log10(max(low, 1e-12) / max(high, 1e-12))) > self._rule.twist_db
        return "" if twisted or low + high < self._rule.purity * power else _KEYS[row][column]
