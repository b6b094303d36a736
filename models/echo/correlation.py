"""Our own voice, found again in what comes in: by its waveform, and by its level.

The box knows what it sent, sample by sample. What comes back of it is later (20 to 300 ms), softer and coloured, and
still the same waveform: its correlation with what was sent is near 1 at one delay, whatever that is, while two people
who speak at once reach 0.3, seldom 0.5. A second person over the echo lowers it at once, in proportion to their level.

Soft ends of words drown in line noise and correlate with nothing. They are known by their level: an echo is softer
than what it is an echo of, by as much as it was where the waveform was clear. Where it never was, level tells nothing:
the first words of a caller who interrupts are soft too. And it was clear only where it came twice, as late each time,
in different sounds: the first milliseconds of a word after silence resemble some of our last half second by chance.

Everything at 8 kHz, since the telephone carries no more: 0.2 ms on x86, and only while somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.echo import CHUNK_BYTES

Floats = npt.NDArray[np.float64]

_CHUNK: Final = CHUNK_BYTES // 4  # samples at 8 kHz
_WINDOW: Final = 4 * _CHUNK  # 128 ms: a syllable
# 480 ms: an echo of 300 ms, and 100 ms for which the voice activity detector still hears a word that is over. A call
# over a satellite is out of reach.
_LONGEST_DELAY: Final = 15 * _CHUNK
_HISTORY: Final = _WINDOW + _LONGEST_DELAY
_TRANSFORM: Final = 4_860  # at least _HISTORY, of small prime factors
_SILENT: Final = 1e-7  # -70 dBFS, as power
# The distance from speaker to microphone changes by less than this, 1 ms; by chance, two delays agree once in 200.
_AS_LATE: Final = 8
_APART: Final = _WINDOW // _CHUNK  # chunks: windows that share no sound


@dataclass(frozen=True, slots=True)
class EchoRule:
    """`same`: from this correlation on, it is our voice. `clear`: from here on, its loss is learned.

    `loss_db`: how much softer than what was sent an echo is, until it is known better; acoustic echo is 20 dB and more
    below on any telephone that works. `margin_db`: an echo that is `loss_db` down on the whole may be that much louder
    in one syllable. `unlearn_db`: a chunk, for lines whose echo gets softer.
    """

    same: float = 0.55
    clear: float = 0.85
    loss_db: float = 20.0
    margin_db: float = 4.0
    unlearn_db: float = 0.05


class CorrelatedEcho:
    """See `models.echo.Echo`."""

    def __init__(self, rule: EchoRule = EchoRule()) -> None:
        self._rule = rule
        self._came, self._sent = np.zeros(_WINDOW), np.zeros(_HISTORY)
        self._loss_db: float | None = None  # no echo was heard so far
        self._fed = 0  # chunks
        self._clear: tuple[int, int] | None = None  # the delay of what may be one, and the first chunk that said so

    def feed(self, came: bytes, sent: bytes) -> None:
        """See `models.echo.Echo.feed`."""
        for history, chunk in ((self._came, came), (self._sent, sent)):
            history[:-_CHUNK] = history[_CHUNK:]
            history[-_CHUNK:] = _at_8_khz(chunk)
        self._fed += 1

    def explains(self) -> bool:
        """See `models.echo.Echo.explains`."""
        came, sent = _power(self._came[-_CHUNK:]), self._loudest_sent()
        if sent < _SILENT or came > sent:
            return False
        loss_db = 10 * float(np.log10(sent / (came + 1e-12)))
        likeness, delay = self._likeness()
        if likeness >= self._rule.clear and self._is_clear(delay):
            known = self._rule.loss_db if self._loss_db is None else self._loss_db + self._rule.unlearn_db
            self._loss_db = min(known, loss_db)
        return likeness >= self._rule.same or self._is_as_soft(loss_db)

    def _is_clear(self, delay: int) -> bool:
        """It was as late before, in another sound."""
        if self._clear is None or abs(delay - self._clear[0]) > _AS_LATE:
            self._clear = delay, self._fed
        return self._fed - self._clear[1] >= _APART

    def _is_as_soft(self, loss_db: float) -> bool:
        """As the echo of this line is. A line that never had one has softly spoken callers."""
        return self._loss_db is not None and loss_db >= self._loss_db - self._rule.margin_db

    def _loudest_sent(self) -> float:
        """The power of the loudest chunk that may come back now."""
        chunks = self._sent[-_LONGEST_DELAY:].reshape(-1, _CHUNK)
        return float(np.square(chunks).mean(axis=1).max())

    def _likeness(self) -> tuple[float, int]:
        """The largest correlation of what came last with what was sent, over all delays: 0 to 1; and where that is."""
        came, sent = _whitened(self._came), _whitened(self._sent)
        product = np.fft.rfft(sent, _TRANSFORM) * np.conj(np.fft.rfft(came, _TRANSFORM))
        correlation = np.abs(np.fft.irfft(product, _TRANSFORM)[: _LONGEST_DELAY + 1])
        energy = np.concatenate(([0.0], np.cumsum(np.square(sent))))
        energies = (energy[_WINDOW:] - energy[:-_WINDOW])[: len(correlation)]
        # Where hardly anything was sent, the quotient would be noise by noise.
        floor = np.maximum(energies, 1e-3 * energies.max())
        likeness = correlation / np.sqrt(floor * (came @ came) + 1e-18)
        # Above 1, but for rounding, it is noise by a window in which nothing was sent: once, in a pause of ours, it was
        # taken for a clear echo 5 dB down, and from then on every caller of that call was one.
        likeness[likeness > 1.01] = 0.0
        best = int(likeness.argmax())
        return float(likeness[best]), best


def _at_8_khz(chunk: bytes) -> Floats:
    if len(chunk) != CHUNK_BYTES:
        raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
    samples = np.frombuffer(chunk, "<i2").astype(np.float64)
    return np.asarray((samples[0::2] + samples[1::2]) / 65_536)


def _power(samples: Floats) -> float:
    return float(samples @ samples) / len(samples)


def _whitened(samples: Floats) -> Floats:
    """With less of the low tones that all voices share."""
    return np.append(samples[:1], samples[1:] - 0.9 * samples[:-1])
