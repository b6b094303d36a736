"""Whether the clock of the box can be believed. A box without a battery clock wakes up in 1970, and is told the time by
the network later, or never."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No box left the workshop before this: a clock that says less was not set yet."""

_STEADY_S = 60.0
"""What a clock that is corrected in small steps may gain or lose between two looks, and more."""


def is_set(now: datetime) -> bool:
    return now >= EARLIEST


class SteadyClock:
    """Tells a clock that goes from one that was set between two looks, at which nothing should be thrown away."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None

    def is_steady(self, now: datetime, at_s: float) -> bool:
        """False at the first look, too. `at_s`: of a clock that nobody sets."""
        last, self._last = self._last, (now, at_s)
        if last is None or not is_set(now):
            return False
        went_s = (now - last[0]).total_seconds()
        return abs(went_s - (at_s - last[1])) <= _STEADY_S
