"""Beeps: has an answering machine begun to record?"""

from __future__ import annotations

from typing import Protocol

CHUNK_BYTES = 1024  # 32 ms of 16 kHz mono 16 bit, as the voice activity detector takes it


class Beeps(Protocol):
    """The detector of one call. The state is this object's own and dies with it."""

    def heard(self, chunk: bytes) -> bool:
        """Whether it is clear, with the next chunk of the call, that a beep is over.

        `chunk` is CHUNK_BYTES of 16 kHz mono signed 16-bit little-endian audio.
        Raises: ValueError for any other length.
        """
