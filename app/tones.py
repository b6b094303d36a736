"""What a caller hears while another telephone rings for them."""

from __future__ import annotations

import math
import struct
from functools import cache

from app.ports import SAMPLE_RATE_HZ

# ITU-T E.180: 425 Hz, 1 s of tone and 4 s of pause, is what most of the world knows as "it rings".
_HZ = 425
_TONE_S, _PAUSE_S = 1, 4
# -21 dBFS, as loud as people talk on the telephone.
_AMPLITUDE = 4_000


@cache
def ring_tone() -> bytes:
    """One ring, and the pause after it: 5 s of 16 kHz mono 16-bit audio."""
    count = SAMPLE_RATE_HZ * _TONE_S
    samples = (round(_AMPLITUDE * math.sin(2 * math.pi * _HZ * at / SAMPLE_RATE_HZ)) for at in range(count))
    return struct.pack(f"<{count}h", *samples) + bytes(2 * SAMPLE_RATE_HZ * _PAUSE_S)
