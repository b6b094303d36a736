"""The log: a static message, then its fields. What was said, numbers and names never get here (tests/rules)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

import trio

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Fields(logging.Formatter):
    """`time level logger: message key=value …`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        fields = [f"{key}={value!r}" for key, value in fields_of(record).items()]
        return " ".join([super().formatMessage(record), *fields])


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Fields())
    logging.basicConfig(level=level, handlers=[handler], force=True)


_agent: ContextVar[str] = ContextVar("agent", default="")


@contextmanager
def about(*, agent_id: str) -> Generator[None, None, None]:
    """What is logged inside, and in tasks started inside, belongs to this agent's log."""
    token = _agent.set(agent_id)
    try:
        yield
    finally:
        _agent.reset(token)


def current_agent() -> str:
    """The agent that the running task works for; empty if none."""
    return _agent.get()


@dataclass(frozen=True, slots=True)
class LogLine:
    """A record of the log as the page shows it."""

    at: datetime
    level: int
    source: str
    agent_id: str
    text: str
    fields: dict[str, str]


# A burst of more than this between two turns of the loop would be a fault of its own; the terminal has it all.
_WAITING_LINES = 1000


class LogForPage(logging.Handler):
    """Takes records from any thread and hands them to `keep` on the Trio thread: copy, append, wake."""

    def __init__(self, keep: Callable[[LogLine], None]) -> None:
        super().__init__(logging.INFO)
        self._keep, self._token = keep, trio.lowlevel.current_trio_token()
        self._lines: deque[LogLine] = deque(maxlen=_WAITING_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        fields = {key: str(value) for key, value in fields_of(record).items()}
        if record.exc_info and record.exc_info[0]:
            fields["exception"] = record.exc_info[0].__name__  # its text may quote what was typed or said
        at = datetime.fromtimestamp(record.created, UTC)
        self._lines.append(LogLine(at, record.levelno, record.name, current_agent(), record.getMessage(), fields))
        self._token.run_sync_soon(self._hand_over, idempotent=True)

    def _hand_over(self) -> None:
        while self._lines:
            self._keep(self._lines.popleft())


@contextmanager
def log_for_page(keep: Callable[[LogLine], None]) -> Generator[None, None, None]:
    """While inside, what Deskbell logs at INFO and above goes to `keep` too."""
    handler, loggers = LogForPage(keep), [logging.getLogger(name) for name in ("app", "firmware", "models")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.setLevel(logging.INFO)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.removeHandler(handler)
            each.setLevel(level)
