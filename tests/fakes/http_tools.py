"""HTTP tools on a virtual clock. They pass the contract tests that the real ones pass
(tests/contract/test_http_tools.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import trio

from app.http_tools import HttpTool, ToolAnswer, Value

SILENT = ("it did not answer in time", "Make it faster")


@dataclass
class FakeTools:
    """`answers`: after how many seconds, and what, in their order; the last one again and again."""

    tools: Sequence[HttpTool]
    answers: list[tuple[float, ToolAnswer]]
    asked: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    runs: list[FakeRun] = field(default_factory=list)

    def start(self, tool: HttpTool, values: Mapping[str, Value], within_s: float) -> FakeRun:
        self.asked.append((tool.name, dict(values)))
        after_s, answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if after_s > within_s:
            after_s, answer = within_s, ToolAnswer(within_s, why=SILENT[0], remedy=SILENT[1])
        self.runs.append(FakeRun(trio.current_time() + after_s, answer))
        return self.runs[-1]


@dataclass
class FakeRun:
    due_s: float
    end: ToolAnswer
    is_stopped: bool = False

    async def answer(self) -> ToolAnswer:
        await trio.sleep_until(self.due_s)
        return self.end

    def stop(self) -> None:
        self.is_stopped = True
