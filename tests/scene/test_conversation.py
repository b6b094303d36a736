"""Whole calls, told as scripts. Instants are asserted: the clock is virtual, and the frames are the clock."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.ports import HangUp, Say
from tests.fakes.speech import FIRST_AUDIO_S, VOICE_MS_PER_CHARACTER, FakeVoice
from tests.scene.stage import CHUNK_MS, ScriptedBrain, play

pytestmark = pytest.mark.scene

PAUSE_MS = 450
HOURS = "We are open from nine to five on weekdays and from ten to two on Saturdays."


async def test_greeting_comes_first_and_is_in_the_transcript(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(greeting="Good morning."), hangs_up_at_ms=3_000)
    (line,) = scene.log.lines
    assert (line.speaker, line.text, line.interrupted) == ("agent", "Good morning.", False)
    assert line.start_ms <= 40
    assert line.end_ms - line.start_ms == len("Good morning.") * VOICE_MS_PER_CHARACTER
    assert scene.conclusion == ""


async def test_without_a_greeting_the_agent_waits(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(), hangs_up_at_ms=5_000)
    assert not scene.sounds_between(0, 5_000)


async def test_answers_after_the_natural_pause_and_says_where_the_time_went(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"when do you open": [Say("At nine.")]})
    scene = await play([(1_000, 1_000, "when do you open")], brain, hangs_up_at_ms=6_000)
    assert scene.said_by("caller") == ["when do you open"]
    assert scene.said_by("agent") == ["At nine."]
    (turn,) = scene.log.turns
    assert abs(turn.speech_end_ms - 2_000) <= CHUNK_MS
    assert PAUSE_MS <= turn.commit_ms - turn.speech_end_ms <= PAUSE_MS + 2 * CHUNK_MS
    assert turn.response_ms <= PAUSE_MS + 2 * CHUNK_MS + FIRST_AUDIO_S * 1000 + 40  # and two frames
    assert turn.decode_ms == 80
    assert turn.voice_ms == pytest.approx(FIRST_AUDIO_S * 1000)


async def test_hanging_up_in_mid_sentence_leaves_what_was_said(autojump_clock: MockClock) -> None:
    scene = await play([], ScriptedBrain(greeting=HOURS), hangs_up_at_ms=900)
    (line,) = scene.log.lines
    assert line.interrupted
    assert HOURS.startswith(line.text)
    assert len(line.text) * VOICE_MS_PER_CHARACTER <= 900


async def test_words_that_a_slow_voice_has_not_made_yet_were_not_heard(autojump_clock: MockClock) -> None:
    """Of what was made, everything has gone out: that is a part of the sentence, not its end."""
    scene = await play([], ScriptedBrain(greeting=HOURS), voice=FakeVoice(chunk_s=1.0), hangs_up_at_ms=5_000)
    (line,) = scene.log.lines
    assert line.interrupted
    assert line.text
    assert HOURS.startswith(line.text)
    assert len(line.text) * VOICE_MS_PER_CHARACTER <= 500 + VOICE_MS_PER_CHARACTER  # five chunks; the last letter


async def test_the_agent_hangs_up_only_after_its_last_word(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"bye": [Say("Good-bye, and thank you."), HangUp("done")]})
    scene = await play([(500, 500, "bye")], brain)
    assert scene.said_by("agent") == ["Good-bye, and thank you."]
    assert scene.conclusion == "done"


@pytest.mark.parametrize("hangs_up_after_ms", [0, 200, PAUSE_MS + 2 * CHUNK_MS])
async def test_a_callers_last_words_are_in_the_transcript_once(
    autojump_clock: MockClock, hangs_up_after_ms: int
) -> None:
    """They hung up in the last word, in the pause after it, and before the answer could be heard."""
    brain = ScriptedBrain(greeting="Hello.")
    script = [(2_000, 2_000, "tell anna i am late")]
    voice = FakeVoice(first_audio_s=0.2)
    scene = await play(script, brain, voice=voice, hangs_up_at_ms=4_000 + hangs_up_after_ms)
    assert brain.heard[-1] == "tell anna i am late"
    assert [line.text for line in scene.log.lines] == ["Hello.", "tell anna i am late"]
    assert scene.log.lines[-1].start_ms == pytest.approx(2_000, abs=CHUNK_MS)


async def test_a_caller_who_hangs_up_on_an_answer_is_heard_once(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"when do you open": [Say(HOURS)]})
    scene = await play([(500, 600, "when do you open")], brain, hangs_up_at_ms=3_000)
    assert brain.heard == scene.said_by("caller") == ["when do you open"]
    assert [line.interrupted for line in scene.lines("agent")] == [True]
