"""The arithmetic of the wire bench, on calls written down as instants."""

from __future__ import annotations

import pytest

from tests.bench.turn_taking import Answer, MeasuredTurn, SaidLine, Stop, measure
from tests.office.track import Span

pytestmark = pytest.mark.unit

END_S = 60.0


def spans(*edges: float) -> list[Span]:
    return [Span(start_s, end_s) for start_s, end_s in zip(edges[::2], edges[1::2], strict=True)]


def line(name: str, start_s: float, end_s: float, *, interrupts: bool = False) -> SaidLine:
    return SaidLine(name, interrupts, Span(start_s, end_s))


def test_response_runs_from_the_last_word_to_the_first_audio() -> None:
    """The line has a pause in it, and silence at both ends of its file."""
    turns = measure([line("a", 9.9, 12.5)], spans(10.1, 11.0, 11.3, 12.0), spans(0.0, 5.0, 12.5, 14.0), END_S)
    assert turns == [MeasuredTurn("a", Answer.ANSWERED, 500.0)]


def test_each_line_has_its_own_answer() -> None:
    lines = [line("a", 10, 12), line("b", 15, 17)]
    turns = measure(lines, spans(10, 12, 15, 17), spans(12.6, 14, 17.7, 19), END_S)
    assert [turn.response_ms for turn in turns] == [pytest.approx(600), pytest.approx(700)]


def test_an_answer_to_the_next_line_is_none_to_this() -> None:
    lines = [line("a", 10, 12), line("b", 15, 17)]
    turns = measure(lines, spans(10, 12, 15, 17), spans(17.7, 19), END_S)
    assert [turn.answer for turn in turns] == [Answer.NO_REPLY, Answer.ANSWERED]


def test_an_agent_that_takes_a_pause_for_the_end_cut_in() -> None:
    turns = measure([line("a", 10, 13)], spans(10, 11, 12, 13), spans(11.5, 14), END_S)
    assert turns == [MeasuredTurn("a", Answer.CUT_IN)]


def test_a_line_that_was_not_played_or_not_heard_is_counted() -> None:
    lines = [SaidLine("a", interrupts=True, played=None), line("b", 10, 12)]
    turns = measure(lines, [], spans(0, 5), END_S)
    assert turns == [MeasuredTurn("a", Answer.NOT_SAID, stop=Stop.NOT_SAID), MeasuredTurn("b", Answer.NOT_SAID)]


def test_an_interruption_is_measured_from_the_callers_onset_to_the_agents_silence() -> None:
    turns = measure([line("a", 9.8, 12, interrupts=True)], spans(10, 12), spans(5, 10.25, 12.5, 14), END_S)
    assert turns == [
        MeasuredTurn("a", Answer.ANSWERED, 500.0, Stop.STOPPED, 250.0),
    ]


def test_an_agent_that_talks_over_the_caller_did_not_stop() -> None:
    [turn] = measure([line("a", 9.8, 12, interrupts=True)], spans(10, 12), spans(5, 13), END_S)
    assert (turn.stop, turn.stop_ms, turn.answer) == (Stop.WENT_ON, None, Answer.NO_REPLY)


def test_an_agent_that_had_just_finished_was_not_interrupted() -> None:
    [turn] = measure([line("a", 9.8, 12, interrupts=True)], spans(10, 12), spans(5, 9.9, 12.5, 14), END_S)
    assert (turn.stop, turn.stop_ms) == (Stop.ALREADY_SILENT, None)
