"""Person or machine, from speech probabilities: lists of who speaks when, and the exact verdicts."""

from __future__ import annotations

import pytest

from app.turns.answering_machine import (
    Answerer,
    AnswererDecider,
    Because,
    MessageDecider,
    Moment,
    Verdict,
)

pytestmark = pytest.mark.unit

CHUNK_MS = 32
VOICE_DBFS, QUIET_DBFS = -23.0, -65.0
Stretch = tuple[float, int]
"""Probability of speech, and for how long (ms)."""
SPEECH, SILENCE = 0.9, 0.02


def verdicts(
    *stretches: Stretch, beeps_ms: tuple[int, ...] = (), quiet_dbfs: float = QUIET_DBFS
) -> list[tuple[int, Verdict]]:
    decider, found, now_ms = AnswererDecider(), [], 0
    beeps = list(beeps_ms)
    for probability, length_ms in stretches:
        for _ in range(length_ms // CHUNK_MS):
            start_ms, now_ms = now_ms, now_ms + CHUNK_MS
            beep = bool(beeps) and beeps[0] <= now_ms
            if beep:
                beeps.pop(0)
            level_dbfs = VOICE_DBFS if probability >= 0.5 else quiet_dbfs
            if verdict := decider.feed(start_ms, now_ms, probability, level_dbfs=level_dbfs, beep=beep):
                found.append((now_ms, verdict))
    return found


def kinds(found: list[tuple[int, Verdict]]) -> list[tuple[Answerer, Because]]:
    return [(verdict.answerer, verdict.because) for _, verdict in found]


@pytest.mark.parametrize("hello_ms", [160, 640, 1_280])
def test_a_short_hello_then_silence_is_a_person_within_half_a_second(hello_ms: int) -> None:
    [(at_ms, verdict)] = verdicts((SILENCE, 640), (SPEECH, hello_ms), (SILENCE, 3_200))
    assert (verdict.answerer, verdict.because) == (Answerer.HUMAN, Because.WAITS)
    assert at_ms == 640 + hello_ms + 416


def test_a_person_who_speaks_for_three_seconds_is_given_longer_to_breathe() -> None:
    found = verdicts((SPEECH, 1_920), (SILENCE, 640), (SPEECH, 640), (SILENCE, 3_200))
    assert [(at_ms, verdict.because) for at_ms, verdict in found] == [(3_200 + 800, Because.WAITS_LATER)]


def test_a_person_who_says_a_whole_sentence_of_six_seconds_is_none_the_less_one() -> None:
    found = verdicts((SPEECH, 2_560), (SILENCE, 320), (SPEECH, 3_200), (SILENCE, 3_200))
    assert kinds(found) == [(Answerer.HUMAN, Because.WAITS_LATER)]


def test_whoever_talks_on_is_a_machine() -> None:
    [(at_ms, verdict)] = verdicts((SILENCE, 320), *[(SPEECH, 1_920), (SILENCE, 384)] * 6)
    assert (verdict.answerer, verdict.because) == (Answerer.MACHINE, Because.TALKS_ON)
    assert 7_500 <= verdict.talk_ms == at_ms - 320 < 7_500 + CHUNK_MS + 384


def test_whoever_says_nothing_is_greeted() -> None:
    found = verdicts((SILENCE, 6_400))
    assert [(at_ms, verdict.because) for at_ms, verdict in found] == [(2_528, Because.NOBODY_SPOKE)]


def test_music_is_listened_to_for_longer() -> None:
    found = verdicts((SILENCE, 4_480), (SPEECH, 9_600), quiet_dbfs=-30.0)
    assert kinds(found) == [(Answerer.MACHINE, Because.TALKS_ON)]
    assert [at_ms for at_ms, _ in verdicts((SILENCE, 9_600), quiet_dbfs=-30.0)] == [6_016]


def test_a_television_behind_a_person_does_not_count() -> None:
    decider = AnswererDecider()
    found = []
    for number in range(300):
        near = 20 <= number < 40
        level_dbfs = VOICE_DBFS if near else VOICE_DBFS - 20
        start_ms = number * CHUNK_MS
        verdict = decider.feed(start_ms, start_ms + CHUNK_MS, SPEECH, level_dbfs=level_dbfs, beep=False)
        found += [verdict.answerer] if verdict else []
    assert found == [Answerer.HUMAN]


def test_a_beep_makes_a_machine_of_anybody_once() -> None:
    found = verdicts((SPEECH, 960), (SILENCE, 1_600), (SPEECH, 1_920), (SILENCE, 6_400), beeps_ms=(5_000, 6_000))
    assert kinds(found) == [(Answerer.HUMAN, Because.WAITS), (Answerer.MACHINE, Because.BEEP)]


def test_who_says_hello_and_then_talks_on_at_once_is_a_machine() -> None:
    found = verdicts((SPEECH, 960), (SILENCE, 640), (SPEECH, 9_600))
    assert kinds(found) == [(Answerer.HUMAN, Because.WAITS), (Answerer.MACHINE, Because.TALKS_ON)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([(SILENCE, 2_560), (SPEECH, 20_000)], id="after the greeting"),
        pytest.param([(SILENCE, 640), (SPEECH, 5_120), (SILENCE, 1_280), (SPEECH, 20_000)], id="after a wait"),
    ],
)
def test_a_person_may_tell_the_agent_long_stories(answer: list[Stretch]) -> None:
    assert kinds(verdicts((SPEECH, 960), *answer)) == [(Answerer.HUMAN, Because.WAITS)]


def test_a_beep_late_in_a_talk_is_something_else() -> None:
    found = verdicts((SPEECH, 960), (SILENCE, 60_000), beeps_ms=(46_000,))
    assert kinds(found) == [(Answerer.HUMAN, Because.WAITS)]


def moments(*stretches: Stretch, beeps_ms: tuple[int, ...] = ()) -> tuple[int, Moment] | None:
    """The first of them, and when."""
    decider, now_ms, beeps = MessageDecider(), 0, list(beeps_ms)
    for probability, length_ms in stretches:
        for _ in range(length_ms // CHUNK_MS):
            start_ms, now_ms = now_ms, now_ms + CHUNK_MS
            beep = bool(beeps) and beeps[0] <= now_ms
            if moment := decider.feed(start_ms, now_ms, probability, beep=beep):
                return now_ms, moment
    return None


def test_a_message_is_left_after_the_beep() -> None:
    assert moments((SPEECH, 9_600), (SILENCE, 3_200), beeps_ms=(11_200,)) == (11_200, Moment.NOW)


def test_without_a_beep_the_silence_tells() -> None:
    assert moments((SPEECH, 9_600), (SILENCE, 9_600)) == (9_600 + 5_024, Moment.NOW)
    assert moments((SPEECH, 32_000), (SILENCE, 9_600)) == (32_000 + 2_016, Moment.NOW)
    assert moments((SPEECH, 28_800), (SILENCE, 9_600)) == (30_816, Moment.NOW)


def test_what_never_stops_is_no_machine_that_records() -> None:
    assert moments((SPEECH, 120_000)) == (90_016, Moment.NEVER)
