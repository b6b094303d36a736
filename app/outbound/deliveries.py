"""When a webhook that was not taken is tried again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import accumulate

DELAYS_S = (10, 30, 120, 600, 1800, *[3600] * 23)
"""Before the second attempt and each after it: a restart is over in seconds, a repair in an hour, and who has been away
for a day has to be looked after by people."""

GIVES_UP_AFTER_S = tuple(accumulate(DELAYS_S))[-1]


def next_attempt(attempts: int, now: datetime, delays_s: tuple[float, ...] = DELAYS_S) -> datetime | None:
    """After so many failed ones; None: give up. What counts is attempts, not the calendar: a clock that jumps a year
    ahead loses nothing."""
    return now + timedelta(seconds=delays_s[attempts - 1]) if attempts <= len(delays_s) else None


def wait_s(next_at: datetime, now: datetime, longest_s: float = max(DELAYS_S)) -> float:
    """From `now` to an attempt. One that lies further ahead than any can was planned by a clock that was wrong: now."""
    ahead_s = (next_at - now).total_seconds()
    return 0.0 if ahead_s > longest_s else max(0.0, ahead_s)
