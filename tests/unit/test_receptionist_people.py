"""Whole dialogues about people whom the caller wants to speak to."""

from __future__ import annotations

import pytest

from app.brains.receptionist import Receptionist, matcher_of
from app.ports import Expects, Heard, Result
from app.settings import Agent, Person
from tests.unit.test_brains_matching import Letters
from tests.unit.test_receptionist import AGENT, PARKING, hears, receptionist, said, talk

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("asked", ["i would like to speak to peter hoffman", "put me through to oral surgery please"])
async def test_it_puts_through_to_people_who_have_an_extension(asked: str) -> None:
    brain = receptionist()
    assert await hears(brain, asked) == "I am putting you through to Peter Hoffman. [-> Peter Hoffman]"
    assert brain.results == {"wanted": "Peter Hoffman"}
    assert not brain.is_asking


async def test_whoever_interrupts_the_announcement_is_answered_as_ever() -> None:
    brain = receptionist()
    await hears(brain, "i would like to speak to peter hoffman")
    brain.interrupted("I am putting you")
    assert await hears(brain, "where can i park") == PARKING


async def test_somebody_is_asked_whom_they_mean_and_nobody_is_asked_twice() -> None:
    await talk(
        receptionist(),
        ("can i talk to a real person please", "Whom would you like to speak to?", Expects.ANYTHING),
        ("can i talk to a real person please", "I cannot put you through without a name. Shall I", Expects.YES_NO),
    )
    only = Agent(name="small", directory=(Person(name="Anna", extension="12"), Person(name="Bob")))
    brain = Receptionist(only, matcher_of(only, Letters()))
    assert await hears(brain, "operator please") == "I am putting you through to Anna. [-> Anna]"


@pytest.mark.parametrize(
    ("own", "general", "answer"),
    [
        ("put me through to sales", "put me through to say also", "I am putting you through to Anna. [-> Anna]"),
        ("can i talk to a real person please", "can i talk to a reel person", "Whom would you like to speak to?"),
    ],
)
async def test_a_name_that_one_recogniser_heard_is_a_name(own: str, general: str, answer: str) -> None:
    people = (Person(name="Anna", extension="12", also=("sales",)), Person(name="Bob", extension="13"))
    agent = Agent(name="small", directory=people)
    brain = Receptionist(agent, matcher_of(agent, Letters()))
    assert await said(brain.reply(Heard(own, general))) == answer


async def test_people_without_an_extension_get_a_message() -> None:
    alone = Agent(name="alone", directory=(Person(name="Bob Stone", extension=" "),))
    await talk(
        Receptionist(alone, matcher_of(alone, Letters())),
        ("can i speak to bob stone", "I cannot put you through to Bob Stone. Shall I take a message", Expects.YES_NO),
        ("yes please", "I will take a message for Bob Stone. What is your name", Expects.NAME),
    )


@pytest.mark.parametrize(
    ("why", "because"),
    [
        (Result.BUSY, "Peter Hoffman is on the telephone."),
        (Result.NO_ANSWER, "Peter Hoffman does not answer."),
        (Result.DECLINED, "Peter Hoffman cannot take your call now."),
        *((each, "I cannot put you through to Peter Hoffman.") for each in (Result.FAILED, Result.UNREACHABLE)),
    ],
)
async def test_who_comes_back_is_told_why(why: Result, because: str) -> None:
    brain = receptionist()
    await hears(brain, "i would like to speak to peter hoffman")
    offer = "Shall I take a message for Peter Hoffman?"
    assert await said(brain.not_put_through("Peter Hoffman", why)) == f"I am sorry, {because} {offer}"
    assert brain.is_asking
    assert await hears(brain, "no") == "All right. Is there anything else I can do for you?"


async def test_who_comes_back_leaves_a_message() -> None:
    brain = receptionist()
    await hears(brain, "i would like to speak to peter hoffman")
    await said(brain.not_put_through("Peter Hoffman", Result.BUSY))
    await talk(
        brain,
        ("yes please", "I will take a message for Peter Hoffman. What is your name", Expects.NAME),
        ("my name is john smith", "Thank you. And your telephone number", Expects.NUMBER),
        ("five five five oh one four two", "John Smith. 5 5 5, 0 1 4 2. Is that right?", Expects.YES_NO),
        ("yes", "Thank you. What may I tell Peter Hoffman?", Expects.MESSAGE),
        ("my crown came off again", "Thank you. I have noted your message for Peter Hoffman.", Expects.ANYTHING),
        ("no thank you", f"{AGENT.goodbye} [message taken]", Expects.ANYTHING),
    )
    assert brain.results == {
        "wanted": "Peter Hoffman",
        "message_for": "Peter Hoffman",
        "message_name": "John Smith",
        "message_number": "5550142",
        "message": "my crown came off again",
    }
