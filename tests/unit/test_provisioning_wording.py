"""How the page says what the box tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.control.views import RegistrationView
from provisioning.web import wording

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "zone", "said"),
    [
        (timedelta(0), "UTC", "Today, 09:00"),
        (timedelta(hours=10), "UTC", "Yesterday, 23:00"),
        (timedelta(hours=10), "Asia/Kolkata", "Today, 04:30"),
        (timedelta(days=3), "Europe/Berlin", "Sun 22 Nov, 10:00"),
        (timedelta(days=400), "UTC", "Tue 21 Oct 2025, 09:00"),
        (timedelta(hours=-20), "UTC", "Thu 26 Nov, 05:00"),
    ],
)
def test_a_moment_is_said_as_people_say_it_in_their_zone(before: timedelta, zone: str, said: str) -> None:
    assert wording.when(NOW - before, zone, NOW) == said


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (65.9, "1:05"), (3600, "60:00")])
def test_a_call_has_a_length_once_it_is_over(seconds: float, said: str) -> None:
    assert wording.length(NOW, NOW + timedelta(seconds=seconds)) == said
    assert wording.length(NOW, None) == ""


@pytest.mark.parametrize(("seconds", "said"), [(59, "0 min"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")])
def test_a_span_says_enough(seconds: int, said: str) -> None:
    assert wording.span(seconds) == said


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("answered", "good"),
        ("declined", ""),
        ("capacity", "busy"),
        ("network error", "bad"),
        ("a word of an older version", ""),
    ],
)
def test_what_went_wrong_stands_out(outcome: str, kind: str) -> None:
    assert wording.outcome_kind(outcome) == kind


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("401 Unauthorized", "The phone system answered “401 Unauthorized”."),
        ("Name or service not known", "Name or service not known."),
        ("", "There was no answer."),
    ],
)
def test_only_the_phone_system_is_quoted_as_the_phone_system(answer: str, said: str) -> None:
    assert wording.answered(RegistrationView(cause="", registered=False, text="", answer=answer)) == said
