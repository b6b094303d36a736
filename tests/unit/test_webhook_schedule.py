"""When a webhook is tried again, on a clock of its own: a receiver that is dead for long, and clocks that jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.outbound.deliveries import DELAYS_S, GIVES_UP_AFTER_S, next_attempt, wait_s

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def attempts_until(back_at: datetime) -> tuple[list[datetime], bool]:
    """When a delivery of noon is tried, with a receiver that is there again at `back_at`; and whether it was taken."""
    tried, at = [NOON], NOON
    while at < back_at:
        following = next_attempt(len(tried), at)
        if following is None:
            return tried, False
        at = following
        tried.append(at)
    return tried, True


def test_it_gives_up_after_a_day_and_not_before() -> None:
    assert 23 * 3600 < GIVES_UP_AFTER_S < 25 * 3600
    for hours in (0, 0.5, 5, 12, 23):
        assert attempts_until(NOON + timedelta(hours=hours))[1], hours
    tried, taken = attempts_until(NOON + timedelta(hours=30))
    assert not taken
    assert len(tried) == len(DELAYS_S) + 1
    assert tried[-1] - NOON == timedelta(seconds=GIVES_UP_AFTER_S)


def test_a_short_trouble_costs_little_and_a_long_one_is_not_hammered() -> None:
    assert attempts_until(NOON + timedelta(seconds=5))[0][-1] - NOON == timedelta(seconds=10)
    pauses = [after - before for before, after in pairwise(DELAYS_S)]
    assert all(pause >= 0 for pause in pauses)
    assert max(DELAYS_S) == 3600


def test_a_clock_that_jumps_ahead_loses_no_attempt() -> None:
    """The box had a wrong time, and the network told it the right one, a year later."""
    planned = next_attempt(1, NOON)
    assert planned
    later = NOON + timedelta(days=365)
    assert wait_s(planned, later) == 0
    assert next_attempt(2, later) == later + timedelta(seconds=DELAYS_S[1])


def test_a_clock_that_jumps_back_does_not_wait_for_it_to_come_again() -> None:
    planned = next_attempt(3, NOON)
    assert planned
    assert wait_s(planned, NOON - timedelta(days=365)) == 0
    assert wait_s(planned, NOON - timedelta(seconds=60)) == DELAYS_S[2] + 60


def test_what_is_due_is_due() -> None:
    assert wait_s(NOON, NOON) == wait_s(NOON, NOON + timedelta(seconds=1)) == 0
    assert wait_s(NOON, NOON - timedelta(seconds=1)) == 1
