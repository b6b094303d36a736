"""Nobody says anything, or nothing of it comes through."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.ports import Say
from app.settings import Agent
from tests.fakes.speech import VOICE_MS_PER_CHARACTER
from tests.scene.stage import CHUNK_MS, ScriptedBrain, play

pytestmark = pytest.mark.scene

CHECK_IN, GOODBYE = "Are you still there?", "Good-bye."
BRIEF = Agent(name="Test", pause_ms=450, silence_s=10)
HOURS = "We are open from nine to five on weekdays and from ten to two on Saturdays."
EXACT_MS = 100
LEAVES_AFTER_MS = 60_000  # once the good-bye could not be said


async def test_silence_is_asked_about_at_half_time_and_ends_with_a_spoken_goodbye(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(greeting="Hello."), hangs_up_at_ms=120_000)
    hello, check_in, goodbye = scene.log.lines
    assert (check_in.text, goodbye.text) == (CHECK_IN, GOODBYE)
    assert check_in.start_ms - hello.end_ms == pytest.approx(30_000, abs=EXACT_MS)
    assert goodbye.start_ms - hello.end_ms == pytest.approx(60_000, abs=EXACT_MS)
    assert scene.conclusion == "silence"
    assert scene.ended_at_ms == pytest.approx(goodbye.end_ms, abs=40)


async def test_a_caller_who_talks_for_long_is_not_asked_whether_they_are_there(autojump_clock: MockClock) -> None:
    scene = await play([(1_000, 25_000, "my story")], ScriptedBrain(), agent=BRIEF, hangs_up_at_ms=28_000)
    assert scene.said_by("agent") == ["Sorry?"]


async def test_the_silence_counts_from_the_end_of_an_answer(autojump_clock: MockClock) -> None:
    answer = " ".join([HOURS] * 5)
    assert len(answer) * VOICE_MS_PER_CHARACTER > 2 * BRIEF.silence_s * 1000
    brain = ScriptedBrain(answers={"when do you open": [Say(answer)]})
    scene = await play([(1_000, 800, "when do you open")], brain, agent=BRIEF, hangs_up_at_ms=120_000)
    said, check_in, goodbye = scene.lines("agent")
    assert (said.text, check_in.text, goodbye.text) == (answer, CHECK_IN, GOODBYE)
    assert check_in.start_ms - said.end_ms == pytest.approx(5_000, abs=EXACT_MS)
    assert goodbye.start_ms - said.end_ms == pytest.approx(10_000, abs=EXACT_MS)


async def test_words_after_the_check_in_restart_the_silence(autojump_clock: MockClock) -> None:
    scene = await play([(8_000, 800, "hm")], ScriptedBrain(), agent=BRIEF, hangs_up_at_ms=120_000)
    assert scene.said_by("agent") == [CHECK_IN, "Sorry?", CHECK_IN, GOODBYE]
    _, sorry, again, goodbye = scene.lines("agent")
    assert again.start_ms - sorry.end_ms == pytest.approx(5_000, abs=EXACT_MS)
    assert goodbye.start_ms - sorry.end_ms == pytest.approx(10_000, abs=EXACT_MS)


async def test_a_call_put_on_hold_in_an_answer_is_left_in_the_end(autojump_clock: MockClock) -> None:
    """The line takes no more from us: neither the answer nor the good-bye gets out, and they would wait for ever."""
    brain = ScriptedBrain(answers={"when do you open": [Say(HOURS)]})
    script = [(1_000, 800, "when do you open")]
    scene = await play(script, brain, agent=BRIEF, held_from_ms=4_000, hangs_up_at_ms=3_600_000)
    assert scene.ended_at_ms == pytest.approx(4_000 + 10_000 + LEAVES_AFTER_MS, abs=EXACT_MS)
    assert scene.conclusion == "silence"
    (line,) = scene.lines("agent")
    assert line.interrupted
    assert len(line.text) * VOICE_MS_PER_CHARACTER <= line.end_ms - line.start_ms
    assert not scene.sounds_between(4_000, scene.ended_at_ms)


async def test_a_call_put_on_hold_in_silence_is_left_in_the_end(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.")
    scene = await play([], brain, agent=BRIEF, held_from_ms=3_000, hangs_up_at_ms=3_600_000)
    (hello,) = scene.log.lines
    assert scene.ended_at_ms == pytest.approx(hello.end_ms + 10_000 + LEAVES_AFTER_MS, abs=EXACT_MS)
    assert scene.conclusion == "silence"


async def test_a_call_on_hold_whose_caller_speaks_is_not_left(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.")
    scene = await play([(60_000, 800, "hello")], brain, agent=BRIEF, held_from_ms=3_000, hangs_up_at_ms=3_600_000)
    assert scene.ended_at_ms == pytest.approx(60_800 + 10_000 + LEAVES_AFTER_MS, abs=600 + CHUNK_MS)


async def test_a_brain_that_thinks_for_long_is_not_taken_for_silence(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"when do you open": [Say("At nine.")]}, thinks_s=8.0)
    scene = await play([(1_000, 800, "when do you open")], brain, agent=BRIEF, hangs_up_at_ms=22_000)
    assert scene.said_by("agent") == ["At nine."]


async def test_hold_ends_a_call_whose_answer_waits_for_the_agents_last_one(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    agent = Agent(name="Test", barge_in=False, silence_s=10)
    script = [(3_000, 800, "hello")]
    scene = await play(script, brain, agent=agent, held_from_ms=2_000, hangs_up_at_ms=3_600_000)
    assert scene.ended_at_ms == pytest.approx(3_800 + 10_000 + LEAVES_AFTER_MS, abs=600 + CHUNK_MS)
