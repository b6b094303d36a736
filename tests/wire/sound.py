"""Tones to send over a line, and what is left of them at its other end."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

from app.ports import SAMPLE_RATE_HZ


def tone(for_ms: int, hz: float = 1000.0) -> bytes:
    count = SAMPLE_RATE_HZ * for_ms // 1000
    samples = (int(12_000 * math.sin(2 * math.pi * hz * i / SAMPLE_RATE_HZ)) for i in range(count))
    return struct.pack(f"<{count}h", *samples)


def level(pcm: bytes) -> float:
    """Root mean square, 0 to 32768."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def onset_ms(frames: Iterable[bytes]) -> float:
    """Where in them a tone begins."""
    samples = struct.iter_unpack("<h", b"".join(frames))
    return next(place for place, (sample,) in enumerate(samples) if abs(sample) > 1_000) * 1000 / SAMPLE_RATE_HZ
