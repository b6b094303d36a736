"""A ledger in memory: `app.ports.Ledger` with the real one's readers. tests/contract/test_ledger.py runs on both."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import trio

from app.ports import Line, Outcome, Result
from app.turn_times import Turn
from firmware.storage import Note, SessionDetail, SessionSummary

TALKED = Outcome(Result.ANSWERED, 200, "BYE", ring_ms=0, talk_ms=3000, ended_by="caller")
"""Of a call that went well."""


@dataclass
class FakeSessionLog:
    summary: SessionSummary
    now: Callable[[], datetime]
    lines: list[Line] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.summary.id

    def connected(self, codec: str) -> None:
        self.summary = replace(self.summary, connected_at=self.now(), codec=codec)

    def recorded(self, path: Path) -> None:
        self.summary = replace(self.summary, recording=path)

    def line(self, line: Line) -> None:
        self.lines.append(line)

    def turn(self, turn: Turn) -> None:
        self.turns.append(turn)

    def note(self, at_ms: int, text: str) -> None:
        self.notes.append(Note(at_ms, text))

    def found(self, results: dict[str, str]) -> None:
        self.summary = replace(self.summary, results=dict(results))

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        self.summary = replace(
            self.summary,
            ended_at=self.now(),
            outcome=outcome.result.value,
            ended_by=outcome.ended_by,
            conclusion=conclusion,
            sip_code=outcome.sip_code,
            sip_reason=outcome.reason,
            ring_ms=outcome.ring_ms,
            talk_ms=outcome.talk_ms,
            results=dict(results),
        )


class FakeLedger:
    problem: str | None = None

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.logs: list[FakeSessionLog] = []
        self._now = now
        self._numbers = itertools.count(1)

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> FakeSessionLog:
        summary = SessionSummary(
            id=f"fake-{next(self._numbers)}",
            call_id=call_id,
            agent=agent,
            direction=direction,
            remote=remote,
            started_at=self._now(),
            connected_at=None,
            codec=None,
            ended_at=None,
            outcome=None,
            ended_by=None,
            conclusion="",
            sip_code=None,
            sip_reason="",
            ring_ms=None,
            talk_ms=None,
            results={},
            recording=None,
        )
        self.logs.append(FakeSessionLog(summary, self._now))
        return self.logs[-1]

    async def settled(self) -> None:
        await trio.lowlevel.checkpoint()

    async def sessions(self, limit: int = 100) -> list[SessionSummary]:
        await trio.lowlevel.checkpoint()
        return [log.summary for log in reversed(self.logs)][:limit]

    async def session(self, session_id: str) -> SessionDetail | None:
        await trio.lowlevel.checkpoint()
        for log in self.logs:
            if log.id == session_id:
                lines = sorted(log.lines, key=lambda line: line.start_ms)
                return SessionDetail(log.summary, tuple(lines), tuple(log.turns), notes=tuple(log.notes))
        return None
