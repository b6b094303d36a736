"""A language model on a virtual clock. It passes the contract tests that the real client passes
(tests/contract/test_language_model.py)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from app.language_models import ChatMessage, ModelFailed, Tool, ToolCall


@dataclass(frozen=True)
class Written:
    """One answer: each piece with the seconds that it takes to come after the one before; then `calls` of tools, and
    the end, or `breaks`."""

    pieces: Sequence[tuple[float, str]] = ()
    breaks: ModelFailed | None = None
    ends_after_s: float = 0.0
    calls: tuple[ToolCall, ...] = ()


def at_once(text: str, *calls: ToolCall) -> Written:
    return Written([(0.05, text)] if text else [], ends_after_s=0.05, calls=calls)


def tool(name: str, /, **arguments: object) -> ToolCall:
    return ToolCall(name, json.dumps(arguments))


NEVER = Written(ends_after_s=float("inf"))


@dataclass
class FakeModel:
    """Writes `answers` in their order, the last one again and again. `asked` and `tools` have what it was asked each
    time, and with which tools."""

    answers: list[Written]
    asked: list[list[ChatMessage]] = field(default_factory=list)
    given: list[FakeAnswer] = field(default_factory=list)
    tools: list[list[Tool]] = field(default_factory=list)

    def ask(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> FakeAnswer:
        self.asked.append(list(messages))
        self.tools.append(list(tools))
        written = self.answers[min(len(self.asked), len(self.answers)) - 1]
        self.given.append(FakeAnswer(written, trio.current_time()))
        return self.given[-1]


class FakeAnswer:
    def __init__(self, written: Written, began_s: float) -> None:
        self.is_stopped = self.is_calling = False
        self.calls: tuple[ToolCall, ...] = ()
        self._written, self._place, self._due_s = written, 0, began_s

    async def more(self) -> str:
        if self._place < len(self._written.pieces):
            after_s, text = self._written.pieces[self._place]
            await trio.sleep_until(self._due_s + after_s)
            self._place, self._due_s = self._place + 1, self._due_s + after_s
            return text
        self.is_calling = bool(self._written.calls)
        await trio.sleep_until(self._due_s + self._written.ends_after_s)
        if self._written.breaks:
            raise self._written.breaks
        self.calls = self._written.calls
        return ""

    def stop(self) -> None:
        self.is_stopped = True
