"""Echo: is what comes in nothing but our own voice, coming back?"""

from __future__ import annotations

from typing import Protocol

CHUNK_BYTES = 1024  # 32 ms of 16 kHz mono 16 bit, as the voice activity detector takes it


class Echo(Protocol):
    """The detector of one call. The state is this object's own and dies with it."""

    def feed(self, came: bytes, sent: bytes) -> None:
        """The next chunk of the call: what came in, and what went out in the same 32 ms.

        Both are CHUNK_BYTES of 16 kHz mono signed 16-bit little-endian audio.
        Raises: ValueError for any other length.
        """

    def explains(self) -> bool:
        """Whether the last chunk that came in was our own voice and nobody else's."""
