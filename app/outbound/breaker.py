"""Whether a campaign holds back because its calls come to nothing on the line. Pure.

closed --too many of the last calls failed--> open, for a pause --> one call is tried --it worked--> closed
                                               ^-------------- it failed: a longer pause ----|
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.outbound.campaign import BreakerRules
from app.ports import Result

LONGEST_PAUSE: Final = timedelta(hours=2)
"""A line that was repaired is noticed within a morning."""

_OF_THE_LINE = frozenset(each.value for each in (Result.NETWORK_ERROR, Result.FAILED, Result.UNREACHABLE))
"""Unreachable, too: where most numbers are not known to the phone system, it is the dial rules that are wrong, and the
campaign would use up its participants."""

_OF_THE_BOX = frozenset(each.value for each in (Result.CAPACITY, Result.CANCELLED, Result.UNKNOWN))
"""They tell nothing of the line."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """`recent`: the last calls, oldest first, True where the line failed; empty while it is open. `opened_at`, `until`:
    when the pause began, and ends; None while it is closed. `pauses`: how many there were one after the other."""

    recent: tuple[bool, ...] = ()
    opened_at: datetime | None = None
    until: datetime | None = None
    pauses: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """Calls go out."""


@dataclass(frozen=True, slots=True)
class UntilInstant:
    """None goes out before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OneProbe:
    """One goes out, to see whether the line works. `goes_on`: a call is out already, and its end is waited for."""

    goes_on: bool


def noted(breaker: Breaker, outcome: str, now: datetime, rules: BreakerRules) -> Breaker:
    """After a call that is over. `outcome`: a word of `app.ports.Result`."""
    if outcome in _OF_THE_BOX:
        return breaker
    failed = outcome in _OF_THE_LINE
    if breaker.opened_at is None or breaker.until is None:
        return _closed(replace(breaker, recent=(*breaker.recent, failed)[-rules.window :]), now, rules)
    if _still_pauses(breaker.opened_at, breaker.until, now):
        return breaker  # it began before
    return _opened(breaker.pauses, now, rules) if failed else Breaker()


def allows(breaker: Breaker, running: int, now: datetime) -> Allowed | UntilInstant | OneProbe:
    """`running`: the campaign's calls that go on."""
    if breaker.opened_at is None or breaker.until is None:
        return Allowed()
    if _still_pauses(breaker.opened_at, breaker.until, now):
        return UntilInstant(breaker.until)
    return OneProbe(goes_on=running > 0)


def _closed(breaker: Breaker, now: datetime, rules: BreakerRules) -> Breaker:
    too_many = math.ceil(rules.window * rules.percent / 100)
    return _opened(0, now, rules) if sum(breaker.recent) >= too_many else breaker


def _opened(pauses: int, now: datetime, rules: BreakerRules) -> Breaker:
    pause = min(LONGEST_PAUSE, timedelta(minutes=rules.pause_minutes) * 2**pauses)
    return Breaker(opened_at=now, until=now + pause, pauses=pauses + 1)


def _still_pauses(opened_at: datetime, until: datetime, now: datetime) -> bool:
    """A clock that was set back would make a pause of hours one of years: who is before its beginning, is after it."""
    return opened_at <= now < until
