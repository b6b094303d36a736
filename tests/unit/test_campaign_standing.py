"""Why a campaign calls nobody now, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.outbound.standing import Line, holds_back, hours_begin, line_obstacle, next_is_due

pytestmark = pytest.mark.unit

THURSDAY = datetime(2026, 11, 26, 17, 30, tzinfo=UTC)
BERLIN = "Europe/Berlin"
READY = Line("Reception", runs=True, connection="Office", registered=True)


@pytest.mark.parametrize(
    ("ahead", "when"),
    [
        (timedelta(hours=2), "at 20:30 (Europe/Berlin)"),
        (timedelta(hours=14, minutes=30), "on Friday at 09:00 (Europe/Berlin)"),
        (timedelta(days=6), "on Wednesday at 18:30 (Europe/Berlin)"),
        (timedelta(days=7), "on 2026-12-03 at 18:30 (Europe/Berlin)"),
    ],
)
def test_it_says_when_by_the_clock_of_the_zone(ahead: timedelta, when: str) -> None:
    assert hours_begin(THURSDAY + ahead, THURSDAY, BERLIN) == f"Calling hours begin {when}."
    assert next_is_due(THURSDAY + ahead, THURSDAY, BERLIN) == f"The next participant is due {when}."
    assert f"nobody is called before {when.removeprefix('at ').removeprefix('on ')}, then one" in holds_back(
        THURSDAY + ahead, THURSDAY, BERLIN
    )


def test_a_line_that_can_be_called_through_is_no_obstacle() -> None:
    assert line_obstacle(READY) == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line(None, runs=False), "the agent was deleted. Choose another one"),
        (Line("Reception", runs=False, problem="Its password is gone."), "cannot run. Its password is gone."),
        (Line("Reception", runs=False, starts=True), "the agent “Reception” is starting"),
        (Line("Reception", runs=False), "the agent “Reception” is not running. Start it"),
        (Line("Reception", runs=True), "does not use the campaign's connection. Attach it, then restart"),
        (
            Line("Reception", runs=True, connection="Office", registration="Wrong password."),
            "the connection “Office” is not registered. Wrong password.",
        ),
    ],
)
def test_each_obstacle_says_what_to_do(line: Line, words: str) -> None:
    told = line_obstacle(line)
    assert told.startswith("Nobody is called")
    assert words in told
