"""Calling hours in any zone, and through any change of its clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.outbound.campaign import WEEKDAYS, CallingHours
from app.outbound.windows import is_open, next_opening

pytestmark = pytest.mark.unit

same_every_time = settings(derandomize=True, deadline=None, database=None, max_examples=60)
thorough = settings(same_every_time, max_examples=200)

MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones())

# On both sides of the equator; by an hour, half an hour and two; at midnight; backwards in winter; around Ramadan.
CHANGING = """Europe/Berlin Europe/Dublin America/New_York America/St_Johns America/Havana America/Santiago
Atlantic/Azores Africa/Casablanca Africa/Cairo Antarctica/Troll Asia/Beirut Asia/Jerusalem Australia/Lord_Howe
Pacific/Auckland Pacific/Chatham Pacific/Norfolk""".split()


def changes(zone: str) -> list[datetime]:
    """Instants of 2026 to 2028, at most six hours after the clocks of `zone` were changed."""
    looks = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=each) for each in range(0, 24 * 365 * 3, 6)]
    offsets = [each.astimezone(ZoneInfo(zone)).utcoffset() for each in looks]
    return [looks[place] for place in range(1, len(looks)) if offsets[place] != offsets[place - 1]]


CHANGES = {zone: changes(zone) for zone in CHANGING}


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and an instant within two days of a change of its clocks."""
    zone = draw(st.sampled_from(CHANGING))
    change = draw(st.sampled_from(CHANGES[zone]))
    return zone, change + timedelta(seconds=draw(st.integers(-2 * 86400, 2 * 86400)))


@st.composite
def anywhere(draw: st.DrawFn) -> tuple[str, datetime]:
    zone = draw(st.sampled_from(ZONES))
    instants = st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))
    return zone, draw(instants)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def some_hours(draw: st.DrawFn, days: Sequence[str] = WEEKDAYS, until: int = 24 * 60) -> CallingHours:
    """Whole minutes of the day, none later than `until`."""
    begin, end = sorted(draw(st.lists(st.integers(0, until), min_size=2, max_size=2, unique=True)))
    chosen = draw(st.sets(st.sampled_from(days), min_size=1))
    given = {"days": sorted(chosen, key=WEEKDAYS.index), "begin": clock(begin), "end": clock(end)}
    return CallingHours.model_validate(given)


SMALL_HOURS = 5 * 60
WEEKEND = ("saturday", "sunday", "monday")
"""When clocks are changed."""
WEEK = st.lists(st.one_of(some_hours(), some_hours(until=SMALL_HOURS)), min_size=1, max_size=3)
HOLIDAYS = st.sets(st.dates(date(2026, 1, 1), date(2028, 12, 31)), max_size=3)


@same_every_time
@given(st.one_of(near_a_change(), anywhere()), WEEK, HOLIDAYS)
def test_it_is_open_when_the_clock_on_the_wall_says_so(
    there: tuple[str, datetime], hours: list[CallingHours], holidays: set[date]
) -> None:
    zone, instant = there
    wall = instant.astimezone(ZoneInfo(zone))
    minutes = wall.hour * 60 + wall.minute

    def covers(line: CallingHours) -> bool:
        begin, end = (int(each[:2]) * 60 + int(each[3:]) for each in (line.begin, line.end))
        return WEEKDAYS[wall.weekday()] in line.days and begin <= minutes < end

    expected = wall.date() not in holidays and any(covers(line) for line in hours)
    assert is_open(hours, holidays, zone, instant) is expected


@same_every_time
@given(st.one_of(near_a_change(), anywhere()), WEEK, HOLIDAYS)
def test_between_now_and_the_next_opening_it_is_never_open(
    there: tuple[str, datetime], hours: list[CallingHours], holidays: set[date]
) -> None:
    zone, now = there
    opening = next_opening(hours, holidays, zone, now)
    assert opening is not None
    assert opening >= now
    assert is_open(hours, holidays, zone, opening)
    assert opening == now or not is_open(hours, holidays, zone, opening - timedelta(microseconds=1))
    looks = [now + (opening - now) * part / 50 for part in range(50)]
    assert opening == now or not any(is_open(hours, holidays, zone, look) for look in looks if look < opening)


@thorough
@given(near_a_change(), st.lists(some_hours(WEEKEND, SMALL_HOURS), min_size=1, max_size=2))
def test_around_a_change_no_minute_is_missed(there: tuple[str, datetime], hours: list[CallingHours]) -> None:
    """The next opening, against a walk from minute to minute."""
    zone, now = there
    found = next_opening(hours, (), zone, now)
    assert found is not None
    assert is_open(hours, (), zone, found)
    whole = now.replace(second=0, microsecond=0)
    minutes = [now, *(whole + MINUTE * step for step in range(1, 2 * 24 * 60))]
    assert not any(is_open(hours, (), zone, each) for each in minutes if each < found)
