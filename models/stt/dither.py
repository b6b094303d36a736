"""Noise for narrow-band audio, just above G.711's own.

Digital silence and the empty band above 4 kHz are nothing like what the acoustic model was trained with, and its
logarithms make much of them. Noise of 20 steps of 32768 (-64 dBFS) fills both; the telephone-band transform was
estimated on speech with the same noise.
"""

from __future__ import annotations

from typing import Final

import numpy as np

SIGMA: Final = 20.0
# A second and a bit, repeated: long enough not to be a tone, and not a multiple of a frame's 320 samples.
_NOISE_SAMPLES: Final = 16_411
_NOISE: Final = np.random.default_rng(20).normal(0, SIGMA, _NOISE_SAMPLES).round().astype(np.int32)


class Dither:
    """The noise of one call, so that each starts at the same place and a recording decodes the same way twice."""

    def __init__(self) -> None:
        self._at = 0

    def added_to(self, pcm: bytes) -> bytes:
        """16-bit mono audio, with the noise that comes next. Clips where it must."""
        samples = np.frombuffer(pcm, "<i2").astype(np.int32)
        noise = np.take(_NOISE, np.arange(self._at, self._at + len(samples)), mode="wrap")
        self._at = (self._at + len(samples)) % _NOISE_SAMPLES
        return np.clip(samples + noise, -32768, 32767).astype("<i2").tobytes()
