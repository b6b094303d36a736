"""A campaign that wants to call and cannot is a finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.control.views import AgentState, Severity
from app.diagnosis import CampaignFact, Facts, findings
from tests.unit.test_diagnosis import agent, plan

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
RUNS = CampaignFact("x", "Dunning", "a", runs=True)
STOPPED = agent().model_copy(update={"state": AgentState.STOPPED})
RUNNING = agent().model_copy(update={"state": AgentState.RUNNING})


@pytest.mark.parametrize(
    ("campaign", "state", "kind", "words"),
    [
        (RUNS, RUNNING, None, ""),
        (replace(RUNS, runs=False), STOPPED, None, ""),
        (replace(RUNS, held_until=NOW - timedelta(minutes=1)), RUNNING, None, ""),
        (RUNS, STOPPED, "campaign without agent", "is stopped"),
        (replace(RUNS, agent_id="gone"), RUNNING, "campaign without agent", "was deleted"),
        (
            replace(RUNS, runs=False, problem="The flow leads nowhere."),
            RUNNING,
            "campaign stands still",
            "leads nowhere",
        ),
        (replace(RUNS, held_until=NOW + timedelta(minutes=9)), RUNNING, "campaign holds back", "at 12:09"),
    ],
)
def test_what_keeps_a_campaign_from_calling(
    campaign: CampaignFact, state: object, kind: str | None, words: str
) -> None:
    facts = Facts(NOW, [state], {"a": plan()}, [], campaigns=[campaign])  # type: ignore[list-item]
    found = [each for each in findings(facts) if each.about == "campaign"]
    assert [each.kind for each in found] == ([kind] if kind else [])
    assert all(words in each.evidence and each.about_id == "x" and each.remedy for each in found)
    assert all(each.severity is Severity.WARNING for each in found)
