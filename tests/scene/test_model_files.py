"""Calls in which a language model answers from its owner's files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from trio.testing import MockClock

from app.brains.language_model import ModelBrain
from app.brains.passages import Library, Passage
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist, matcher_of
from app.settings import Agent
from tests.fakes.language_model import FakeModel, Written, at_once
from tests.scene.stage import Scene, play
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

AGENT = Agent(name="Reception", pause_ms=450)
MATCHER = matcher_of(AGENT, Letters())
NOW = datetime(2026, 11, 26, 10, 57, tzinfo=UTC)
PERMIT = "A parking permit costs thirty euros a year."
DOGS = "Dogs are registered at the tax office, within two weeks."
FILES = Library([Passage("town.pdf", 1, DOGS), Passage("town.pdf", 2, PERMIT)])
ASKS, ASKS_AGAIN = (500, 1_500, "how much is a parking permit"), (9_000, 1_500, "and where do i register my dog")


async def call(*answers: Written) -> tuple[Scene, FakeModel]:
    model = FakeModel(list(answers))
    receptionist = Receptionist(AGENT, MATCHER, asks=False)
    brain = ModelBrain(
        AGENT, receptionist, model, prompt=system_prompt(AGENT), first_word_s=3.0, now=NOW, library=FILES
    )
    return await play([ASKS, ASKS_AGAIN], brain, agent=AGENT, hangs_up_at_ms=20_000), model


async def test_it_is_given_what_the_question_is_about_and_the_session_cites_it(autojump_clock: MockClock) -> None:
    scene, model = await call(at_once("It costs thirty euros a year."), at_once("I would have to ask."))
    first, second = model.asked
    assert PERMIT in first[-1].text
    assert DOGS not in first[-1].text
    assert [each.text for each in scene.log.notes] == ["Answered from: town.pdf, passage 2."]
    assert DOGS in second[-1].text


async def test_what_was_sent_before_stays_as_it_was_for_servers_that_keep_it(autojump_clock: MockClock) -> None:
    _, model = await call(at_once("It costs thirty euros a year."), at_once("At the tax office."))
    first, second = model.asked
    assert second[0] == first[0]
    assert second[1].text == first[1].text.partition("\n")[0], "only the last words have anything with them"
    assert PERMIT not in second[1].text
