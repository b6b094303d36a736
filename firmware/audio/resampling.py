"""Sound at another sample rate, for the seconds of a test. Calls are resampled by the SIP stack, servers' voices by
line_sound.py."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Each sample is made of as many around it as 16 periods of the highest frequency are long. The band ends at nine tenths
# of what the lower rate can hold; what lies beyond is 60 dB down.
_PERIODS = 16
_BAND = 0.9
# Small pieces: each holds the interpreter's lock for less than a millisecond.
_SAMPLES_AT_ONCE = 400


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """`samples` (mono) at `to_hz`. Blocks: up to 0.4 s for ten seconds on x86."""
    if from_hz == to_hz:
        return samples
    made = len(samples) * to_hz // from_hz
    edges = [*range(0, made, _SAMPLES_AT_ONCE), made]
    pieces = [_piece(samples, np.arange(begin, end), from_hz, to_hz) for begin, end in pairwise(edges)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _piece(samples: Samples, wanted: NDArray[np.int64], from_hz: int, to_hz: int) -> Samples:
    """The samples at places `wanted` of the result."""
    near, share = weights(wanted * (from_hz / to_hz), from_hz, to_hz)
    inside = (near >= 0) & (near < len(samples))
    taken = np.where(inside, samples[np.clip(near, 0, max(len(samples) - 1, 0))], 0)
    made: Samples = np.sum(taken * share, axis=1).astype(np.float32)
    return made


def weights(at: NDArray[np.float64], from_hz: int, to_hz: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which samples make the ones at the places `at`, counted in samples of `from_hz`, and by how much: a sinc low-pass
    under a Hann window."""
    band = _BAND * min(1.0, to_hz / from_hz)
    reach = round(_PERIODS / band)
    near = np.floor(at).astype(np.int64)[:, None] + np.arange(1 - reach, 1 + reach)
    distance = at[:, None] - near
    return near, band * np.sinc(band * distance) * np.cos(np.pi / 2 * distance / reach) ** 2
