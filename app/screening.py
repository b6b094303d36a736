"""Who has answered a call of ours, and what to do about a machine. Without it, whoever answers is talked to at once."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from enum import Enum, auto
from typing import Protocol

from app.brains.clauses import clauses
from app.echo import rms_dbfs
from app.listening import Chunk
from app.ports import Action, HangUp, Say
from app.turns.answering_machine import Answerer, AnswererDecider, MessageDecider, Moment, Verdict

_log = logging.getLogger(__name__)


class Beeps(Protocol):
    """Beeps of answering machines, for one call. The state is this object's own and dies with it."""

    def heard(self, chunk: bytes) -> bool:
        """Whether it is clear, with the next chunk of 512 samples (32 ms, 1024 bytes), that a beep is over."""


class Step(Enum):
    """What the agent does next."""

    TALK = auto()
    HANG_UP = auto()
    LEAVE_MESSAGE = auto()


class Screening:
    """One call's. `message`: what to say to a machine; empty: hang up on it."""

    def __init__(self, call_id: str, beeps: Beeps, message: str = "") -> None:
        self.verdict: Verdict | None = None
        self.message_said = False
        self._call_id, self._beeps, self._message = call_id, beeps, message
        self._answerer, self._moment = AnswererDecider(), MessageDecider()
        self._met_machine = False
        self._from_ms: int | None = None  # the audio clock at the answer

    @property
    def machine(self) -> bool:
        return self.verdict is not None and self.verdict.answerer is Answerer.MACHINE

    @property
    def holds(self) -> bool:
        """Whether what is heard gets no answer: it is not clear who speaks, or it is a machine."""
        return self.verdict is None or self.machine

    @property
    def results(self) -> dict[str, str]:
        """Who it was, for the session. Empty before that is clear."""
        if self.verdict is None:
            return {}
        return {
            "answered_by": self.verdict.answerer.value,
            "answered_by_confidence": f"{self.verdict.confidence:.2f}",
            "answered_by_because": self.verdict.because.value,
        }

    def feed(self, chunk: Chunk) -> Step | None:
        """The next chunk of the call."""
        beep = self._beeps.heard(chunk.pcm)
        if self._from_ms is None:
            self._from_ms = chunk.start_ms
        span = chunk.start_ms - self._from_ms, chunk.end_ms - self._from_ms, chunk.probability
        verdict = self._answerer.feed(*span, level_dbfs=rms_dbfs(chunk.pcm), beep=beep)
        moment = self._moment.feed(*span, beep=beep)
        if verdict:
            self._decide(verdict, span[1])
            if not self.machine:
                return Step.TALK
        return self._with_machine(moment) if self.machine else None

    def _decide(self, verdict: Verdict, now_ms: int) -> None:
        self.verdict = verdict
        _log.info(
            "call answered by a person or a machine: see verdict",
            extra={
                "call_id": self._call_id,
                "verdict": verdict.answerer.value,
                "evidence": f"{verdict.because.value}; {verdict.talk_ms} ms of talk, at {now_ms} ms, "
                f"confidence {verdict.confidence}",
            },
        )

    def _with_machine(self, moment: Moment | None) -> Step | None:
        """Once."""
        if self._met_machine or (self._message and moment is None):
            return None
        self._met_machine = True
        return Step.LEAVE_MESSAGE if self._message and moment is Moment.NOW else Step.HANG_UP

    async def say_message(self) -> AsyncGenerator[Action, None]:
        for clause in clauses(self._message):
            yield Say(clause)
        self.message_said = True
        yield HangUp("")
