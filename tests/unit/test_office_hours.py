"""When somebody is there, who stands in for them, and what is wrong with what was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.brains.receptionist import Receptionist, matcher_of
from app.brains.tool_declarations import tools_of
from app.brains.tools import PutThrough, Refused, Toolbox
from app.office_hours import is_there, openings
from app.ports import Result
from app.settings import Agent, Person
from app.transfers import at_hour, is_away, number_of, reached
from tests.fakes.language_model import tool
from tests.unit.test_brains_matching import Letters
from tests.unit.test_receptionist import hears, said

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")
THURSDAY_10 = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
"""Ten o'clock in Berlin."""
THURSDAY_19 = THURSDAY_10 + timedelta(hours=9)
AGENT = Agent(
    name="Reception",
    directory=(
        Person(name="Anna Miller", extension="201", also=("sales",), hours="Mon-Thu 8-18", stand_in="bob stone"),
        Person(name="Bob Stone", extension="202", hours="8-20", stand_in="Night Desk"),
        Person(name="Night Desk", extension="203"),
        Person(name="Carol Hill", extension="204", hours="Mon 8-9"),
    ),
)


@pytest.mark.parametrize(
    ("hours", "days", "clock", "there"),
    [
        ("", range(7), "03:00", True),
        ("Mon-Thu 8-18", range(4), "08:00", True),
        ("Mon-Thu 8-18", range(4), "17:59", True),
        ("Mon-Thu 8-18", range(4), "18:00", False),
        ("Mon-Thu 8-18", range(4, 7), "12:00", False),
        ("mon, wed 9:30-10.15", (0, 2), "10:14", True),
        ("Monday, Wednesday 9:30-10.15", (1, 3, 4, 5, 6), "10:00", False),
        ("Fri-Mon 8-9", (4, 5, 6, 0), "08:30", True),
        ("Fri-Mon 8-9", (1, 2, 3), "08:30", False),
        ("8-12, 13-17", range(7), "13:00", True),
        ("8-12, 13-17", range(7), "12:30", False),
        ("Mon 8-12; Tue 13–24:00;", (1,), "23:59", True),
        ("Sun 0-24", (6,), "00:00", True),
    ],
)
def test_when_somebody_is_there(hours: str, days: range, clock: str, there: bool) -> None:
    monday = datetime.fromisoformat(f"2026-11-23 {clock}")
    assert [is_there(hours, monday + timedelta(days=day)) for day in days] == [there] * len(days)


@pytest.mark.parametrize(
    "text",
    [
        "always",
        "Mon",
        "Mon-Foo 8-9",
        "8",
        "8-9-10",
        "9-8",
        "8-8",
        "8-25",
        "8:60-9",
        "Mon-Tue-Wed 8-9",
        "8-9 Mon",
        "-8-9",
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        openings(text)
    with pytest.raises(ValidationError):
        Person(name="Anna", hours=text)


@pytest.mark.parametrize(
    ("stands_in", "told"),
    [
        ({"Anna": "Eve"}, "must be in the directory"),
        ({"Anna": "Anna"}, "must not lead back"),
        ({"Anna": "Bob", "Bob": "anna"}, "must not lead back"),
        ({"Anna": "Bob", "anna": ""}, "names somebody twice"),
    ],
)
def test_who_stands_in_is_somebody_else_of_the_directory(stands_in: dict[str, str], told: str) -> None:
    people = tuple(Person(name=name, stand_in=who) for name, who in ({"Bob": ""} | stands_in).items())
    with pytest.raises(ValidationError, match=told):
        Agent(name="A", directory=people)


def test_in_the_evening_whoever_stands_in_is_called() -> None:
    day, evening, night = (at_hour(AGENT, THURSDAY_10 + timedelta(hours=later), BERLIN) for later in (0, 9, 13))
    assert [reached(each, "Anna Miller") for each in (day, evening, night)] == [
        "Anna Miller",
        "Bob Stone",
        "Night Desk",
    ]
    assert [is_away(each, "Anna Miller") for each in (day, evening, night)] == [False, True, True]
    assert number_of(evening, "Anna Miller") == "", "and nobody reaches her, whatever is made of it"
    assert reached(day, "Carol Hill") == ""
    assert at_hour(AGENT, THURSDAY_19, UTC) == at_hour(AGENT, THURSDAY_19 - timedelta(hours=1), BERLIN)


def test_a_clock_that_was_not_set_sends_nobody_away() -> None:
    lost = at_hour(AGENT, datetime(1970, 1, 1, tzinfo=UTC), BERLIN)
    assert [reached(lost, each.name) for each in AGENT.directory] == [each.name for each in AGENT.directory]


def brain(now: datetime) -> Receptionist:
    return Receptionist(at_hour(AGENT, now, BERLIN), matcher_of(AGENT, Letters()))


async def test_the_receptionist_says_who_is_away_and_who_stands_in() -> None:
    evening = brain(THURSDAY_19)
    text = await hears(evening, "put me through to sales")
    assert text == "Anna Miller is not here now. I am putting you through to Bob Stone. [-> Bob Stone]"
    back = await said(evening.not_put_through("Bob Stone", Result.BUSY))
    assert back == "I am sorry, Bob Stone is on the telephone. Shall I take a message for Anna Miller?"
    text = await hears(brain(THURSDAY_10), "put me through to carol hill")
    assert text == "Carol Hill is not here now. Shall I take a message for Carol Hill?"
    text = await hears(brain(THURSDAY_10), "put me through to sales")
    assert text == "I am putting you through to Anna Miller. [-> Anna Miller]"


def test_a_language_model_can_ask_for_whoever_is_reached_in_the_end() -> None:
    evening = at_hour(AGENT, THURSDAY_19, BERLIN)
    (transfer,) = [each for each in tools_of(evening) if each.name == "transfer"]
    assert "Carol Hill" not in str(transfer.parameters)
    box = Toolbox(evening, lambda _: [])
    assert box.read(tool("transfer", person="Anna Miller")) == PutThrough("Anna Miller", stands_in=True)
    assert box.read(tool("transfer", person="Bob Stone")) == PutThrough("Bob Stone")
    assert isinstance(box.read(tool("transfer", person="Carol Hill")), Refused)
