"""What is counted from the start of the process on: calls by what became of them, and how long callers waited for an
answer, stage by stage. Nothing of what was said, and nobody's number."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from app.control.figures import RESPONSE_BOUNDS_S, CallsEnded, Responses
from app.ports import Ledger, Line, Outcome, SessionLog
from app.turn_times import Turn

STAGES = ("pause", "recognition", "brain", "voice", "other")
"""`other`: what is left of the whole, so that they always add up to it."""


class Counts:
    def __init__(self) -> None:
        self.interruptions = 0
        self._ended: Counter[tuple[str, str]] = Counter()
        self._talk_ms: Counter[tuple[str, str]] = Counter()
        self._upto = [0] * (len(RESPONSE_BOUNDS_S) + 1)
        self._stages_ms = dict.fromkeys(STAGES, 0.0)

    def ended(self, direction: str, outcome: Outcome) -> None:
        which = direction, outcome.result.value
        self._ended[which] += 1
        self._talk_ms[which] += outcome.talk_ms

    def answered(self, turn: Turn) -> None:
        self._upto[bisect_left(RESPONSE_BOUNDS_S, turn.response_ms / 1000)] += 1
        told = (turn.commit_ms - turn.speech_end_ms, turn.decode_ms, turn.brain_ms, turn.voice_ms)
        for stage, length_ms in zip(STAGES, (*told, turn.response_ms - sum(told)), strict=True):
            self._stages_ms[stage] += length_ms

    def calls(self) -> tuple[CallsEnded, ...]:
        return tuple(
            CallsEnded(direction=way, result=result, count=count, talk_s=self._talk_ms[way, result] / 1000)
            for (way, result), count in sorted(self._ended.items())
        )

    def responses(self) -> Responses:
        within = tuple(sum(self._upto[: place + 1]) for place in range(len(RESPONSE_BOUNDS_S)))
        stages_s = {stage: length_ms / 1000 for stage, length_ms in self._stages_ms.items()}
        return Responses(count=sum(self._upto), sum_s=sum(stages_s.values()), within=within, stages_s=stages_s)


class CountedLedger:
    """Passes everything on, and counts."""

    def __init__(self, ledger: Ledger, counts: Counts) -> None:
        self._ledger, self._counts = ledger, counts

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SessionLog:
        session = self._ledger.open_session(call_id=call_id, agent=agent, direction=direction, remote=remote)
        return CountedSession(session, self._counts, direction)


class CountedSession:
    def __init__(self, session: SessionLog, counts: Counts, direction: str) -> None:
        self._session, self._counts, self._direction = session, counts, direction
        self.id = session.id
        self.connected, self.recorded = session.connected, session.recorded
        self.note, self.found = session.note, session.found

    def line(self, line: Line) -> None:
        self._counts.interruptions += line.interrupted
        self._session.line(line)

    def turn(self, turn: Turn) -> None:
        self._counts.answered(turn)
        self._session.turn(turn)

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        self._counts.ended(self._direction, outcome)
        self._session.close(outcome, conclusion, results)
