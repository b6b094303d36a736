"""When a participant may be called: calling hours and holidays, by the clock on the participant's wall. Pure.

What counts is what that clock shows, also in the nights in which it is changed: hours from 02:30 begin at 03:00 where
there is no 02:30, and where the hour from 02:00 to 03:00 comes twice, it is calling time twice or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from app.outbound.campaign import WEEKDAYS, CallingHours

LOOKS_AHEAD_DAYS: Final = 400
"""Whatever comes once a year comes within that time; what does not come by then, never does."""


def is_open(hours: Iterable[CallingHours], holidays: Collection[date], zone: str, instant: datetime) -> bool:
    """Whether somebody in `zone` (an IANA name) may be called at `instant`. Without hours, nobody ever may."""
    local = instant.astimezone(_place(zone))
    if local.date() in holidays:
        return False
    weekday, clock = WEEKDAYS[local.weekday()], f"{local.hour:02}:{local.minute:02}"
    return any(weekday in each.days and each.begin <= clock < each.end for each in hours)


def next_opening(
    hours: Sequence[CallingHours], holidays: Collection[date], zone: str, after: datetime
) -> datetime | None:
    """The first instant, not before `after`, at which somebody in `zone` may be called; None: never within
    `LOOKS_AHEAD_DAYS`."""
    after, holidays = after.astimezone(UTC), frozenset(holidays)
    if is_open(hours, holidays, zone, after):
        return after
    days = {day for each in hours for day in each.days}
    today = after.astimezone(_place(zone)).date()
    for ahead in range(LOOKS_AHEAD_DAYS + 1):
        day = today + timedelta(days=ahead)
        if day in holidays or WEEKDAYS[day.weekday()] not in days:
            continue
        for turn in _turns(hours, zone, day):
            if turn > after and is_open(hours, holidays, zone, turn):
                return turn
    return None


def _turns(hours: Iterable[CallingHours], zone: str, day: date) -> Iterator[datetime]:
    """In order, every instant of the day at which calling time can begin."""
    clocks = {"00:00", *(each.begin for each in hours)}
    place = _place(zone)
    shown = (datetime.combine(day, time.fromisoformat(clock), place) for clock in clocks)
    twice = (each.replace(fold=fold).astimezone(UTC) for each in shown for fold in (0, 1))
    turns = sorted({*twice, *_changes(zone, day)})
    yield from (each for each in turns if each.astimezone(place).date() == day)


@lru_cache(maxsize=1024)
def _place(zone: str) -> ZoneInfo:
    """There are 600. `ZoneInfo` itself keeps eight, and reads the others from the disk again."""
    return ZoneInfo(zone)


@lru_cache(maxsize=1024)
def _changes(zone: str, day: date) -> tuple[datetime, ...]:
    """The instants at which the clocks of `zone` are changed, on that day and around it."""
    begin = datetime.combine(day, time(), UTC) - timedelta(hours=15)  # UTC+14 is the farthest ahead, UTC-12 behind
    looks = [begin + timedelta(hours=3 * step) for step in range(19)]
    place = _place(zone)
    return tuple(
        _change(place, before, after)
        for before, after in pairwise(looks)
        if before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset()
    )


def _change(place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The one change between the two, found by halves: clocks are changed at whole seconds."""
    offset = before.astimezone(place).utcoffset()
    while (middle := (after - before) // timedelta(seconds=2)) > 0:
        halfway = before + timedelta(seconds=middle)
        if halfway.astimezone(place).utcoffset() == offset:
            before = halfway
        else:
            after = halfway
    return after
