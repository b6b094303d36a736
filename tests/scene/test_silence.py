"""Nobody says anything, or nothing of it comes through."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.ports import Say
from app.settings import Agent
from app.turns.silence import LONGEST_HOLD_MS
from tests.fakes.speech import VOICE_MS_PER_CHARACTER, OvertakenHearing
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


async def test_who_puts_us_on_hold_is_not_asked_whether_they_are_there(autojump_clock: MockClock) -> None:
    """The silence counts from the moment when they are back."""
    back_ms = 63_000
    brain = ScriptedBrain(greeting="Hello.")
    scene = await play([], brain, agent=BRIEF, on_hold_ms=(3_000, back_ms), hangs_up_at_ms=3_600_000)
    hello, check_in, goodbye = scene.log.lines
    assert (hello.text, check_in.text, goodbye.text) == ("Hello.", CHECK_IN, GOODBYE)
    assert check_in.start_ms == pytest.approx(back_ms + 5_000, abs=EXACT_MS)
    assert goodbye.start_ms == pytest.approx(back_ms + 10_000, abs=EXACT_MS)


async def test_who_forgets_us_on_hold_keeps_no_seat(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.")
    scene = await play([], brain, agent=BRIEF, on_hold_ms=(3_000, 3_600_000), hangs_up_at_ms=3_600_000)
    assert scene.ended_at_ms == pytest.approx(3_000 + LONGEST_HOLD_MS + 10_000 + LEAVES_AFTER_MS, abs=EXACT_MS)
    assert scene.conclusion == "silence"


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


# -- sound without words ---------------------------------------------------------------------------------------


MUSIC_MS = 600_000


async def test_music_without_a_pause_does_not_hold_the_call_open(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.")
    scene = await play([(1_000, MUSIC_MS, "")], brain, agent=BRIEF, hangs_up_at_ms=MUSIC_MS)
    hello, check_in, goodbye = scene.lines("agent")
    assert (check_in.text, goodbye.text) == (CHECK_IN, GOODBYE)
    assert check_in.start_ms - hello.end_ms == pytest.approx(5_000, abs=3 * EXACT_MS)  # and what looking for words took
    assert goodbye.start_ms - hello.end_ms == pytest.approx(10_000, abs=3 * EXACT_MS)
    assert not goodbye.interrupted
    assert scene.conclusion == "silence"
    assert scene.ended_at_ms <= goodbye.end_ms + 40


async def test_a_gap_in_music_while_it_is_looked_for_words_does_not_either(autojump_clock: MockClock) -> None:
    """What the recogniser was about to find is then of no use, and it is asked again."""
    brain = ScriptedBrain(greeting="Hello.")
    music = [(1_000, 4_600, ""), (5_860, MUSIC_MS, "")]
    scene = await play(music, brain, agent=BRIEF, hangs_up_at_ms=MUSIC_MS, decode_s=0.6, hearing=OvertakenHearing)
    assert scene.said_by("agent") == ["Hello.", CHECK_IN, GOODBYE]
    assert scene.ended_at_ms <= 15_000


async def test_who_talks_on_is_not_left_for_a_gap_in_what_they_say(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    story = [(1_000, 4_200, "my"), (5_460, 90_000, "story")]
    scene = await play(story, brain, agent=BRIEF, hangs_up_at_ms=99_000, decode_s=0.6, hearing=OvertakenHearing)
    assert brain.heard == ["my story"]
    assert scene.conclusion == ""


async def test_music_with_pauses_does_not_either_though_the_agent_answers_it(autojump_clock: MockClock) -> None:
    music = [(at_ms, 2_000, "") for at_ms in range(2_000, MUSIC_MS, 3_500)]
    scene = await play(music, ScriptedBrain(greeting="Hello."), agent=BRIEF, hangs_up_at_ms=MUSIC_MS)
    assert "Sorry?" in scene.said_by("agent")
    assert scene.conclusion == "silence"
    assert scene.ended_at_ms <= 10_000 + LEAVES_AFTER_MS + 5_000


async def test_who_begins_to_speak_at_half_time_is_not_asked(autojump_clock: MockClock) -> None:
    """Nobody can tell words from music so early: the agent waits until it can."""
    script = [(4_800, 3_000, "i was looking for it")]
    scene = await play(script, ScriptedBrain(), agent=BRIEF, hangs_up_at_ms=12_000)
    assert scene.said_by("agent") == ["Sorry?"]


async def test_a_sound_at_half_time_puts_the_question_off_until_it_is_over(autojump_clock: MockClock) -> None:
    scene = await play([(4_800, 700, "")], ScriptedBrain(), agent=BRIEF, hangs_up_at_ms=9_500)
    sorry, check_in = sorted(scene.said_by("agent"), reverse=True)
    assert (sorry, check_in) == ("Sorry?", CHECK_IN)


async def test_a_long_story_is_recognised_whole_although_it_was_looked_into(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    scene = await play([(1_000, 25_000, "my story")], brain, agent=BRIEF, hangs_up_at_ms=30_000)
    assert brain.heard == ["my story"]
    (_, spoken_ms) = max(scene.hearing.finished[-1], key=lambda stretch: stretch[1])
    assert spoken_ms == 25_000
    assert len(scene.hearing.finished) > 1


async def test_words_over_a_check_in_that_was_said_into_music_count(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Hello.")
    script = [(1_000, 5_400, ""), (6_400, 5_000, "wait i am here")]
    scene = await play(script, brain, agent=BRIEF, hangs_up_at_ms=14_000)
    assert CHECK_IN in scene.said_by("agent")
    assert GOODBYE not in scene.said_by("agent")


async def test_a_check_in_that_falls_into_a_hold_is_said(autojump_clock: MockClock) -> None:
    """The agent answers a sound, is held by a cough, and nobody would let go of an answer that has lost the floor."""
    brain = ScriptedBrain(answers={"": [Say(HOURS)]})
    script = [(1_000, 700, ""), (4_960, 40, "")]
    scene = await play(script, brain, agent=BRIEF, hangs_up_at_ms=60_000)
    assert scene.said_by("agent") == [HOURS, CHECK_IN, GOODBYE]
    assert scene.conclusion == "silence"
