"""A language model on a virtual clock. It passes the contract tests that the real client passes
(tests/contract/test_language_model.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from app.language_models import ChatMessage, ModelFailed


@dataclass(frozen=True)
class Written:
    """One answer: each piece with the seconds that it takes to come after the one before; then the end, or `breaks`."""

    pieces: Sequence[tuple[float, str]] = ()
    breaks: ModelFailed | None = None
    ends_after_s: float = 0.0


def at_once(text: str) -> Written:
    return Written([(0.05, text)])


NEVER = Written(ends_after_s=float("inf"))


@dataclass
class FakeModel:
    """Writes `answers` in their order, the last one again and again. `asked` has what it was asked each time."""

    answers: list[Written]
    asked: list[list[ChatMessage]] = field(default_factory=list)
    given: list[FakeAnswer] = field(default_factory=list)

    def ask(self, messages: Sequence[ChatMessage]) -> FakeAnswer:
        self.asked.append(list(messages))
        written = self.answers[min(len(self.asked), len(self.answers)) - 1]
        self.given.append(FakeAnswer(written, trio.current_time()))
        return self.given[-1]


class FakeAnswer:
    def __init__(self, written: Written, began_s: float) -> None:
        self.is_stopped = False
        self._written, self._place, self._due_s = written, 0, began_s

    async def more(self) -> str:
        if self._place < len(self._written.pieces):
            after_s, text = self._written.pieces[self._place]
            await trio.sleep_until(self._due_s + after_s)
            self._place, self._due_s = self._place + 1, self._due_s + after_s
            return text
        await trio.sleep_until(self._due_s + self._written.ends_after_s)
        if self._written.breaks:
            raise self._written.breaks
        return ""

    def stop(self) -> None:
        self.is_stopped = True
