"""Does the caller mean to interrupt? Chunks in, and words; what the agent does, and when, out."""

from __future__ import annotations

import pytest

from app.ports import Heard
from app.turns.barge_in import BargeIn, BargeInRule, Move
from app.turns.said import Said, said

pytestmark = pytest.mark.unit

CHUNK_MS = 32
CHUNKS_A_SECOND = 32


def moves(pattern: str, barge_in: BargeIn | None = None, *, awaits_words: bool = False) -> list[tuple[int, Move]]:
    """`#` is a voiced chunk, `.` a silent one."""
    barge_in = barge_in or BargeIn()
    found = []
    for k, mark in enumerate(pattern):
        probability, level_dbfs = (0.9, -20.0) if mark == "#" else (0.1, -60.0)
        span = k * CHUNK_MS, (k + 1) * CHUNK_MS, probability
        move = barge_in.feed(*span, level_dbfs=level_dbfs, awaits_words=awaits_words)
        found += [((k + 1) * CHUNK_MS, move)] if move else []
    return found


def held(voiced_ms: int) -> BargeIn:
    barge_in = BargeIn()
    assert [move for _, move in moves("#" * (voiced_ms // CHUNK_MS), barge_in)] == [Move.HOLD]
    return barge_in


@pytest.mark.parametrize(("pattern", "at_ms"), [("..##", 128), ("#.#", 96)])
def test_two_chunks_of_speech_hold_the_agent(pattern: str, at_ms: int) -> None:
    assert moves(pattern) == [(at_ms, Move.HOLD)]


@pytest.mark.parametrize("pattern", ["#" + "." * 20, "#..#..#..#..#.."])
def test_a_click_and_crackle_do_not(pattern: str) -> None:
    assert moves(pattern) == []


def test_a_cough_is_over_when_it_is_quiet() -> None:
    assert moves("####" + "." * 10) == [(64, Move.HOLD), (8 * CHUNK_MS, Move.GO_ON)]


def test_speech_that_lasts_stops_the_agent_at_six_tenths_of_a_second() -> None:
    assert moves("#" * 19) == [(64, Move.HOLD), (19 * CHUNK_MS, Move.STOP)]


def test_speech_counts_in_sum() -> None:
    assert [move for _, move in moves("#######.." * 2 + "#####")] == [Move.HOLD, Move.STOP]


def test_where_words_are_awaited_a_pause_does_not_end_the_hold_but_a_long_one_does() -> None:
    found = moves("####" + "." * 2 * CHUNKS_A_SECOND, awaits_words=True)
    assert found == [(64, Move.HOLD), (4 * CHUNK_MS + 1_024, Move.GO_ON)]


def test_words_that_are_understood_stop_the_agent_held_or_not() -> None:
    assert held(96).words(Said.UNDERSTOOD) is Move.STOP
    assert BargeIn().words(Said.UNDERSTOOD) is Move.STOP


@pytest.mark.parametrize(
    ("voiced_ms", "what", "move"),
    [
        (480, Said.WORDS, Move.STOP),
        (96, Said.WORDS, Move.GO_ON),
        (480, Said.LISTENING, Move.GO_ON),
        (480, Said.NOTHING, Move.GO_ON),
    ],
)
def test_other_words_stop_it_where_they_are_longer_than_a_cough(voiced_ms: int, what: Said, move: Move) -> None:
    assert held(voiced_ms).words(what) is move


@pytest.mark.parametrize("what", [Said.NOTHING, Said.LISTENING, Said.WORDS])
def test_an_agent_that_is_not_held_does_not_go_on(what: Said) -> None:
    assert BargeIn().words(what) is None


def test_after_a_false_alarm_it_takes_more_for_a_while() -> None:
    barge_in = BargeIn()
    moves("##" + "." * 30, barge_in)
    assert [barge_in.feed(at, at + CHUNK_MS, 0.9) for at in range(1_024, 1_024 + 5 * CHUNK_MS, CHUNK_MS)] == [
        *[None] * 4,
        Move.HOLD,
    ]
    assert barge_in.words(Said.NOTHING) is Move.GO_ON
    later_ms = 2_048 + BargeInRule().wary_for_ms
    assert [barge_in.feed(at, at + CHUNK_MS, 0.9) for at in (later_ms, later_ms + CHUNK_MS)] == [None, Move.HOLD]


def test_when_the_agent_has_finished_the_evidence_is_forgotten() -> None:
    barge_in = held(96)
    barge_in.over()
    assert barge_in.feed(96, 128, 0.9) is None


# -- voices behind the caller ----------------------------------------------------------------------------------


def over_a_room(*stretches: tuple[int, float]) -> list[Move]:
    """So many chunks of speech, each at such a level (dBFS), after half a second of a room at -40 dBFS."""
    barge_in, found = BargeIn(), list[Move]()
    for k in range(16):
        assert barge_in.feed(k * CHUNK_MS, (k + 1) * CHUNK_MS, 0.0, level_dbfs=-40.0) is None
    spoken = [level_dbfs for chunks, level_dbfs in stretches for _ in range(chunks)]
    for k, level_dbfs in enumerate(spoken, 16):
        move = barge_in.feed(k * CHUNK_MS, (k + 1) * CHUNK_MS, 0.9, level_dbfs=level_dbfs)
        found += [move] if move else []
    return found


def test_voices_that_are_no_louder_than_the_room_are_the_room() -> None:
    assert over_a_room((60, -37.0)) == []


def test_who_is_louder_than_the_room_is_the_caller() -> None:
    assert over_a_room((60, -37.0), (19, -26.0)) == [Move.HOLD, Move.STOP]


def test_a_room_that_gets_louder_is_a_room_after_a_false_alarm() -> None:
    assert over_a_room((3, -30.0), (5, -40.0), (16, -30.0))[:2] == [Move.HOLD, Move.GO_ON]


# -- words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "general", "what"),
    [
        ("", "", Said.NOTHING),
        ("where can i park", "", Said.NOTHING),
        ("where can i park", "moon in the box", Said.NOTHING),  # two recognisers, two dreams: music, or a cough
        ("where can i park", "there can a bark", Said.WORDS),
        ("uh huh", "uh huh", Said.LISTENING),
        ("yeah okay", "yeah ok", Said.LISTENING),
        ("yeah but", "yeah but", Said.WORDS),
        ("stop", "stop", Said.WORDS),
    ],
)
def test_words_are_what_both_recognisers_heard(own: str, general: str, what: Said) -> None:
    assert said(Heard(own, general)) is what


def test_what_the_brain_understands_is_meant_even_a_yes() -> None:
    assert said(Heard("yes", "yes"), understood=True) is Said.UNDERSTOOD
    assert said(Heard("yes", "guess"), understood=True) is Said.NOTHING


def test_the_agents_own_words_are_nobodys() -> None:
    ours = "We are open Monday to Thursday from eight to six."
    assert said(Heard("open from eight to six", "open from ate to six"), understood=True, ours=ours) is Said.NOTHING
    assert said(Heard("no not on thursday", "no not on thursday"), ours=ours) is Said.WORDS
