"""Where a number is asked for, keys are an answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pytest
from trio.testing import MockClock

from app.brains.receptionist import Receptionist, matcher_of
from app.ports import Expects, Say
from app.settings import Agent, ResultField
from app.turns.keys import PAUSE_MS, Dtmf
from tests.scene.stage import CHUNK_MS, Scene, ScriptedBrain, play
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

AGENT = Agent(name="Reception", pause_ms=450, silence_s=30.0)
ASKS_FOR_MESSAGE = [(500, 1_000, "can i leave a message"), (7_000, 1_000, "john smith")]
ASKED_MS = 15_000
"""The question for the number has been heard."""

ODDS_MS = 2 * CHUNK_MS + 25 + 20


def typed(text: str, at_ms: int = ASKED_MS, every_ms: int = 400) -> list[Dtmf]:
    times = accumulate([every_ms] * (len(text) - 1), initial=at_ms)
    return [Dtmf(digit, ms) for digit, ms in zip(text, times, strict=True)]


async def message(
    keys: list[Dtmf], ends_ms: int = 30_000, tones: Sequence[Dtmf] = (), *, has_key_events: bool = True
) -> tuple[Receptionist, Scene]:
    brain = Receptionist(AGENT, matcher_of(AGENT, Letters()))
    return brain, await play(
        ASKS_FOR_MESSAGE,
        brain,
        agent=AGENT,
        keys=keys,
        tones=tones,
        has_key_events=has_key_events,
        hangs_up_at_ms=ends_ms,
    )


@pytest.mark.parametrize(("text", "after_ms"), [("5550142#", 0), ("5550142", PAUSE_MS)])
async def test_a_keyed_number_is_read_back_as_a_spoken_one(autojump_clock: MockClock, text: str, after_ms: int) -> None:
    keys = typed(text)
    brain, scene = await message(keys)
    assert brain.results["message_number"] == "5550142"
    assert scene.said_by("caller") == ["can i leave a message", "john smith", "5550142"]
    back = scene.lines("agent")[-1]
    assert back.text == "John Smith. 5 5 5, 0 1 4 2. Is that right?"
    assert back.start_ms - keys[-1].at_ms - after_ms <= ODDS_MS


async def test_keys_that_come_as_tones_in_the_audio(autojump_clock: MockClock) -> None:
    brain, scene = await message([], tones=typed("5550142#"), has_key_events=False)
    assert brain.results["message_number"] == "5550142"
    assert scene.said_by("caller") == ["can i leave a message", "john smith", "5550142"], "no tone is taken for a word"


@pytest.mark.parametrize("has_key_events", [True, False])
async def test_a_telephone_that_sends_messages_and_tones_pressed_once(
    autojump_clock: MockClock, has_key_events: bool
) -> None:
    keys = typed("5550142#")
    later = [Dtmf(each.digit, each.at_ms + 140) for each in keys]
    brain, scene = await message(later, tones=keys, has_key_events=has_key_events)
    assert brain.results["message_number"] == "5550142"
    assert scene.said_by("caller") == ["can i leave a message", "john smith", "5550142"]


async def test_tones_where_keys_come_as_events_are_not_counted_and_not_heard(autojump_clock: MockClock) -> None:
    brain, scene = await message([], tones=typed("5550142#"))
    assert "message_number" not in brain.results
    assert scene.said_by("caller") == ["can i leave a message", "john smith"]


async def test_a_wrong_key_is_taken_back_with_the_star(autojump_clock: MockClock) -> None:
    brain, _ = await message(typed("5559*5550142#"))
    assert brain.results["message_number"] == "5550142"


async def test_slow_typists_are_not_interrupted(autojump_clock: MockClock) -> None:
    brain, scene = await message(typed("5550142#", every_ms=2_500), ends_ms=45_000)
    assert brain.results["message_number"] == "5550142"
    assert "Are you still there?" not in scene.said_by("agent")


async def test_whoever_knows_the_question_need_not_hear_it_to_its_end(autojump_clock: MockClock) -> None:
    keys = typed("5550142#", at_ms=9_200)
    brain, scene = await message(keys)
    assert brain.results["message_number"] == "5550142"
    question = scene.lines("agent")[1]
    assert (question.text, question.interrupted) == ("Thank", True)
    assert question.end_ms - 9_200 <= 250


async def test_keys_mean_nothing_where_no_number_is_asked_for(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.", answers={"hi": [Say("Hi.")]})
    scene = await play([(4_000, 500, "hi")], brain, keys=typed("123#", at_ms=2_000), hangs_up_at_ms=8_000)
    assert brain.heard == ["hi"]
    assert scene.said_by("agent") == ["Hello.", "Hi."]


async def test_a_result_that_is_a_number_may_be_keyed(autojump_clock: MockClock) -> None:
    field = ResultField(name="satisfaction", type="number", question="How satisfied are you, from 1 to 10?")
    agent = AGENT.model_copy(update={"greeting": "Good day.", "result_fields": (field,)})
    brain = Receptionist(agent, matcher_of(agent, Letters()))
    scene = await play([], brain, agent=agent, keys=typed("7#", at_ms=6_000), hangs_up_at_ms=12_000)
    assert brain.results == {"satisfaction": "7"}
    assert scene.said_by("caller") == ["7"]


async def test_keys_before_the_end_of_the_call_still_count(autojump_clock: MockClock) -> None:
    """Somebody types their number and hangs up."""
    brain = ScriptedBrain(greeting="Your number?", expects=Expects.NUMBER)
    await play([], brain, keys=typed("5550142", at_ms=2_000), hangs_up_at_ms=5_000)
    assert brain.heard == ["5550142"]


@pytest.mark.parametrize("ends_ms", [18_020, 30_000], ids=["and hangs up", "and waits"])
async def test_a_word_right_after_the_last_key_takes_no_number_back(autojump_clock: MockClock, ends_ms: int) -> None:
    """Nobody types again what they have typed. The answer cannot be heard yet as the word begins."""
    keys = typed("5550142#")
    brain = Receptionist(AGENT, matcher_of(AGENT, Letters()))
    script = [*ASKS_FOR_MESSAGE, (keys[-1].at_ms + 40, 300, "there")]
    scene = await play(script, brain, agent=AGENT, keys=keys, hangs_up_at_ms=ends_ms)
    assert brain.results["message_number"] == "5550142"
    assert scene.said_by("caller") == ["can i leave a message", "john smith", "5550142"]
