"""HTTP tools, asked in one call: how often, for how long, and nothing twice that could be done twice."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence

import trio

from app.brains.tool_answers import noted, told
from app.brains.tools import AskTool, Work
from app.http_tools import ANSWER_S, MOST_CALLS, TURN_S, HttpTool, HttpTools, ToolAnswer, ToolRun
from app.ports import Noted

_log = logging.getLogger(__name__)


class ToolAsker:
    """Of one call. What may change something is sent once for the same values: whoever interrupts the agent while it
    is asked, and says it again, books no second table."""

    def __init__(self, http: HttpTools) -> None:
        self._http = http
        self._sent: dict[str, ToolRun] = {}
        self.left, self._ends_at_s = MOST_CALLS, 0.0

    @property
    def tools(self) -> Sequence[HttpTool]:
        return self._http.tools

    def begin_turn(self) -> None:
        self.left, self._ends_at_s = MOST_CALLS, 0.0

    def begin(self, work: Work) -> ToolQuestions:
        """Ask all that `work` asks for, at once. Whoever begins them calls `stop` in the end."""
        now_s = trio.current_time()
        if self.left == MOST_CALLS:
            self._ends_at_s = now_s + TURN_S
        self.left -= len(work.asks)
        within_s = max(0.0, min(ANSWER_S, self._ends_at_s - now_s))
        return ToolQuestions(self, work, [self._run(ask, within_s) for _, ask in work.asks])

    def forget(self, ask: AskTool) -> None:
        """It was not sent: it may be tried again."""
        self._sent.pop(_key(ask), None)

    def _run(self, ask: AskTool, within_s: float) -> ToolRun:
        key = _key(ask)
        run = self._sent.get(key) or self._http.start(ask.tool, ask.values, within_s)
        if ask.tool.method != "GET":
            self._sent[key] = run
        return run


class ToolQuestions:
    """On their way. Made by `ToolAsker.begin`."""

    def __init__(self, asker: ToolAsker, work: Work, runs: Sequence[ToolRun]) -> None:
        self._asker, self._work, self._runs = asker, work, runs
        self._answers: list[ToolAnswer] = []

    def begun(self) -> Iterator[Noted]:
        """What the session has to know, whatever happens from now on."""
        for _, ask in self._work.asks:
            if ask.tool.method != "GET":
                yield Noted(f"The tool “{ask.tool.name}” is asked to do something.")

    async def are_there_by(self, at_s: float) -> bool:
        with trio.move_on_at(at_s):
            for run in self._runs[len(self._answers) :]:
                self._answers.append(await run.answer())
        return len(self._answers) == len(self._runs)

    def taken(self) -> Iterator[Noted]:
        """The answers go to the model; the notes, to the session."""
        for (place, ask), answer in zip(self._work.asks, self._answers, strict=True):
            self._work.told[place] = told(ask.tool, answer)
            if answer.why:
                _log.warning("a tool of the agent failed", extra={"problem": f"{answer.why}. {answer.remedy}"})
            if not answer.sent:
                self._asker.forget(ask)
            yield Noted(noted(ask.tool, answer))

    def stop(self) -> None:
        """What only looks something up need not go on."""
        for (_, ask), run in zip(self._work.asks, self._runs, strict=True):
            if ask.tool.method == "GET":
                run.stop()


def _key(ask: AskTool) -> str:
    return json.dumps([ask.tool.name, ask.values])
