"""Who spoke when, as the PBX heard it: how fast the agent answered, and how fast it fell silent. Pure.

The end of the caller's last word and the agent's first audio are edges of level (tests/office/track.py says which);
a pause inside a line belongs to the line, because the caller's program tells when each line was played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tests.office.track import Span

# An agent that pauses for less is still in the same answer. Its own pauses between clauses are below.
BRIDGED_S = 0.4
# The caller's program tells when it gave the line to its telephone, which may hold it for 200 ms.
_EARLY_S, _LATE_S = 0.05, 0.4


class Answer(Enum):
    """What became of one line of the caller's."""

    ANSWERED = "answered"
    CUT_IN = "the agent began before the caller had finished"
    NO_REPLY = "no reply"
    NOT_SAID = "the call ended before the line"


class Stop(Enum):
    """What became of one interruption."""

    STOPPED = "stopped"
    ALREADY_SILENT = "the agent was silent already"
    WENT_ON = "the agent did not stop"
    NOT_SAID = "the call ended before the line"


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A line that the caller's program played: begun and over at these instants. Not played: None."""

    name: str
    interrupts: bool
    played: Span | None


@dataclass(frozen=True, slots=True)
class MeasuredTurn:
    """`response_ms`: from the end of the caller's last word to the first audio of the reply, where it was answered.
    `stop_ms`: from the caller's onset to the agent's silence, where it was interrupted and stopped."""

    name: str
    answer: Answer
    response_ms: float | None = None
    stop: Stop | None = None
    stop_ms: float | None = None


def measure(
    lines: Sequence[SaidLine], caller: Sequence[Span], agent: Sequence[Span], end_s: float
) -> list[MeasuredTurn]:
    """Each line's turn. `caller` and `agent` are where they speak, the agent's with `BRIDGED_S`; `end_s` is the end
    of the capture."""
    begins_s = [line.played.start_s for line in lines if line.played]
    turns = []
    for line in lines:
        later = [begin_s for begin_s in begins_s if line.played and begin_s > line.played.start_s]
        turns.append(_turn(line, caller, agent, min([*later, end_s])))
    return turns


def _turn(line: SaidLine, caller: Sequence[Span], agent: Sequence[Span], until_s: float) -> MeasuredTurn:
    spoken = _spoken(line.played, caller) if line.played else None
    if spoken is None:
        return MeasuredTurn(line.name, Answer.NOT_SAID, stop=Stop.NOT_SAID if line.interrupts else None)
    answer, response_ms = _answer(spoken, agent, until_s)
    if not line.interrupts:
        return MeasuredTurn(line.name, answer, response_ms)
    stop, stop_ms = _stop(spoken, agent)
    return MeasuredTurn(line.name, answer, response_ms, stop, stop_ms)


def _spoken(played: Span, caller: Sequence[Span]) -> Span | None:
    """From the onset of the line's first word to the end of its last one."""
    first_s, last_s = played.start_s - _EARLY_S, played.end_s + _LATE_S
    within = [span for span in caller if span.start_s >= first_s and span.end_s <= last_s]
    return Span(within[0].start_s, within[-1].end_s) if within else None


def _answer(spoken: Span, agent: Sequence[Span], until_s: float) -> tuple[Answer, float | None]:
    for span in agent:
        if spoken.start_s < span.start_s < until_s:
            if span.start_s < spoken.end_s:
                return Answer.CUT_IN, None
            return Answer.ANSWERED, (span.start_s - spoken.end_s) * 1000
    return Answer.NO_REPLY, None


def _stop(spoken: Span, agent: Sequence[Span]) -> tuple[Stop, float | None]:
    """The agent that speaks over the whole line, or to the line's end and on, did not stop."""
    for span in agent:
        if span.start_s < spoken.start_s < span.end_s:
            if span.end_s >= spoken.end_s:
                return Stop.WENT_ON, None
            return Stop.STOPPED, (span.end_s - spoken.start_s) * 1000
    return Stop.ALREADY_SILENT, None
