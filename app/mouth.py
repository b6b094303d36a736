"""What the agent speaks with: app/ports.py, continued."""

from __future__ import annotations

from typing import Protocol


class Mouth(Protocol):
    """What the caller will hear. Holds at most 200 ms, so that `hush` is instant."""

    async def play(self, pcm: bytes) -> None:
        """Queue any length of audio; returns once its last part is queued. Silence fills the gaps."""

    async def drained(self) -> None:
        """Return once everything queued has gone out to the line."""

    def hush(self) -> None:
        """Forget what is queued, and end a hold. Synchronous: safe while being cancelled."""

    def hold(self) -> None:
        """Keep what is queued, and say nothing until `release` or `hush`. Idempotent."""

    def release(self) -> None:
        """Go on where `hold` stopped. Without a hold, nothing happens."""

    @property
    def played_ms(self) -> int:
        """Audio given to `play` that has gone out so far, in milliseconds, over the whole call."""

    @property
    def clock_ms(self) -> int:
        """The audio clock of the call: milliseconds since its media started."""
