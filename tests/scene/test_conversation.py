"""Whole calls, told as scripts. Instants are asserted: the clock is virtual, and the frames are the clock."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.ports import HangUp, Say
from app.settings import Agent
from tests.scene.stage import VOICE_MS_PER_CHARACTER, ScriptedBrain, play

pytestmark = pytest.mark.scene

PAUSE_MS = 450
CHUNK_MS = 32


async def test_greeting_comes_first_and_is_in_the_transcript(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(greeting="Good morning."), hangs_up_at_ms=3_000)
    (line,) = scene.log.lines
    assert (line.speaker, line.text, line.interrupted) == ("agent", "Good morning.", False)
    assert line.start_ms <= 40
    assert line.end_ms - line.start_ms == len("Good morning.") * VOICE_MS_PER_CHARACTER
    assert scene.outcome == "ended by caller"


async def test_without_a_greeting_the_agent_waits(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(), hangs_up_at_ms=5_000)
    assert not any(any(frame) for frame in scene.call.mouth.sent)


async def test_answers_after_the_natural_pause_and_says_where_the_time_went(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"when do you open": [Say("At nine.")]})
    scene = await play([(1_000, 1_000, "when do you open")], brain, hangs_up_at_ms=6_000)
    assert scene.said_by("caller") == ["when do you open"]
    assert scene.said_by("agent") == ["At nine."]
    (turn,) = scene.log.turns
    assert abs(turn.speech_end_ms - 2_000) <= CHUNK_MS
    assert PAUSE_MS <= turn.commit_ms - turn.speech_end_ms <= PAUSE_MS + CHUNK_MS
    assert turn.response_ms <= PAUSE_MS + CHUNK_MS + 45  # the voice's first audio, and a frame
    assert turn.decode_ms == 80
    assert turn.voice_ms == pytest.approx(25)


async def test_a_short_pause_does_not_cut_the_caller_off(autojump_clock: MockClock) -> None:
    script = [(500, 600, "i would like to"), (1_100 + 350, 600, "speak to anna")]
    brain = ScriptedBrain()
    scene = await play(script, brain, hangs_up_at_ms=5_000)
    assert brain.heard == ["i would like to speak to anna"]
    assert len(scene.log.turns) == 1


async def test_going_on_before_the_answer_is_audible_makes_it_one_turn(autojump_clock: MockClock) -> None:
    """The pause committed, but the caller spoke again before the agent did."""
    first_ends = 1_100
    script = [(500, 600, "five five five"), (first_ends + PAUSE_MS - 60, 600, "oh one four two")]
    brain = ScriptedBrain()
    scene = await play(script, brain, hangs_up_at_ms=6_000)
    assert brain.heard[-1] == "five five five oh one four two"
    assert len(scene.log.turns) == 1


async def test_interruption_silences_at_once_and_cuts_the_transcript(autojump_clock: MockClock) -> None:
    long = "We are open from nine to five on weekdays and from ten to two on Saturdays."
    brain = ScriptedBrain(greeting=long, answers={"thank you": [Say("Good-bye."), HangUp("done")]})
    scene = await play([(2_000, 800, "thank you")], brain, hangs_up_at_ms=10_000)
    cut, goodbye = [line for line in scene.log.lines if line.speaker == "agent"]
    assert cut.interrupted
    assert long.startswith(cut.text)
    assert brain.cut == [cut.text]
    assert 2_160 <= cut.end_ms <= 2_160 + 2 * CHUNK_MS
    silent_from = cut.end_ms // 20 + 1
    assert not any(any(frame) for frame in scene.call.mouth.sent[silent_from : silent_from + 30])
    assert goodbye.text == "Good-bye."
    assert scene.outcome == "done"


async def test_a_cough_does_not_interrupt(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="We are open from nine to five on weekdays.")
    scene = await play([(1_000, 120, "uh")], brain, hangs_up_at_ms=5_000)
    assert scene.said_by("agent") == ["We are open from nine to five on weekdays."]
    assert brain.heard == []


async def test_with_barge_in_off_the_agent_finishes_and_then_answers(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="We are open from nine to five on weekdays.")
    agent = Agent(name="Test", barge_in=False)
    scene = await play([(1_000, 800, "hello")], brain, agent=agent, hangs_up_at_ms=5_000)
    assert scene.said_by("agent") == ["We are open from nine to five on weekdays.", "Sorry?"]
    assert not scene.log.lines[0].interrupted


async def test_silence_is_asked_about_at_half_time_and_ends_with_a_spoken_goodbye(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.")
    scene = await play([], brain, hangs_up_at_ms=120_000)
    hello, check_in, goodbye = scene.log.lines
    assert (check_in.text, goodbye.text) == ("Are you still there?", "Good-bye.")
    assert check_in.start_ms - hello.end_ms == pytest.approx(30_000, abs=100)
    assert goodbye.start_ms - hello.end_ms == pytest.approx(60_000, abs=100)
    assert scene.outcome == "silence"
    assert scene.ended_at_ms == pytest.approx(goodbye.end_ms, abs=40)


async def test_words_restart_the_silence(autojump_clock: MockClock) -> None:
    agent = Agent(name="Test", silence_s=10)
    scene = await play([(6_000, 500, "hm")], ScriptedBrain(), agent=agent, hangs_up_at_ms=60_000)
    sorry = next(line for line in scene.log.lines if line.text == "Sorry?")
    assert scene.log.lines[-1].start_ms - sorry.end_ms == pytest.approx(10_000, abs=100)


async def test_hanging_up_in_mid_sentence_leaves_what_was_said(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(greeting="We are open from nine to five."), hangs_up_at_ms=900)
    (line,) = scene.log.lines
    assert line.interrupted
    assert "We are open from nine to five.".startswith(line.text)
    assert len(line.text) * VOICE_MS_PER_CHARACTER <= 900


async def test_the_agent_hangs_up_only_after_its_last_word(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"bye": [Say("Good-bye, and thank you."), HangUp("done")]})
    scene = await play([(500, 500, "bye")], brain)
    assert scene.said_by("agent") == ["Good-bye, and thank you."]
    assert scene.outcome == "done"
