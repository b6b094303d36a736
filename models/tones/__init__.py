"""Tones of a telephone's keys in what comes in (DTMF, ITU-T Q.23)."""

from __future__ import annotations

from typing import Protocol

CHUNK_BYTES = 1024  # 32 ms of 16 kHz mono 16 bit, as the voice activity detector takes it


class KeyTones(Protocol):
    """The detector of one call. The state is this object's own and dies with it."""

    def feed(self, chunk: bytes) -> str:
        """The key whose tones are certain since this chunk (0-9 * # A-D); else nothing. Each press is told once.

        `chunk` is CHUNK_BYTES of 16 kHz mono signed 16-bit little-endian audio.
        Raises: ValueError for any other length.
        """

    @property
    def sounding(self) -> bool:
        """Whether the last chunk held such tones, however short."""
