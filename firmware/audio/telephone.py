"""What the worst line does to speech: the band of 8 kHz and G.711's mu-law, there and back."""

from __future__ import annotations

import numpy as np

from app.ports import SAMPLE_RATE_HZ
from firmware.audio.resampling import Samples, resampled

_LINE_HZ = 8_000
_MU = 255.0  # ITU-T G.711, as the continuous curve that its 256 steps follow
_STEPS = 127.0


def over_telephone(samples: Samples) -> Samples:
    """`samples` (16 kHz, within ±1) as somebody hears them at the other end. Blocks, as `resampled` does."""
    narrow = resampled(samples, SAMPLE_RATE_HZ, _LINE_HZ)
    return resampled(_mu_law(narrow), _LINE_HZ, SAMPLE_RATE_HZ)


def _mu_law(samples: Samples) -> Samples:
    level = np.log1p(_MU * np.minimum(np.abs(samples), 1.0)) / np.log1p(_MU)
    kept = np.round(level * _STEPS) / _STEPS
    decoded: Samples = (np.sign(samples) * np.expm1(kept * np.log1p(_MU)) / _MU).astype(np.float32)
    return decoded
