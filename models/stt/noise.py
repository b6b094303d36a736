"""Noise taken out of what a caller says, before the recogniser hears it.

The acoustic model learned from clean recordings. White noise 15 dB below a voice doubles its word errors, since it
fills every valley of the spectrum, and the engine's own noise removal (a tracker of each band's floor) helps little. So
a small network looks at a stretch of the spectrum, 32 bands wide and 100 ms long, and at the floor that each band had
so far, and says by how much each band is to be turned down. In quiet it changes next to nothing. README.md has the
measurements, train_noise_network/ makes the network.

An utterance is a thing of its own: what is learned of its noise begins with what was heard before its onset, so that
the same recording is heard the same way twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models.stt import SAMPLE_RATE_HZ
from models.stt.dither import SIGMA

Floats = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]

BANDS: Final = 32
# Frames of 20 ms every 10 ms; the roots of a Hann window add up to one when they are laid over each other twice.
WINDOW, HOP = 320, 160
# The network sees so many frames before and after the one it speaks of, 10 ms each.
PAST: Final = 7
FUTURE: Final = 2
# What the floor begins with is the mean of so many frames; the turn-taking hands over 320 ms from before an onset.
FIRST_FRAMES: Final = 12
# Frames taken at a time: numpy costs the same for one as for twelve, and nobody waits for 120 ms of speech in progress.
BATCH: Final = 12

# Frames of one product of matrices: from four on, numpy's library wakes threads for it, and the audio would wait for a
# core that they have not got.
_PIECE: Final = 3

_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
_NARROWEST_HZ = 50.0  # half of a band; below, it would fall between two lines of the spectrum
_FALLING, _RISING = 0.06, 0.004  # how fast the floor follows, of the difference for each frame


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _bank() -> Floats:
    """[band, line of the spectrum]: overlapping triangles, evenly spaced on the mel scale."""
    hertz = 700 * (10 ** (np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2) / 2595) - 1)
    lines = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE_HZ / WINDOW
    bank = np.zeros((BANDS, len(lines)), np.float32)
    for band, centre in enumerate(hertz[1:-1]):
        low, high = min(hertz[band], centre - _NARROWEST_HZ), max(hertz[band + 2], centre + _NARROWEST_HZ)
        bank[band] = np.clip(np.minimum((lines - low) / (centre - low), (high - lines) / (high - centre)), 0, None)
    return bank


def _spread(bank: Floats) -> Floats:
    """[line, band]: how the gains of the bands make the gain of each line. Lines beside all bands take the nearest."""
    total = bank.sum(0)
    spread = (bank / np.maximum(total, 1e-6)).T
    for line in np.flatnonzero(total < 1e-6):
        spread[line, 0 if line < WINDOW // 4 else BANDS - 1] = 1
    return np.ascontiguousarray(spread, np.float32)


_WINDOW: Final[Floats] = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)).astype(np.float32)
_BANK: Final = _bank()
_SPREAD: Final = _spread(_BANK)
# Energies are told apart only above that of the dither which the recogniser gets with them.
_LEAST: Final[Floats] = (_BANK.sum(1) * SIGMA**2 * np.sum(_WINDOW**2)).astype(np.float32)


def spectra(samples: Floats) -> Spectra:
    """[frame, line] of at least one window of audio."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    return np.asarray(np.fft.rfft(frames * _WINDOW), np.complex64)


def energies(found: Spectra) -> Floats:
    """[frame, band]"""
    return np.asarray(np.square(np.abs(found)) @ _BANK.T, np.float32)


def levels_of(heard: Floats) -> Floats:
    """Energies as logarithms."""
    return np.asarray(np.log(heard + _LEAST), np.float32)


def levels(found: Spectra) -> Floats:
    """[frame, band]"""
    return levels_of(energies(found))


def followed(floor: Floats, heard: Floats) -> Floats:
    """[frame, band]: the floor after each of the frames `heard`; it falls fast and rises slowly."""
    found = np.empty_like(heard)
    for frame, level in enumerate(heard):
        difference = level - floor
        floor = floor + np.where(difference < 0, _FALLING, _RISING) * difference
        found[frame] = floor
    return found


def seen(context: Floats, floors: Floats) -> Floats:
    """What the network is given for each frame that has its past and its future in `context`, with its floor."""
    frames = len(floors)
    return np.concatenate([context[at : at + frames] for at in range(PAST + 1 + FUTURE)] + [floors], axis=1)


@dataclass(frozen=True, slots=True)
class Network:
    """Two hidden layers. `least`: no band is turned down further than this."""

    mean: Floats
    deviation: Floats
    least: float
    layers: tuple[Floats, ...]

    @classmethod
    def load(cls, path: Path) -> Network:
        """From an archive of numpy's, in half precision: it is half as large, and as good."""
        with np.load(path) as kept:
            layers = tuple(kept[f"w{place}"].astype(np.float32) for place in range(6))
            return cls(kept["mu"].astype(np.float32), kept["sd"].astype(np.float32), float(kept["gm"]), layers)

    def gains(self, given: Floats) -> Floats:
        """[frame, band], 0 to 1, for amplitudes."""
        return np.concatenate([self._some_gains(given[at : at + _PIECE]) for at in range(0, len(given), _PIECE)])

    def _some_gains(self, given: Floats) -> Floats:
        first, first_bias, second, second_bias, last, last_bias = self.layers
        hidden = np.maximum((given - self.mean) / self.deviation @ first + first_bias, 0)
        hidden = np.maximum(hidden @ second + second_bias, 0)
        share = 1 / (1 + np.exp(-(hidden @ last + last_bias)))
        return np.asarray(self.least + (1 - self.least) * share, np.float32)


class NoiseSuppressor:
    """One utterance, from its beginning. It keeps 20 to 40 ms back, which at the end of an utterance are silence."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._unframed: Floats = np.zeros(0, np.float32)
        self._spectra: Spectra = np.zeros((0, WINDOW // 2 + 1), np.complex64)  # still without a future
        self._levels: Floats = np.zeros((0, BANDS), np.float32)  # of these, and of the past before them
        self._floors: Floats = np.zeros((0, BANDS), np.float32)  # of these
        self._floor: Floats | None = None
        self._overlap: Floats = np.zeros(HOP, np.float32)

    def added(self, pcm: bytes) -> bytes:
        """More of the utterance: 16-bit mono audio. What is ready of it, without its noise, in its order."""
        self._unframed = np.concatenate([self._unframed, np.frombuffer(pcm, "<i2").astype(np.float32)])
        return self._advanced() if self._frames() >= BATCH else b""

    def caught_up(self) -> bytes:
        """All that can be told of what was added, since somebody waits for it. More may be added all the same."""
        return self._advanced() if self._frames() else b""

    def _frames(self) -> int:
        return max(0, (len(self._unframed) - WINDOW) // HOP + 1)

    def _advanced(self) -> bytes:
        new = spectra(self._unframed)
        self._unframed = self._unframed[len(new) * HOP :]
        heard = levels(new)
        if self._floor is None:
            self._floor = heard[:FIRST_FRAMES].mean(0)
            self._levels = np.repeat(heard[:1], PAST, axis=0)
        floors = followed(self._floor, heard)
        self._floor = floors[-1]
        self._spectra = np.concatenate([self._spectra, new])
        self._levels = np.concatenate([self._levels, heard])
        self._floors = np.concatenate([self._floors, floors])
        return self._cleaned(len(self._spectra) - FUTURE)

    def _cleaned(self, ready: int) -> bytes:
        if ready <= 0:
            return b""
        gains = self._network.gains(seen(self._levels[: ready + PAST + FUTURE], self._floors[:ready]))
        waves = np.fft.irfft(self._spectra[:ready] * (gains @ _SPREAD.T), WINDOW) * _WINDOW
        self._spectra, self._floors = self._spectra[ready:], self._floors[ready:]
        self._levels = self._levels[ready:]
        starts, ends = waves[:, :HOP], waves[:, HOP:]
        whole = starts + np.concatenate([self._overlap[None], ends[:-1]])
        self._overlap = ends[-1].astype(np.float32)
        return bytes(np.clip(whole.round(), -32768, 32767).astype("<i2").tobytes())
