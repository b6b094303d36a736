"""A campaign that wants to call and cannot."""

from __future__ import annotations

from collections.abc import Iterator

from app.control.views import AgentState, Finding, Severity
from app.diagnosis.facts import CampaignFact, Facts


def of_campaign(campaign: CampaignFact, facts: Facts) -> Iterator[Finding]:
    agent = next((each for each in facts.agents if each.id == campaign.agent_id), None)
    if campaign.problem:
        yield _finding(
            campaign, "campaign stands still", campaign.problem, "Open it, mend its flow, then start it again."
        )
    elif not campaign.runs:
        return
    elif agent is None:
        evidence, remedy = "Its agent was deleted.", "Choose another agent in its settings."
        yield _finding(campaign, "campaign without agent", evidence, remedy)
    elif agent.state is AgentState.STOPPED:
        evidence = f"The campaign runs, and its agent “{agent.name}” is stopped."
        yield _finding(campaign, "campaign without agent", evidence, "Start the agent: the campaign goes on by itself.")
    elif campaign.held_until and campaign.held_until > facts.now:
        evidence = (
            "Too many of its calls failed because of the line. One call is tried "
            f"{facts.at(campaign.held_until)}; if that works, it goes on by itself."
        )
        remedy = "Look at the sessions of its last calls for what the phone system said; try a number on the Test page."
        yield _finding(campaign, "campaign holds back", evidence, remedy)


def _finding(campaign: CampaignFact, kind: str, evidence: str, remedy: str) -> Finding:
    return Finding(
        kind=kind,
        severity=Severity.WARNING,
        title=f"The campaign “{campaign.name}” calls nobody",
        evidence=evidence,
        remedy=remedy,
        about="campaign",
        about_id=campaign.id,
        about_name=campaign.name,
    )
