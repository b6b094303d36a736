from __future__ import annotations

import pytest

from app.turns.endpoint import (
    Endpointer,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TurnEvent,
)
from app.turns.silence import Silence, SilenceClock

pytestmark = pytest.mark.unit

CHUNK_MS = 32


def events(pattern: str, pause_ms: int = 450) -> list[TurnEvent]:
    """`#` is a voiced chunk, `.` a silent one, `~` in between (0.4)."""
    probability = {"#": 0.9, ".": 0.1, "~": 0.4}
    endpointer = Endpointer()
    fed = (
        endpointer.feed(k * CHUNK_MS, (k + 1) * CHUNK_MS, probability[mark], pause_ms) for k, mark in enumerate(pattern)
    )
    return [event for event in fed if event]


@pytest.mark.parametrize("pattern", ["." * 30, "##" + "." * 30, "#.#.#.#." * 5, "~" * 40])
def test_clicks_and_doubt_are_not_speech(pattern: str) -> None:
    assert events(pattern) == []


def test_one_utterance() -> None:
    assert events(".." + "#" * 10 + "." * 15) == [
        SpeechStarted(since_ms=2 * CHUNK_MS),
        SpeechPaused(since_ms=12 * CHUNK_MS),
        SpeechEnded(since_ms=12 * CHUNK_MS, voiced_ms=10 * CHUNK_MS),
    ]


def test_the_gap_inside_a_word_is_not_a_pause() -> None:
    assert events("#" * 5 + "." * 5 + "#" * 5) == [SpeechStarted(0)]


def test_a_pause_that_is_too_short_to_commit_resumes() -> None:
    assert events("#" * 5 + "." * 10 + "#" * 5) == [SpeechStarted(0), SpeechPaused(160), SpeechResumed(15 * CHUNK_MS)]


def test_weak_speech_keeps_an_utterance_going_but_does_not_begin_one() -> None:
    assert events("###" + "~" * 20) == [SpeechStarted(0)]


@pytest.mark.parametrize("pause_ms", [300, 450, 1050])
def test_the_commit_comes_at_the_first_chunk_past_the_pause(pause_ms: int) -> None:
    silent_chunks = -(-pause_ms // CHUNK_MS)
    assert len(events("#" * 5 + "." * (silent_chunks - 1), pause_ms)) == 2
    assert isinstance(events("#" * 5 + "." * silent_chunks, pause_ms)[-1], SpeechEnded)


def test_silence_asks_at_half_time_gives_up_and_in_the_end_leaves() -> None:
    clock = SilenceClock(60_000)
    clock.words(5_000)
    said = {at: event for at in range(0, 200_000, CHUNK_MS) if (event := clock.feed(at))}
    assert list(said.values()) == [Silence.CHECK_IN, Silence.GIVE_UP, Silence.LEAVE]
    check_in, give_up, leave = said
    assert 35_000 <= check_in < 35_000 + CHUNK_MS
    assert 65_000 <= give_up < 65_000 + CHUNK_MS
    assert 125_000 <= leave < 125_000 + CHUNK_MS
