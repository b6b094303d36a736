"""Calling hours by the participant's clock, also in the nights in which it is changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.outbound.campaign import WEEKDAYS, CallingHours, Weekday
from app.outbound.windows import is_open, next_opening

pytestmark = pytest.mark.unit

BERLIN = "Europe/Berlin"
OFFICE = (CallingHours(days=WEEKDAYS[:5], begin="09:00", end="18:00"),)
ALWAYS = (CallingHours(days=WEEKDAYS, begin="00:00", end="24:00"),)


def at(text: str, zone: str = BERLIN, fold: int = 0) -> datetime:
    """What the clock in `zone` shows, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def closes_at(
    hours: Sequence[CallingHours], holidays: Collection[date], instant: datetime, zone: str = BERLIN
) -> datetime:
    """The first whole minute at which it is not open any more."""
    while is_open(hours, holidays, zone, instant):
        instant += timedelta(minutes=1)
    return instant


def every_day(begin: str, end: str) -> tuple[CallingHours, ...]:
    return (CallingHours(days=WEEKDAYS, begin=begin, end=end),)


@pytest.mark.parametrize(
    ("now", "open_now"),
    [
        ("2026-11-26T09:00", True),
        ("2026-11-26T08:59:59.999999", False),
        ("2026-11-26T17:59:59", True),
        ("2026-11-26T18:00", False),
        ("2026-11-28T12:00", False),  # a Saturday
    ],
)
def test_hours_hold_from_their_beginning_until_before_their_end(now: str, open_now: bool) -> None:
    assert is_open(OFFICE, (), BERLIN, at(now)) is open_now


def test_it_is_the_participants_clock_that_counts() -> None:
    morning = at("2026-11-26T09:30")
    assert is_open(OFFICE, (), BERLIN, morning)
    assert not is_open(OFFICE, (), "Europe/London", morning)
    assert is_open(OFFICE, (), "Asia/Kolkata", morning)
    assert next_opening(OFFICE, (), "America/New_York", morning) == at("2026-11-26T09:00", "America/New_York")
    friday_in_kiribati = at("2026-11-28T09:30", "Pacific/Kiritimati")  # there it is Saturday already
    assert not is_open(OFFICE, (), "Pacific/Kiritimati", friday_in_kiribati)
    assert is_open(OFFICE, (), "Pacific/Honolulu", friday_in_kiribati)


def test_the_next_opening_is_the_instant_itself_where_it_is_open() -> None:
    assert next_opening(OFFICE, (), BERLIN, at("2026-11-26T12:34:56")) == at("2026-11-26T12:34:56")
    assert next_opening(OFFICE, (), BERLIN, at("2026-11-26T07:00")) == at("2026-11-26T09:00")
    assert next_opening(OFFICE, (), BERLIN, at("2026-11-27T18:00")) == at("2026-11-30T09:00")


def test_nobody_is_called_on_a_holiday_of_their_calendar() -> None:
    christmas = (date(2026, 12, 24), date(2026, 12, 25))
    assert next_opening(OFFICE, christmas, BERLIN, at("2026-12-23T18:00")) == at("2026-12-28T09:00")
    assert not is_open(OFFICE, christmas, "Pacific/Auckland", at("2026-12-24T10:00", "Pacific/Auckland"))
    assert is_open(OFFICE, christmas, "America/New_York", at("2026-12-23T15:30", "America/New_York"))


def test_two_lines_for_hours_past_midnight_are_one_opening() -> None:
    late = (*every_day("22:00", "24:00"), *every_day("00:00", "02:00"))
    assert closes_at(late, (), at("2026-11-26T23:00")) == at("2026-11-27T02:00")
    assert next_opening(late, (), BERLIN, at("2026-11-26T03:00")) == at("2026-11-26T22:00")
    with_lunch = (*every_day("09:00", "12:00"), *every_day("13:00", "18:00"))
    assert closes_at(with_lunch, (), at("2026-11-26T10:00")) == at("2026-11-26T12:00")
    assert next_opening(with_lunch, (), BERLIN, at("2026-11-26T12:00")) == at("2026-11-26T13:00")


def test_a_holiday_ends_an_opening_that_goes_round_the_clock() -> None:
    holiday = (date(2026, 12, 1),)
    assert closes_at(ALWAYS, holiday, at("2026-11-26T12:00")) == at("2026-12-01T00:00")
    assert next_opening(ALWAYS, holiday, BERLIN, at("2026-12-01T00:00")) == at("2026-12-02T00:00")
    assert closes_at(OFFICE, (), at("2026-11-26T20:00")) == at("2026-11-26T20:00")


def test_hours_that_never_come_have_no_next_opening() -> None:
    now = at("2026-11-26T12:00")
    assert next_opening((), (), BERLIN, now) is None
    mondays = (CallingHours(days=("monday",), begin="09:00", end="10:00"),)
    every_monday = tuple(date(2026, 11, 23) + timedelta(days=7 * week) for week in range(60))
    assert next_opening(mondays, every_monday, BERLIN, now) is None
    but_the_last = every_monday[:57]
    assert next_opening(mondays, but_the_last, BERLIN, now) == at("2027-12-27T09:00")


# -- nights in which the clocks are changed ----------------------------------------------------------------------

SPRING, AUTUMN = "2027-03-28", "2026-10-25"  # in Berlin: 02:00 becomes 03:00; 03:00 becomes 02:00


def test_an_opening_at_a_time_that_does_not_exist_is_when_the_clock_jumps_over_it() -> None:
    early = every_day("02:30", "05:00")
    assert next_opening(early, (), BERLIN, at(f"{SPRING}T00:00")) == at(f"{SPRING}T03:00")
    assert closes_at(early, (), at(f"{SPRING}T03:30")) == at(f"{SPRING}T05:00")
    assert next_opening(early, (), BERLIN, at("2027-03-27T00:00")) == at("2027-03-27T02:30")


def test_the_opening_before_a_change_comes_before_it() -> None:
    night = every_day("00:30", "05:00")
    assert next_opening(night, (), BERLIN, at("2027-03-27T06:00")) == at(f"{SPRING}T00:30")


def test_an_opening_that_lies_in_the_hour_that_does_not_exist_is_left_out_that_day() -> None:
    assert next_opening(every_day("02:00", "03:00"), (), BERLIN, at(f"{SPRING}T00:00")) == at("2027-03-29T02:00")
    assert next_opening(every_day("02:15", "02:45"), (), BERLIN, at(f"{SPRING}T00:00")) == at("2027-03-29T02:15")


def test_an_end_that_does_not_exist_is_when_the_clock_jumps_over_it() -> None:
    assert closes_at(every_day("01:00", "02:30"), (), at(f"{SPRING}T01:30")) == at(f"{SPRING}T03:00")


def test_a_time_that_comes_twice_opens_twice() -> None:
    quarter = every_day("02:15", "02:30")
    first, second = at(f"{AUTUMN}T02:15"), at(f"{AUTUMN}T02:15", fold=1)
    assert second - first == timedelta(hours=1)
    assert next_opening(quarter, (), BERLIN, at(f"{AUTUMN}T00:00")) == first
    assert closes_at(quarter, (), first) == first + timedelta(minutes=15)
    assert next_opening(quarter, (), BERLIN, first + timedelta(minutes=15)) == second
    assert closes_at(quarter, (), second) == second + timedelta(minutes=15)


def test_an_opening_over_the_change_lasts_as_the_clock_shows() -> None:
    night = every_day("01:00", "04:00")
    opened = at(f"{AUTUMN}T01:00")
    closed = closes_at(night, (), opened)
    assert closed == at(f"{AUTUMN}T04:00")
    assert closed - opened == timedelta(hours=4)


def test_a_day_that_a_country_left_out_has_no_calls() -> None:
    """Samoa went from Thursday to Saturday in 2011, over the date line."""
    fridays: tuple[Weekday, ...] = ("friday",)
    hours = (CallingHours(days=fridays, begin="09:00", end="18:00"),)
    apia = "Pacific/Apia"
    assert next_opening(hours, (), apia, at("2011-12-29T00:00", apia)) == at("2012-01-06T09:00", apia)


def test_a_change_of_half_an_hour_at_two_at_night() -> None:
    lord_howe = "Australia/Lord_Howe"  # on 4 October 2026, 02:00 becomes 02:30
    hours = every_day("02:10", "03:00")
    assert next_opening(hours, (), lord_howe, at("2026-10-04T00:00", lord_howe)) == at("2026-10-04T02:30", lord_howe)


def test_a_day_that_begins_at_one_in_the_morning() -> None:
    beirut = "Asia/Beirut"  # on 28 March 2027, 00:00 becomes 01:00
    opened = next_opening(ALWAYS, (date(2027, 3, 27),), beirut, at("2027-03-27T12:00", beirut))
    assert opened == at("2027-03-28T01:00", beirut)
