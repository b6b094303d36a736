"""Whole calls in which something is spelled: what the recogniser is told to expect, what is said and what is kept."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.brains.receptionist import Receptionist, matcher_of
from app.dictation import Dictated
from app.ports import Brain, Direction
from app.settings import Agent, ResultField
from tests.fakes.line import CalledPhone, Utterance
from tests.scene.outgoing import Outgoing, call, picks_up
from tests.scene.test_results import agent_said, results
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

AGENT = Agent(
    name="Reception",
    greeting="Hello {name}.",
    result_fields=(
        ResultField(name="last name", question="Please spell your last name.", required=True),
        ResultField(name="e-mail", question="And your e-mail address?", required=True),
    ),
    goodbye="Good-bye.",
)
MATCHER = matcher_of(AGENT, Letters())


class Spelling(Outgoing):
    @property
    def agent(self) -> Agent:
        return AGENT

    def brain(self, agent: Agent, direction: Direction) -> Brain:
        return Receptionist(agent, MATCHER, direction)


async def talk(*texts: str) -> Spelling:
    """Somebody is called who says `texts`, one each twenty seconds."""
    script = [Utterance(number, 20_000 * number, 1_000) for number in range(1, len(texts) + 1)]
    outgoing = Spelling(CalledPhone(script, hangs_up_at_ms=300_000, call_id="out"), texts=dict(enumerate(texts, 1)))
    await call(outgoing, picks_up, variables={"name": "Zoë"})
    return outgoing


async def test_a_name_and_an_address_come_through_as_text(autojump_clock: MockClock) -> None:
    outgoing = await talk("n i l l s", "no m as in mike", "yes", "j dot mills at g mail dot com", "correct")
    assert results(outgoing) == {"last name": "Mills", "e-mail": "j.mills@gmail.com"}
    assert agent_said(outgoing)[:4] == [
        "Hello Zoë. Please spell your last name.",
        "I noted N, I, L, L, S. Is that right?",
        "I noted M as in Mike, I as in India, L as in Lima, L as in Lima, S as in Sierra. Is that right?",
        "Thank you. And your e-mail address?",
    ]
    said = [line.text for line in outgoing.ledger.logs[-1].lines if line.speaker == "caller"]
    assert said == ["Nills", "no m as in mike", "yes", "j.mills@gmail.com", "correct"]
    assert outgoing.became == ("answered", "agent", "results taken")


async def test_the_recogniser_knows_what_is_read_out(autojump_clock: MockClock) -> None:
    outgoing = await talk("s m i d h", "no", "sierra mike india tango hotel", "yes", "a at b dot com", "yes")
    letters, words = Dictated.LETTERS.value, Dictated.SPELLING_WORDS.value
    assert outgoing.heard_by.opened[0].expected == [letters, words, words, words, letters, words]
    assert results(outgoing) == {"last name": "Smith", "e-mail": "a@b.com"}
