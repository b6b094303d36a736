"""Whether a participant is called again, and what becomes of a communication."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from app.control.campaigns import Status
from app.outbound.campaign import Campaign, Retried, Retry
from app.outbound.retries import LONGEST, after, status_of
from app.ports import Result

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def campaign(*retries: Retry, attempts: int = 6) -> Campaign:
    return Campaign(name="Survey", agent_id="a", retries=retries, attempts=attempts)


def until_over(outcome: str, rules: Campaign) -> tuple[list[float], Status]:
    """Minutes before each call after the first, where all end alike; and what becomes of it."""
    pauses: list[float] = []
    while isinstance(then := after(outcome, {outcome: len(pauses) + 1}, len(pauses) + 1, rules, NOW), datetime):
        pauses.append((then - NOW).total_seconds() / 60)
    return pauses, then


def test_pauses_grow() -> None:
    rule = Retry(after="busy", attempts=4, wait_minutes=10, growth=2.0)
    assert until_over("busy", campaign(rule)) == ([10, 20, 40], "NoResponse")
    assert until_over("busy", campaign(rule.model_copy(update={"growth": 1.0}))) == ([10, 10, 10], "NoResponse")


def test_no_pause_is_longer_than_two_weeks() -> None:
    rule = Retry(after="busy", attempts=10, wait_minutes=60 * 24 * 14, growth=4.0)
    assert until_over("busy", campaign(rule, attempts=20))[0] == [LONGEST.total_seconds() / 60] * 9


def test_a_communication_has_only_so_many_calls_however_they_end() -> None:
    rules = campaign(Retry(after="busy", attempts=4), Retry(after="no answer", attempts=4), attempts=3)
    assert isinstance(after("busy", {"no answer": 1, "busy": 1}, 2, rules, NOW), datetime)
    assert after("busy", {"no answer": 1, "busy": 2}, 3, rules, NOW) == "NoResponse"


def test_each_outcome_counts_for_itself() -> None:
    rules = campaign(Retry(after="busy", attempts=2), Retry(after="no answer", attempts=3))
    assert isinstance(after("no answer", {"busy": 1, "no answer": 2}, 3, rules, NOW), datetime)
    assert after("busy", {"busy": 2, "no answer": 1}, 3, rules, NOW) == "NoResponse"


def test_whoever_said_no_is_not_called_again_by_default_nor_a_number_that_does_not_exist() -> None:
    default = Campaign(name="Survey", agent_id="a")
    assert until_over("declined", default) == ([], "NoResponse")
    assert until_over("unreachable", default) == ([], "Failed")
    assert until_over("cancelled", default) == ([], "Canceled")
    assert until_over("answered", default) == ([], "Completed")
    assert until_over("unknown", default) == ([60], "Failed")
    assert until_over("machine", default) == ([240], "NoResponse")


def test_every_outcome_has_a_status_and_every_retried_one_is_an_outcome() -> None:
    words = {each.value for each in Result}
    assert set(get_args(Retried)) <= words
    assert {word: status_of(word) for word in words} == {
        "answered": "Completed",
        "transferred": "Completed",
        "message left": "Completed",
        "busy": "NoResponse",
        "declined": "NoResponse",
        "no answer": "NoResponse",
        "machine": "NoResponse",
        "unreachable": "Failed",
        "failed": "Failed",
        "network error": "Failed",
        "capacity": "Failed",
        "unknown": "Failed",
        "cancelled": "Canceled",
    }
    assert status_of("a word of a later version") == "Failed"
