"""Does the caller mean to interrupt? Chunks in, and words; what the agent does, and when, out."""

from __future__ import annotations

import pytest

from app.ports import Heard
from app.turns.barge_in import BargeIn, BargeInRule, Move, Why
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


def test_what_is_heard_from_the_beginning_on_is_the_room_and_no_caller() -> None:
    barge_in = BargeIn()
    barge_in.learn()
    span = [(at, at + CHUNK_MS) for at in range(0, 4_000, CHUNK_MS)]
    assert [barge_in.feed(*each, 0.9, level_dbfs=-35.0) for each in span] == [None] * len(span)
    later = [barge_in.feed(4_000 + start, 4_000 + end, 0.9, level_dbfs=-25.0) for start, end in span[:2]]
    assert later == [None, Move.HOLD]


def test_words_of_the_room_are_no_interruption_however_well_they_are_understood() -> None:
    barge_in = BargeIn()
    barge_in.learn()
    for at in range(0, 4_000, CHUNK_MS):
        barge_in.feed(at, at + CHUNK_MS, 0.9, level_dbfs=-35.0)
    assert barge_in.words(Said.UNDERSTOOD) is None
    for at in (4_000, 4_032):
        barge_in.feed(at, at + CHUNK_MS, 0.9, level_dbfs=-25.0)
    assert barge_in.words(Said.UNDERSTOOD) is Move.STOP


def test_a_room_that_gets_louder_is_a_room_after_a_false_alarm() -> None:
    assert over_a_room((3, -30.0), (5, -40.0), (16, -30.0))[:2] == [Move.HOLD, Move.GO_ON]


# -- the beginning of a call -----------------------------------------------------------------------------------

# Of a call on the wire that was stopped after 0.74 s of its greeting: an office, heard from chunk 6 on.
OFFICE_BEGINS = (
    *((-73.0, 0.02),) * 6,
    *((-41.8, 0.07), (-34.5, 0.14), (-35.1, 0.07), (-37.0, 0.03), (-37.4, 0.03), (-40.9, 0.02), (-37.5, 0.38)),
    *((-33.6, 0.94), (-34.4, 0.94), (-37.2, 0.93), (-32.2, 0.97), (-32.7, 0.98), (-31.9, 0.98), (-32.1, 0.98)),
    *((-30.0, 0.96), (-30.2, 0.93), (-79.3, 0.14), (-32.7, 0.55), (-31.0, 0.50), (-31.9, 0.77), (-33.5, 0.72)),
    *((-32.0, 0.74), (-32.2, 0.65), (-31.7, 0.57), (-32.9, 0.47), (-32.3, 0.42), (-36.8, 0.14), (-31.8, 0.28)),
    *((-33.2, 0.59), (-34.2, 0.65), (-32.8, 0.66), (-36.1, 0.78), (-34.5, 0.85), (-37.3, 0.60), (-78.9, 0.40)),
    *((-32.8, 0.75), (-34.2, 0.58), (-31.7, 0.67), (-30.4, 0.65), (-30.3, 0.62), (-31.9, 0.49), (-35.6, 0.17)),
)
SYLLABLES = ((-22.0, 0.9), (-20.0, 0.95), (-24.0, 0.9), (-45.0, 0.7), (-50.0, 0.3))
PAUSE = ((-70.0, 0.05),) * 9  # until the recogniser has an answer


def begun(*chunks: tuple[float, float]) -> tuple[BargeIn, list[tuple[int, Move]]]:
    """A call that begins with chunks of such a level (dBFS) and such a probability of speech."""
    barge_in, found = BargeIn(), list[tuple[int, Move]]()
    barge_in.learn()
    for k, (level_dbfs, probability) in enumerate(chunks):
        move = barge_in.feed(k * CHUNK_MS, (k + 1) * CHUNK_MS, probability, level_dbfs=level_dbfs)
        found += [((k + 1) * CHUNK_MS, move)] if move else []
    return barge_in, found


def test_an_office_that_begins_to_be_heard_does_not_interrupt() -> None:
    assert begun(*OFFICE_BEGINS, *OFFICE_BEGINS[6:] * 3)[1] == []


def test_its_words_do_not_either_and_the_session_says_why() -> None:
    barge_in, _ = begun(*OFFICE_BEGINS)
    assert barge_in.words(Said.UNDERSTOOD) is None
    assert barge_in.passes_over(Said.UNDERSTOOD, 700) is Why.ROOM


def test_a_hello_as_the_call_begins_interrupts_nothing_and_the_session_says_why() -> None:
    barge_in, found = begun(*PAUSE, *SYLLABLES * 2, *PAUSE)
    assert found == []
    assert barge_in.words(Said.WORDS) is None
    assert barge_in.passes_over(Said.WORDS, 300) is Why.HELLO


@pytest.mark.parametrize("quiet_before", [0, 9, 18])
@pytest.mark.parametrize("syllables", [2, 4, 8])
def test_who_says_something_as_the_call_begins_interrupts_once_it_is_understood(
    quiet_before: int, syllables: int
) -> None:
    barge_in, _ = begun(*PAUSE[:1] * quiet_before, *SYLLABLES * syllables, *PAUSE)
    assert barge_in.words(Said.UNDERSTOOD) is Move.STOP
    assert barge_in.why is Why.UNDERSTOOD


def test_who_speaks_from_the_beginning_on_and_does_not_stop_is_the_caller_after_two_seconds() -> None:
    _, found = begun(*SYLLABLES * 24)
    (held_ms, hold), (stopped_ms, stop), *_ = found
    assert (hold, stop) == (Move.HOLD, Move.STOP)
    assert 2_048 < held_ms <= 2_048 + 128
    assert stopped_ms <= held_ms + 1_000


def test_who_speaks_after_the_first_second_is_the_caller_at_once() -> None:
    _, found = begun(*((-65.0, 0.05),) * 31, *SYLLABLES * 10)
    assert found[0] == (33 * CHUNK_MS, Move.HOLD)
    assert [move for _, move in found[:2]] == [Move.HOLD, Move.STOP]


def test_of_words_that_began_later_or_of_none_there_is_nothing_to_tell() -> None:
    barge_in, _ = begun(*((-65.0, 0.05),) * 40)
    assert barge_in.passes_over(Said.NOTHING, 300) is None
    assert barge_in.passes_over(Said.WORDS, 1_000) is None


@pytest.mark.parametrize(("said", "why"), [(Said.UNDERSTOOD, Why.UNDERSTOOD), (Said.WORDS, Why.WORDS)])
def test_words_that_stop_the_agent_are_why(said: Said, why: Why) -> None:
    barge_in = held(480)
    assert barge_in.words(said) is Move.STOP
    assert barge_in.why is why


def test_speech_that_lasts_is_why() -> None:
    barge_in = BargeIn()
    assert barge_in.words(Said.UNDERSTOOD) is Move.STOP
    assert moves("#" * 19, barge_in)[-1][1] is Move.STOP
    assert barge_in.why is Why.LASTED


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
