"""What of an agent's settings takes effect with a restart only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.agents.reception import Reception
from app.control.views import AgentPlan
from app.settings import Agent
from firmware.control.look import pending
from firmware.employer import AtWork
from firmware.storage import records

pytestmark = pytest.mark.unit

STARTED = Agent(name="Reception", greeting="Hello.")


def record(settings: Agent, version: int) -> records.AgentRecord:
    return records.AgentRecord("a1", version, datetime(2026, 11, 26, tzinfo=UTC), AgentPlan(settings=settings), True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"mail_to": ("owner@office.example",), "mail_when": "every call"}, []),
        ({"greeting": "Good morning."}, ["its settings were changed"]),
    ],
)
def test_what_waits_for_a_restart(changes: dict[str, object], words: list[str]) -> None:
    at_work = AtWork(record(STARTED, 1), {}, Reception.__new__(Reception))
    saved = record(STARTED.model_copy(update=changes), 2)
    assert pending(saved, records.Parts({}, {}), at_work) == words
    with_file = records.Parts({}, {}, {"a1": frozenset({"d1"})})
    assert pending(saved, with_file, at_work) == [*words, "its files were changed"]


def test_a_tool_that_was_added_or_changed_waits_for_a_restart() -> None:
    at_work = AtWork(record(STARTED, 1), {}, Reception.__new__(Reception), tools=frozenset({("t1", 1)}))
    for version, words in ((1, []), (2, ["its tools were changed"])):
        parts = records.Parts({}, {}, tools={"a1": frozenset({("t1", version)}), "a2": frozenset({("t2", 1)})})
        assert pending(record(STARTED, 1), parts, at_work) == words
