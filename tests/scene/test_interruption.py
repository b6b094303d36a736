"""The caller speaks while the agent does."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.ports import Action, HangUp, Say
from app.settings import Agent
from tests.fakes.speech import VOICE_MS_PER_CHARACTER, FakeVoice
from tests.scene.stage import CHUNK_MS, Scene, ScriptedBrain, play

pytestmark = pytest.mark.scene

HOURS = "We are open from nine to five on weekdays and from ten to two on Saturdays."
EVIDENCE_MS = 64  # of speech, before the agent falls silent
STOPS_MS = 600  # of speech, before that is for good


async def test_interruption_silences_at_once_and_cuts_the_transcript(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS, answers={"thank you": [Say("Good-bye."), HangUp("done")]})
    scene = await play([(2_000, 800, "thank you")], brain, hangs_up_at_ms=10_000)
    cut, goodbye = scene.lines("agent")
    assert cut.interrupted
    assert HOURS.startswith(cut.text)
    assert brain.cut == [cut.text]
    assert cut.end_ms == pytest.approx(2_000 + EVIDENCE_MS, abs=CHUNK_MS)
    assert not scene.sounds_between(cut.end_ms + 20, cut.end_ms + 600)
    assert goodbye.text == "Good-bye."
    assert scene.conclusion == "done"


async def test_the_line_falls_silent_before_the_voice_has_stopped(autojump_clock: MockClock) -> None:
    voice = FakeVoice(chunk_s=0.05, stop_s=0.3)
    scene = await play([(2_000, 800, "stop")], ScriptedBrain(greeting=HOURS), voice=voice, hangs_up_at_ms=3_000)
    assert scene.sounds_between(0, 2_000)
    assert not scene.sounds_between(2_000 + EVIDENCE_MS + 2 * CHUNK_MS + 20, 3_000)


async def test_an_answer_of_which_no_word_was_heard_yet_is_taken_back_whole(autojump_clock: MockClock) -> None:
    """Its sound had just begun when the caller went on: no interruption, but a turn that was not over."""
    brain = ScriptedBrain(answers={"five five five": [Say("Wonderful, thank you very much indeed.")]})
    script = [(500, 600, "five five five"), (1_650, 900, "oh one four two")]
    scene = await play(script, brain, hangs_up_at_ms=6_000)
    assert scene.sounds_between(1_600, 1_740)
    assert not scene.sounds_between(1_650 + 96 + 2 * CHUNK_MS + 20, 2_800)
    assert brain.cut == [""]
    assert brain.heard[-1] == "five five five oh one four two"
    assert scene.said_by("caller") == brain.heard[-1:]
    assert scene.said_by("agent") == ["Sorry?"]


async def test_in_the_second_clause_the_words_are_counted_from_where_it_began(autojump_clock: MockClock) -> None:
    first, second = "We open at nine.", "We close at five in the afternoon, and on Saturdays at two."
    brain = ScriptedBrain(answers={"when": [Say(first), Say(second)]})
    answer_ms = 500 + 600 + 450 + CHUNK_MS
    script = [(500, 600, "when"), (answer_ms + len(first) * VOICE_MS_PER_CHARACTER + 500, 800, "thank you")]
    scene = await play(script, brain, hangs_up_at_ms=8_000)
    cut = scene.lines("agent")[0]
    assert brain.cut == [cut.text]
    assert cut.interrupted
    assert cut.text.startswith(f"{first} We close")
    in_second_ms = cut.end_ms - cut.start_ms - len(first) * VOICE_MS_PER_CHARACTER
    assert 0 < len(cut.text.removeprefix(f"{first} ")) * VOICE_MS_PER_CHARACTER <= in_second_ms + VOICE_MS_PER_CHARACTER
    assert f"{first} {second}".startswith(cut.text)


async def test_a_cough_does_not_interrupt(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, 120, "uh")], brain, hangs_up_at_ms=8_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == []


def agents_ms(scene: Scene) -> int:
    """How much of the agent's sound went out."""
    return 20 * sum(any(frame) for frame in scene.call.mouth.sent)


@pytest.mark.parametrize(
    ("for_ms", "words", "silent_ms"),
    [
        (40, "", 40 + 128),  # no speech by any measure: it goes on as soon as it is quiet
        (280, "", 280 + 192 + 80),  # it waits for the words, and there were none
        (500, "uh huh", 500 + 192 + 80),
        (300, "yeah okay", 300 + 192 + 80),
    ],
)
async def test_a_false_alarm_holds_the_agent_which_then_goes_on_where_it_was(
    autojump_clock: MockClock, for_ms: int, words: str, silent_ms: int
) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, for_ms, words)], brain, hangs_up_at_ms=10_000)
    (line,) = scene.log.lines
    assert (line.text, line.interrupted) == (HOURS, False)
    assert agents_ms(scene) == len(HOURS) * VOICE_MS_PER_CHARACTER
    assert not scene.sounds_between(1_000 + EVIDENCE_MS + CHUNK_MS, 1_000 + silent_ms - 20)
    assert scene.sounds_between(1_000 + silent_ms, 1_000 + silent_ms + 4 * CHUNK_MS)
    held_ms = line.end_ms - line.start_ms - len(HOURS) * VOICE_MS_PER_CHARACTER
    assert held_ms == pytest.approx(silent_ms - EVIDENCE_MS, abs=4 * CHUNK_MS)
    assert brain.heard == brain.cut == []


async def test_a_late_recogniser_does_not_keep_the_agent_silent(autojump_clock: MockClock) -> None:
    scene = await play([(1_000, 280, "")], ScriptedBrain(greeting=HOURS), decode_s=5.0, hangs_up_at_ms=12_000)
    assert scene.said_by("agent") == [HOURS]
    assert scene.sounds_between(2_280, 2_280 + 3 * CHUNK_MS)


@pytest.mark.parametrize(("for_ms", "understood"), [(250, False), (110, True)])
async def test_a_short_word_stops_the_agent(autojump_clock: MockClock, for_ms: int, understood: bool) -> None:
    brain = ScriptedBrain(greeting=HOURS, understood=frozenset({"stop"} if understood else ()))
    scene = await play([(1_000, for_ms, "stop")], brain, hangs_up_at_ms=10_000)
    assert brain.heard == ["stop"]
    cut = scene.lines("agent")[0]
    assert cut.interrupted
    assert cut.end_ms == pytest.approx(1_000 + EVIDENCE_MS, abs=2 * CHUNK_MS)


async def test_a_sound_is_no_word_although_the_recognisers_heard_one_into_it(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, 110, "stop")], brain, hangs_up_at_ms=10_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == []


async def test_a_few_words_stop_the_agent_although_nobody_understood_them(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, 450, "my dog")], brain, hangs_up_at_ms=10_000)
    assert brain.heard == ["my dog"]
    assert scene.lines("agent")[0].interrupted


async def test_speech_that_lasts_stops_the_agent_without_a_word(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, STOPS_MS + 100, "")], brain, hangs_up_at_ms=8_000)
    cut, answer = scene.lines("agent")
    assert cut.interrupted
    assert brain.heard == [""]
    assert answer.start_ms <= 1_700 + 450 + 2 * CHUNK_MS + 100


async def test_after_a_false_alarm_the_transcript_is_still_that_of_what_was_heard(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, 120, ""), (2_500, 800, "stop it")], brain, hangs_up_at_ms=8_000)
    cut = scene.lines("agent")[0]
    assert cut.interrupted
    assert brain.cut == [cut.text]
    sent_ms = sum(20 for frame in scene.call.mouth.sent[: cut.end_ms // 20] if any(frame))
    assert len(cut.text) * VOICE_MS_PER_CHARACTER <= sent_ms + VOICE_MS_PER_CHARACTER
    assert 2_500 + EVIDENCE_MS <= cut.end_ms <= 2_500 + 160 + 2 * CHUNK_MS


async def test_after_a_false_alarm_it_takes_more_to_hold_the_agent(autojump_clock: MockClock) -> None:
    """So that a noisy room does not chop up every sentence."""
    scene = await play([(1_000, 100, ""), (2_000, 80, "")], ScriptedBrain(greeting=HOURS), hangs_up_at_ms=10_000)
    assert not scene.sounds_between(1_000 + EVIDENCE_MS + CHUNK_MS, 1_200)
    assert all(any(frame) for frame in scene.call.mouth.sent[2_000 // 20 : 2_400 // 20])


async def test_an_uh_huh_at_the_end_of_the_agents_words_is_no_turn_either(autojump_clock: MockClock) -> None:
    end_ms = len(HOURS) * VOICE_MS_PER_CHARACTER
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(end_ms - 150, 300, "uh huh")], brain, hangs_up_at_ms=end_ms + 5_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == []


async def test_the_call_may_end_while_the_agent_is_held(autojump_clock: MockClock) -> None:
    scene = await play([(1_000, 500, "")], ScriptedBrain(greeting=HOURS), hangs_up_at_ms=1_300)
    (line,) = scene.log.lines
    assert line.interrupted
    assert line.end_ms == pytest.approx(1_000 + EVIDENCE_MS, abs=2 * CHUNK_MS)


async def test_our_own_words_on_the_line_do_not_stop_the_agent(autojump_clock: MockClock) -> None:
    """The recogniser got something of an echo that was not known as one."""
    words = "from nine to five"
    brain = ScriptedBrain(greeting=HOURS, understood=frozenset({words}))
    scene = await play([(2_500, 500, words)], brain, hangs_up_at_ms=10_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == []


async def test_after_an_interruption_coughs_are_coughs_again(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    await play([(1_000, 800, "stop"), (5_000, 250, "")], brain, hangs_up_at_ms=8_000)
    assert brain.heard == ["stop"]


async def test_a_sound_over_the_agents_words_does_not_count_towards_the_next_ones(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(1_000, 100, "uh"), (2_000, 100, "huh")], brain, hangs_up_at_ms=8_000)
    assert scene.said_by("agent") == [HOURS]


async def test_with_barge_in_off_the_agent_finishes_and_then_answers(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS, answers={"i would like to speak to anna": [Say("Anna is out.")]})
    script = [(1_000, 800, "i would like to speak to anna")]
    scene = await play(script, brain, agent=Agent(name="Test", barge_in=False), hangs_up_at_ms=12_000)
    greeting, answer = scene.lines("agent")
    assert (greeting.text, greeting.interrupted) == (HOURS, False)
    assert greeting.end_ms - greeting.start_ms == len(HOURS) * VOICE_MS_PER_CHARACTER
    assert (answer.text, answer.interrupted) == ("Anna is out.", False)
    assert answer.start_ms >= greeting.end_ms


async def test_with_barge_in_off_an_uh_huh_is_not_answered(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    agent = Agent(name="Test", barge_in=False)
    scene = await play([(1_000, 300, "uh huh")], brain, agent=agent, hangs_up_at_ms=12_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == []


async def test_with_barge_in_off_who_goes_on_is_answered_once_and_after_the_agent(autojump_clock: MockClock) -> None:
    """The answer to the first half is still waiting for the agent to finish when the caller takes it back."""
    brain = ScriptedBrain(greeting=HOURS)
    script = [(500, 800, "i would like"), (2_000, 800, "to speak"), (3_500, 300, "to anna")]
    scene = await play(script, brain, agent=Agent(name="Test", barge_in=False), hangs_up_at_ms=12_000)
    assert brain.heard == scene.said_by("caller") == ["i would like to speak to anna"]
    greeting, answer = scene.lines("agent")
    assert (greeting.text, greeting.interrupted) == (HOURS, False)
    assert answer.start_ms >= greeting.end_ms


async def test_with_barge_in_off_words_over_the_agents_count_although_the_caller_hangs_up(
    autojump_clock: MockClock,
) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    script = [(500, 800, "tell anna i am late")]
    scene = await play(script, brain, agent=Agent(name="Test", barge_in=False), hangs_up_at_ms=2_500)
    assert scene.said_by("caller") == ["tell anna i am late"]
    (greeting,) = scene.lines("agent")
    assert greeting.interrupted
    assert len(greeting.text) * VOICE_MS_PER_CHARACTER <= 2_500


@pytest.mark.parametrize("at_ms", [0, 40, 1_000])
async def test_a_protected_greeting_is_said_to_its_end_and_then_what_was_asked_is_answered(
    autojump_clock: MockClock, at_ms: int
) -> None:
    """Even by somebody who spoke before it began."""
    words = "i would like to speak to anna"
    brain = ScriptedBrain(greeting=HOURS, answers={words: [Say(HOURS)]}, understood=frozenset({words}))
    agent = Agent(name="Test", protect_greeting=True)
    script = [(at_ms, 900, words), (8_000, 900, "stop")]
    scene = await play(script, brain, agent=agent, hangs_up_at_ms=12_000)
    greeting, answer = scene.lines("agent")[:2]
    assert (greeting.text, greeting.interrupted) == (HOURS, False)
    assert greeting.end_ms - greeting.start_ms == len(HOURS) * VOICE_MS_PER_CHARACTER
    assert answer.start_ms >= greeting.end_ms
    assert answer.interrupted  # nothing else is protected
    assert brain.heard == [words, "stop"]


@pytest.mark.parametrize("at_ms", [40, 1_000])
async def test_an_uh_huh_over_a_protected_greeting_is_not_answered(autojump_clock: MockClock, at_ms: int) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    agent = Agent(name="Test", protect_greeting=True)
    scene = await play([(at_ms, 300, "hello")], brain, agent=agent, hangs_up_at_ms=12_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == []


# -- the agent's own echo --------------------------------------------------------------------------------------


@pytest.mark.parametrize("echo_ms", [20, 160, 300])
async def test_the_agent_is_not_interrupted_by_its_own_echo(autojump_clock: MockClock, echo_ms: int) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([], brain, echo_ms=echo_ms, hangs_up_at_ms=8_000)
    (greeting,) = scene.log.lines
    assert (greeting.text, greeting.interrupted) == (HOURS, False)
    assert brain.heard == []


async def test_an_echo_of_the_first_syllable_does_not_take_the_answer_back(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"when": [Say(HOURS)]})
    scene = await play([(500, 600, "when")], brain, echo_ms=60, hangs_up_at_ms=10_000)
    assert scene.said_by("agent") == [HOURS]
    assert brain.heard == ["when"]


async def test_who_speaks_over_the_echo_interrupts(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(greeting=HOURS)
    scene = await play([(2_000, 800, "stop")], brain, echo_ms=60, hangs_up_at_ms=6_000)
    assert scene.lines("agent")[0].interrupted
    assert brain.heard == ["stop"]


async def test_the_question_does_not_interrupt_its_own_answer(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"when": [Say(HOURS)]}, understood=frozenset({"when"}))
    scene = await play([(500, 600, "when")], brain, hangs_up_at_ms=10_000)
    assert scene.said_by("agent") == [HOURS]
    assert not scene.lines("agent")[0].interrupted


@pytest.mark.parametrize("answer", [HOURS, "We are open from nine to five on weekdays and to two on Sundays."])
async def test_words_that_are_known_late_get_their_answer(autojump_clock: MockClock, answer: str) -> None:
    """Where many callers finish at once, the longest pause is over before them; so may be the agent's words."""
    answers: dict[str, list[Action]] = {"hours": [Say(answer)], "the address": [Say("Main street.")]}
    brain = ScriptedBrain(answers=answers, understood=frozenset(answers))
    script = [(500, 700, "hours"), (4_700, 500, "the address")]
    scene = await play(script, brain, decode_s=1.2, hangs_up_at_ms=20_000)
    assert scene.said_by("caller") == ["hours", "the address"]
    assert scene.said_by("agent")[1:] == ["Main street."]


@pytest.mark.parametrize("first_audio_s", [2.0, 2.6], ids=["as it is heard", "before it is heard"])
async def test_a_request_before_the_greeting_that_is_known_late_gets_its_answer(
    autojump_clock: MockClock, first_audio_s: float
) -> None:
    """A slow voice greets while the recogniser is still being loaded."""
    brain = ScriptedBrain(greeting=HOURS, answers={"the address": [Say("Main street.")]})
    brain.understood = frozenset(brain.answers)
    voice = FakeVoice(first_audio_s=first_audio_s)
    scene = await play([(300, 520, "the address")], brain, voice=voice, decode_s=1.6, hangs_up_at_ms=20_000)
    assert scene.said_by("caller") == ["the address"]
    assert scene.said_by("agent")[1:] == ["Main street."]
