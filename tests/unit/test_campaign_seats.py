"""How campaigns share an agent's seats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.outbound.seats import Claim, shares

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def claim(
    name: str, running: int = 0, ready: int = 100, since_s: int = 0, at_once: int = 16, inbound: int = 1
) -> Claim:
    return Claim(name, running, ready, NOON + timedelta(seconds=since_s), at_once, inbound)


def test_seats_are_left_for_callers() -> None:
    assert shares([claim("a", inbound=1)], max_opened_sessions=4, opened=0) == {"a": 3}
    assert shares([claim("a", inbound=1)], max_opened_sessions=4, opened=3) == {"a": 0}
    assert shares([claim("a", inbound=0)], max_opened_sessions=4, opened=3) == {"a": 1}
    assert shares([claim("a", inbound=4)], max_opened_sessions=4, opened=0) == {"a": 0}


def test_a_campaign_has_only_so_many_calls_at_once() -> None:
    assert shares([claim("a", at_once=2)], 8, 0) == {"a": 2}
    assert shares([claim("a", running=2, at_once=2)], 8, 2) == {"a": 0}


def test_nobody_gets_a_seat_who_has_nobody_to_call() -> None:
    assert shares([claim("a", ready=1), claim("b", ready=0)], 8, 0) == {"a": 1, "b": 0}


def test_the_one_with_fewer_calls_is_first_then_the_one_that_waited_longer() -> None:
    assert shares([claim("a", running=2), claim("b", running=0)], 5, 2) == {"a": 0, "b": 2}
    assert shares([claim("a", since_s=5), claim("b", since_s=1)], 2, 0) == {"a": 0, "b": 1}
    assert shares([claim("a"), claim("b"), claim("c")], 6, 0) == {"a": 2, "b": 2, "c": 1}


def test_one_that_leaves_more_seats_does_not_keep_the_other_from_them() -> None:
    assert shares([claim("a", inbound=3), claim("b", inbound=0)], 4, 0) == {"a": 1, "b": 3}


def test_more_sessions_than_seats_give_nobody_one() -> None:
    """Max opened sessions was lowered while calls go on."""
    assert shares([claim("a", inbound=0)], 2, 5) == {"a": 0}
    assert shares([], 2, 0) == {}
