"""Whose turn it is, and what of the caller the recogniser gets to hear."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.conversation import INTERRUPTED_BY, NOT_INTERRUPTED_BY
from app.ports import Expects, Say
from tests.fakes.speech import DECODE_S, VOICE_MS_PER_CHARACTER, FakeVoice
from tests.scene.stage import CHUNK_MS, SLOW_TO_START_S, ScriptedBrain, play

pytestmark = pytest.mark.scene

PAUSE_MS = 450
DRAFTS_UP_TO_MS = 4_000


def slow_voice() -> FakeVoice:
    return FakeVoice(first_audio_s=SLOW_TO_START_S)


async def test_a_short_pause_does_not_cut_the_caller_off(autojump_clock: MockClock) -> None:
    script = [(500, 600, "i would like to"), (1_100 + 350, 600, "speak to anna")]
    brain = ScriptedBrain()
    scene = await play(script, brain, hangs_up_at_ms=5_000)
    assert brain.heard == ["i would like to speak to anna"]
    assert len(scene.log.turns) == 1


async def test_going_on_before_the_answer_is_audible_makes_it_one_turn(autojump_clock: MockClock) -> None:
    """The pause has committed, and the brain has answered; the voice is still at work when the caller speaks again."""
    script = [(500, 600, "five five five"), (1_100 + PAUSE_MS + 100, 600, "oh one four two")]
    brain = ScriptedBrain()
    scene = await play(script, brain, voice=slow_voice(), hangs_up_at_ms=6_000)
    assert brain.heard == ["five five five", "five five five oh one four two"]
    assert brain.cut == [""]
    (line,) = scene.lines("caller")
    assert line.text == "five five five oh one four two"
    assert line.start_ms == pytest.approx(500, abs=CHUNK_MS)
    assert scene.said_by("agent") == ["Sorry?"]
    assert len(scene.log.turns) == 1


async def test_a_brain_that_was_still_thinking_is_told_that_nothing_was_heard(autojump_clock: MockClock) -> None:
    script = [(500, 600, "five five five"), (1_100 + PAUSE_MS + 100, 600, "oh one four two")]
    brain = ScriptedBrain(thinks_s=1.0)
    scene = await play(script, brain, hangs_up_at_ms=6_000)
    assert brain.cut == [""]
    assert brain.heard[-1] == "five five five oh one four two"
    assert scene.said_by("caller") == brain.heard[-1:]


async def test_an_answer_ends_the_turn_before(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    scene = await play([(500, 600, "hello"), (4_000, 600, "anna please")], brain, hangs_up_at_ms=8_000)
    assert brain.heard == scene.said_by("caller") == ["hello", "anna please"]
    assert [line.start_ms for line in scene.lines("caller")] == pytest.approx([500, 4_000], abs=CHUNK_MS)


@pytest.mark.parametrize("length_ms", [600, 20_000], ids=["a hello", "a noisy office"])
async def test_who_calls_is_greeted_whatever_is_heard_before(length_ms: int, autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Good morning.")
    scene = await play([(160, length_ms, "")], brain, voice=slow_voice(), hangs_up_at_ms=5_000)
    first, *_ = scene.log.lines
    assert (first.speaker, first.text, first.interrupted) == ("agent", "Good morning.", False)


async def test_who_asks_before_the_greeting_is_answered(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Good morning, this is a greeting of many words.", understood=frozenset({"a man"}))
    scene = await play([(160, 900, "a man")], brain, hangs_up_at_ms=6_000)
    assert brain.heard == ["a man"]
    assert scene.said_by("agent")[-1] == "Sorry?"


GREETING = "Good morning, this is a greeting of so many words that it takes a while."


@pytest.mark.parametrize("at_ms", [0, 100, 200, 400, 700])
async def test_an_office_that_begins_to_be_heard_does_not_stop_the_greeting(
    at_ms: int, autojump_clock: MockClock
) -> None:
    brain = ScriptedBrain(greeting=GREETING)
    scene = await play([(at_ms, 20_000, "")], brain, hangs_up_at_ms=8_000)
    (greeting,) = scene.lines("agent")
    assert (greeting.text, greeting.interrupted) == (GREETING, False)
    assert greeting.end_ms - greeting.start_ms == len(GREETING) * VOICE_MS_PER_CHARACTER  # nor held


@pytest.mark.parametrize("at_ms", [40, 300, 700])
async def test_a_hello_over_the_beginning_of_a_greeting_is_ignored_and_the_session_says_why(
    at_ms: int, autojump_clock: MockClock
) -> None:
    brain = ScriptedBrain(greeting=GREETING)
    scene = await play([(at_ms, 400, "hello")], brain, hangs_up_at_ms=8_000)
    assert scene.said_by("agent") == [GREETING]
    assert brain.heard == []
    assert [note.text for note in scene.log.notes] == [f"{NOT_INTERRUPTED_BY} words that were not understood"]


@pytest.mark.parametrize("at_ms", [40, 300, 700, 1_000])
async def test_who_is_understood_over_the_beginning_of_a_greeting_is_answered(
    at_ms: int, autojump_clock: MockClock
) -> None:
    brain = ScriptedBrain(greeting=GREETING, understood=frozenset({"anna please"}))
    scene = await play([(at_ms, 500, "anna please")], brain, hangs_up_at_ms=8_000)
    assert brain.heard == ["anna please"]
    greeting, answer = scene.lines("agent")
    assert greeting.interrupted
    assert greeting.end_ms <= at_ms + 500 + 192 + DECODE_S * 1000 + 3 * CHUNK_MS
    assert answer.text == "Sorry?"
    assert [note.text for note in scene.log.notes] == [f"{INTERRUPTED_BY} words that were understood"]


async def test_a_hello_before_a_late_greeting_is_answered_by_it(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting="Good morning.", thinks_s=2.0)
    scene = await play([(160, 400, "hello")], brain, hangs_up_at_ms=12_000)
    assert scene.said_by("agent") == ["Good morning."]
    assert brain.heard == []
    assert [note.text for note in scene.log.notes] == [f"{NOT_INTERRUPTED_BY} words that were not understood"]


async def test_who_speaks_over_a_late_greeting_interrupts_at_once(autojump_clock: MockClock) -> None:
    """What is around the caller was heard while it was being made."""
    brain = ScriptedBrain(greeting=GREETING, thinks_s=2.0)
    scene = await play([(2_400, 900, "anna please")], brain, hangs_up_at_ms=8_000)
    greeting = scene.lines("agent")[0]
    assert greeting.interrupted
    assert greeting.end_ms == pytest.approx(2_400 + 64, abs=CHUNK_MS)
    assert [note.text for note in scene.log.notes] == [f"{INTERRUPTED_BY} speech that went on"]


async def test_a_hello_on_which_a_late_greeting_falls_does_not_even_hold_it(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=GREETING, thinks_s=2.0)
    scene = await play([(1_850, 700, "hello")], brain, hangs_up_at_ms=8_000)
    (greeting,) = scene.lines("agent")
    assert greeting.end_ms - greeting.start_ms == len(GREETING) * VOICE_MS_PER_CHARACTER


@pytest.mark.parametrize(("for_ms", "understood"), [(400, True), (900, False)])
async def test_who_asks_before_a_late_greeting_is_answered_after_it(
    for_ms: int, understood: bool, autojump_clock: MockClock
) -> None:
    known = frozenset({"anna please"} if understood else ())
    brain = ScriptedBrain(greeting="Good morning.", thinks_s=2.0, understood=known)
    scene = await play([(160, for_ms, "anna please")], brain, hangs_up_at_ms=12_000)
    assert scene.said_by("agent") == ["Good morning.", "Sorry?"]
    assert brain.heard == ["anna please"]


async def test_who_speaks_before_the_check_in_starts_a_new_turn(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"hello": [Say("Yes?")]})
    before = await play([(500, 600, "hello")], brain, voice=slow_voice(), hangs_up_at_ms=60_000)
    asks_ms = before.lines("agent")[1].start_ms
    brain.heard.clear()
    script = [(500, 600, "hello"), (asks_ms - 200, 600, "anna please")]
    scene = await play(script, brain, voice=slow_voice(), hangs_up_at_ms=asks_ms + 4_000)
    assert scene.said_by("agent") == ["Yes?", "Sorry?"]
    assert brain.heard == ["hello", "anna please"]


# -- what the recogniser gets ----------------------------------------------------------------------------------


async def test_the_recogniser_hears_the_utterance_whole_with_some_silence_before(autojump_clock: MockClock) -> None:
    """The VAD is sure of a word some 100 ms after it began; a pause that turned out to be none is part of the words."""
    script = [(1_000, 600, "i would like to"), (1_960, 600, "speak to anna")]
    scene = await play(script, ScriptedBrain(), hangs_up_at_ms=6_000)
    *_, (before, first, pause, second, after) = scene.hearing.finished
    assert (first, pause, second) == ((1, 600), (0, 360), (2, 600))
    assert before[1] >= 150
    assert after[1] <= 250


async def test_the_pause_that_ends_a_turn_is_kept_from_the_recogniser(autojump_clock: MockClock) -> None:
    """So that the recognition which was drafted in it is still that of the whole utterance when it commits."""
    scene = await play([(1_000, 600, "hello")], ScriptedBrain(), hangs_up_at_ms=6_000)
    assert len(scene.hearing.finished) == 1
    assert scene.hearing.unfinished_ms == 0


async def test_going_on_after_the_commit_keeps_what_was_said_before_it(autojump_clock: MockClock) -> None:
    script = [(500, 600, "five five five"), (1_100 + PAUSE_MS + 100, 600, "oh one four two")]
    scene = await play(script, ScriptedBrain(), voice=slow_voice(), hangs_up_at_ms=6_000)
    assert [stretch for stretch in scene.hearing.finished[-1] if stretch[0]] == [(1, 600), (2, 600)]


async def test_each_turn_is_recognised_by_itself(autojump_clock: MockClock) -> None:
    script = [(500, 600, "hello"), (4_000, 600, "anna please")]
    scene = await play(script, ScriptedBrain(), hangs_up_at_ms=8_000)
    spoken = [[stretch for stretch in finished if stretch[0]] for finished in scene.hearing.finished]
    assert spoken == [[(1, 600)], [(2, 600)]]


# -- drafts ----------------------------------------------------------------------------------------------------


async def test_a_draft_from_an_early_pause_is_not_taken_for_the_whole(autojump_clock: MockClock) -> None:
    """The pause at the end is too late for a draft of its own, so the early one is all there is."""
    script = [(500, 600, "please tell anna"), (1_400, DRAFTS_UP_TO_MS, "that the goods have not come")]
    brain = ScriptedBrain()
    scene = await play(script, brain, hangs_up_at_ms=9_000)
    assert brain.heard == scene.said_by("caller") == ["please tell anna that the goods have not come"]


async def test_a_draft_of_the_turn_before_is_not_taken_for_the_next(autojump_clock: MockClock) -> None:
    script = [(500, 600, "hello"), (4_000, DRAFTS_UP_TO_MS + 500, "please tell anna that the goods have not come")]
    brain = ScriptedBrain()
    await play(script, brain, hangs_up_at_ms=12_000)
    assert brain.heard == ["hello", "please tell anna that the goods have not come"]


async def test_a_draft_of_an_unheard_answer_is_not_taken_for_the_rest(autojump_clock: MockClock) -> None:
    script = [(500, 600, "hello"), (1_100 + PAUSE_MS + 100, DRAFTS_UP_TO_MS, "the goods have not come")]
    brain = ScriptedBrain()
    await play(script, brain, voice=slow_voice(), hangs_up_at_ms=9_000)
    assert brain.heard == ["hello", "hello the goods have not come"]


async def test_a_long_dictation_is_not_recognised_again_at_each_pause(autojump_clock: MockClock) -> None:
    pauses = [(500 + 1_000 * second, 700, f"word {second}") for second in range(10)]
    brain = ScriptedBrain()
    scene = await play(pauses, brain, hangs_up_at_ms=14_000)
    assert brain.heard == [" ".join(words for _, _, words in pauses)]
    drafted_up_to_ms = [sum(ms for _, ms in finished) for finished in scene.hearing.finished[:-1]]
    assert drafted_up_to_ms
    assert max(drafted_up_to_ms) <= DRAFTS_UP_TO_MS + 500  # the pre-roll and the beginning of the pause


# -- coughs ----------------------------------------------------------------------------------------------------


async def test_a_short_sound_without_words_is_not_answered(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    scene = await play([(1_000, 250, "")], brain, hangs_up_at_ms=5_000)
    assert brain.heard == []
    assert scene.log.lines == []


async def test_a_short_word_is_answered(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    scene = await play([(1_000, 250, "yes")], brain, hangs_up_at_ms=5_000)
    assert brain.heard == ["yes"]
    assert scene.said_by("agent") == ["Sorry?"]


async def test_long_speech_that_was_not_understood_is_asked_about(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    scene = await play([(1_000, 800, "")], brain, hangs_up_at_ms=5_000)
    assert brain.heard == [""]
    assert scene.said_by("agent") == ["Sorry?"]


# -- the pause, by the words -----------------------------------------------------------------------------------


async def test_what_the_brain_understands_is_answered_sooner(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(understood=frozenset({"when do you open"}))
    scene = await play([(500, 600, "when do you open")], brain, hangs_up_at_ms=5_000)
    (turn,) = scene.log.turns
    assert turn.commit_ms - turn.speech_end_ms == pytest.approx(300, abs=2 * CHUNK_MS)
    assert turn.pause_because == "complete"


@pytest.mark.parametrize(
    ("words", "expects", "pause_ms", "because"),
    [
        ("do you know", Expects.ANYTHING, 450, "plain"),
        ("my number is", Expects.ANYTHING, 1_050, "unfinished"),
        ("five five five", Expects.NUMBER, 1_050, "dictated"),
    ],
)
async def test_the_words_decide_the_pause_and_the_session_says_so(
    autojump_clock: MockClock, words: str, expects: Expects, pause_ms: int, because: str
) -> None:
    scene = await play([(500, 600, words)], ScriptedBrain(expects=expects), hangs_up_at_ms=5_000)
    (turn,) = scene.log.turns
    assert turn.commit_ms - turn.speech_end_ms == pytest.approx(pause_ms, abs=2 * CHUNK_MS)
    assert turn.pause_because == because


async def test_an_unfinished_phrase_is_not_cut_off(autojump_clock: MockClock) -> None:
    script = [(500, 600, "my number is"), (2_000, 900, "five five five")]
    brain = ScriptedBrain()
    scene = await play(script, brain, hangs_up_at_ms=6_000)
    assert brain.heard == ["my number is five five five"]
    assert len(scene.log.turns) == 1


async def test_who_goes_on_after_something_whole_gets_the_pause_of_all_of_it(autojump_clock: MockClock) -> None:
    script = [(500, 600, "when do you open"), (1_380, 600, "and"), (2_800, 600, "close")]
    brain = ScriptedBrain(understood=frozenset({"when do you open"}))
    await play(script, brain, hangs_up_at_ms=6_000)
    assert brain.heard == ["when do you open and close"]


async def test_a_pause_waits_for_words_that_are_late(autojump_clock: MockClock) -> None:
    """An answer would have to wait for them too; and they may say that there is more to come."""
    script = [(500, 600, "my number is"), (1_900, 600, "five five five")]
    brain = ScriptedBrain()
    await play(script, brain, decode_s=0.4, hangs_up_at_ms=6_000)
    assert brain.heard == ["my number is five five five"]


async def test_words_that_never_come_do_not_hold_the_turn_for_ever(autojump_clock: MockClock) -> None:
    scene = await play([(500, 600, "hello")], ScriptedBrain(), decode_s=3.0, hangs_up_at_ms=9_000)
    (turn,) = scene.log.turns
    assert turn.commit_ms - turn.speech_end_ms == pytest.approx(1_050, abs=2 * CHUNK_MS)
