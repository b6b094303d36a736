"""Text to speech: the agent's voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

SAMPLE_RATE_HZ = 16_000


class Voice(Protocol):
    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Audio of one clause as it is made: chunks of 16 kHz mono signed 16-bit little-endian audio.

        A chunk is at most LONGEST_CHUNK_MS long. Text in which there is nothing to say gives no chunk at all. Several
        clauses may be spoken at once. Close the generator (`aclosing`) to stop the engine before the end.
        """


LONGEST_CHUNK_MS = 200  # what the line takes ahead: a longer chunk would make interrupting the agent slower
