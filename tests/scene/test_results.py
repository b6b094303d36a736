"""Calls of ours that bring results, from the seat that is kept for them to what the ledger holds in the end."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from trio.testing import MockClock

from app.brains.receptionist import Receptionist, matcher_of
from app.brains.results import DO_NOT_CALL
from app.conversation import INTERRUPTED_BY
from app.ports import Brain, Direction
from app.settings import Agent, Knowledge, ResultField
from tests.fakes.line import CalledPhone, Utterance
from tests.scene.outgoing import Outgoing, call, picks_up
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

PARKING = "There is a car park behind the building."
APPOINTMENT = ResultField(
    name="appointment",
    type="choice",
    choices=("confirm", "cancel", "reschedule"),
    question="Can you come on {day}?",
    required=True,
)
SATISFACTION = ResultField(name="satisfaction", type="number", question="How was it, from 1 to 10?")
AGENT = Agent(
    name="Reception",
    greeting="Hello {name}.",
    result_fields=(APPOINTMENT, SATISFACTION),
    knowledge=(Knowledge(questions=("where can i park", "is there parking"), answer=PARKING),),
    goodbye="Good-bye.",
)
MATCHER = matcher_of(AGENT, Letters())


class Asking(Outgoing):
    """Somebody is called who says `texts`, one each six seconds."""

    @property
    def agent(self) -> Agent:
        return AGENT

    def brain(self, agent: Agent, direction: Direction) -> Brain:
        return Receptionist(agent, MATCHER, direction)


async def talk(*texts: str, hangs_up_at_ms: int = 120_000) -> Asking:
    said: Mapping[int, str] = dict(enumerate(texts, 1))
    script = [Utterance(number, 6_000 * number, 1_000) for number in said]
    outgoing = Asking(CalledPhone(script, hangs_up_at_ms=hangs_up_at_ms, call_id="out"), texts=said)
    await call(outgoing, picks_up, variables={"name": "Zoë", "day": "Monday"})
    return outgoing


def results(outgoing: Outgoing) -> dict[str, str]:
    return outgoing.ledger.logs[-1].summary.results


def agent_said(outgoing: Outgoing) -> list[str]:
    return [line.text for line in outgoing.ledger.logs[-1].lines if line.speaker == "agent"]


async def test_somebody_confirms_asks_something_and_rates(autojump_clock: MockClock) -> None:
    outgoing = await talk("that works for me", "where can i park", "eight out of ten")
    assert agent_said(outgoing) == [
        "Hello Zoë. Can you come on Monday?",
        "Thank you. How was it, from 1 to 10?",
        f"{PARKING} How was it, from 1 to 10?",
        "Thank you. Good-bye.",
    ]
    assert results(outgoing) == {"appointment": "confirm", "satisfaction": "8"}
    assert outgoing.became == ("answered", "agent", "results taken")


async def test_somebody_who_hangs_up_in_between_leaves_what_they_said(autojump_clock: MockClock) -> None:
    outgoing = await talk("can we move it to another day", hangs_up_at_ms=11_000)
    assert results(outgoing) == {"appointment": "reschedule"}
    assert outgoing.became == ("answered", "callee", "")


async def test_what_was_said_last_before_they_hung_up_counts(autojump_clock: MockClock) -> None:
    outgoing = await talk("i can not make it", hangs_up_at_ms=7_050)
    assert results(outgoing) == {"appointment": "cancel"}


async def test_nothing_understood_is_on_record_as_that(autojump_clock: MockClock) -> None:
    outgoing = await talk("the moon", "the sea", "the hill", "five")
    log = outgoing.ledger.logs[-1]
    assert results(outgoing) == {"appointment": "", "satisfaction": "5"}
    noted = [note.text for note in log.notes if not note.text.startswith(INTERRUPTED_BY)]
    assert noted == ["“appointment” was asked for and not found out."]
    assert outgoing.became == ("answered", "agent", "results incomplete")


async def test_whoever_does_not_want_to_be_called_again(autojump_clock: MockClock) -> None:
    outgoing = await talk("please do not call me again")
    assert results(outgoing) == {"appointment": "", DO_NOT_CALL: "yes"}
    assert agent_said(outgoing)[-1] == "I am sorry. You will not be called again. Good-bye."
    assert outgoing.became == ("answered", "agent", "asked not to be called")


async def test_silence_ends_with_nothing_found_out(autojump_clock: MockClock) -> None:
    outgoing = await talk()
    assert results(outgoing) == {"appointment": ""}
    assert outgoing.became == ("answered", "agent", "silence")
