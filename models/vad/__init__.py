"""Voice activity: is somebody speaking?"""

from __future__ import annotations

from typing import Protocol

SAMPLE_RATE_HZ = 16_000
CHUNK_SAMPLES = 512  # 32 ms, the step that the network was trained with
CHUNK_BYTES = CHUNK_SAMPLES * 2


class VoiceActivity(Protocol):
    """Speech or not, for one call. The state is this object's own and dies with it."""

    def probability(self, chunk: bytes) -> float:
        """Probability of speech, 0 to 1, in the next chunk of the call.

        `chunk` is CHUNK_BYTES of 16 kHz mono signed 16-bit little-endian audio.
        Raises: ValueError for any other length.
        """
