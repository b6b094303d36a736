"""When a campaign holds back because of the line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from app.outbound.breaker import Allowed, Breaker, OneProbe, UntilInstant, allows, noted
from app.outbound.campaign import BreakerRules
from app.ports import Result

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULES = BreakerRules(window=10, percent=60, pause_minutes=10)


def after(outcomes: Iterable[str], breaker: Breaker | None = None, now: datetime = NOON) -> Breaker:
    breaker = breaker or Breaker()
    for outcome in outcomes:
        breaker = noted(breaker, outcome, now, RULES)
    return breaker


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


FAILED = ["network error"] * 6


def test_people_who_do_not_answer_are_no_reason_to_hold_back() -> None:
    people = ["busy", "declined", "no answer", "machine", "message left", "answered"] * 20
    assert allows(after(people), 0, NOON) == Allowed()


def test_it_opens_once_so_many_of_the_last_calls_failed() -> None:
    assert allows(after(FAILED[:5]), 0, NOON) == Allowed()
    assert allows(after(FAILED), 0, NOON) == UntilInstant(minutes(10))
    assert allows(after(["failed", "unreachable", "network error"] * 2), 0, NOON) == UntilInstant(minutes(10))


def test_calls_that_are_long_past_do_not_count() -> None:
    assert allows(after([*FAILED[:5], *["answered"] * 5, "failed"]), 0, NOON) == Allowed()
    assert allows(after(["answered"] * 4 + FAILED), 0, NOON) == UntilInstant(minutes(10))


def test_what_tells_nothing_of_the_line_does_not_count() -> None:
    assert after(["capacity", "cancelled", "unknown"] * 10) == Breaker()
    assert allows(after([*FAILED[:5], *["capacity"] * 10, "failed"]), 0, NOON) == UntilInstant(minutes(10))


def test_after_the_pause_one_call_is_tried_and_no_second_one_meanwhile() -> None:
    opened = after(FAILED)
    assert allows(opened, 0, minutes(9.99)) == UntilInstant(minutes(10))
    assert allows(opened, 0, minutes(10)) == OneProbe(goes_on=False)
    assert allows(opened, 1, minutes(10)) == OneProbe(goes_on=True)


def test_a_call_that_worked_closes_it_and_all_is_forgotten() -> None:
    opened = after(FAILED)
    assert after(["busy"], opened, minutes(11)) == Breaker()


def test_pauses_grow_up_to_two_hours() -> None:
    breaker, now, pauses = after(FAILED), NOON, []
    for _ in range(7):
        held = allows(breaker, 0, now)
        assert isinstance(held, UntilInstant)
        pauses.append((held.at - now).total_seconds() / 60)
        now = held.at
        breaker = after(["network error"], breaker, now)
    assert pauses == [10, 20, 40, 80, 120, 120, 120]
    assert allows(after(FAILED, after(["answered"], breaker, now + timedelta(hours=2)), now), 0, now) == UntilInstant(
        now + timedelta(minutes=10)
    )


def test_calls_that_began_before_the_pause_neither_close_nor_lengthen_it() -> None:
    opened = after(FAILED)
    assert after(["answered", "failed", "busy"], opened, minutes(5)) == opened


def test_a_clock_that_is_set_back_does_not_hold_a_campaign_for_years() -> None:
    opened = after(FAILED)
    assert allows(opened, 0, NOON - timedelta(days=365)) == OneProbe(goes_on=False)
    assert after(["answered"], opened, NOON - timedelta(days=365)) == Breaker()


@pytest.mark.parametrize(("window", "percent", "enough"), [(10, 60, 6), (4, 10, 1), (7, 50, 4), (100, 100, 100)])
def test_how_many_are_too_many(window: int, percent: int, enough: int) -> None:
    rules = BreakerRules(window=window, percent=percent)
    breaker = Breaker()
    for count in range(1, enough + 1):
        assert allows(breaker, 0, NOON) == Allowed(), count
        breaker = noted(breaker, "failed", NOON, rules)
    assert isinstance(allows(breaker, 0, NOON), UntilInstant)


def test_every_outcome_is_thought_of() -> None:
    said = {each.value: noted(Breaker(), each.value, NOON, RULES).recent for each in Result}
    assert sorted(word for word, recent in said.items() if recent == (True,)) == [
        "failed",
        "network error",
        "unreachable",
    ]
    assert sorted(word for word, recent in said.items() if recent == ()) == ["cancelled", "capacity", "unknown"]
