"""The common issues as live findings: what keeps calls from working, how we know, what mends it. Pure.

Each finding is one row of "Common issues" in the description of the service that Deskbell replaces.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.control.views import Finding, Severity
from app.diagnosis.agents import of_agent
from app.diagnosis.campaigns import of_campaign
from app.diagnosis.clock import of_clock
from app.diagnosis.connections import of_connection
from app.diagnosis.disk import of_disk
from app.diagnosis.facts import SILENCE_DAYS, CampaignFact, Engine, EngineTrouble, Facts, History, MailFact
from app.diagnosis.mail import of_mail
from app.diagnosis.network import of_network
from app.diagnosis.updates import of_update

__all__ = ["SILENCE_DAYS", "CampaignFact", "Engine", "EngineTrouble", "Facts", "History", "MailFact", "findings"]


def findings(facts: Facts) -> Iterator[Finding]:
    """Errors first."""
    found = [
        *of_clock(facts.now),
        *of_disk(facts.disk_free_mb, facts.storage_problem, facts.left_machine),
        *of_network(facts.network),
        *of_update(facts.last_update, facts.newer, facts.now),
        *of_mail(facts),
        *(finding for agent in facts.agents for finding in of_agent(agent, facts)),
        *(finding for connection in facts.connections for finding in of_connection(connection, facts)),
        *(finding for campaign in facts.campaigns for finding in of_campaign(campaign, facts)),
    ]
    if not facts.agents:
        found.append(_NOTHING_SET_UP)
    order = list(Severity)
    return iter(sorted(found, key=lambda finding: order.index(finding.severity)))


_NOTHING_SET_UP = Finding(
    kind="nothing set up",
    severity=Severity.INFO,
    title="Nobody answers the telephone yet",
    evidence="There is no agent.",
    remedy="Add a SIP connection under Settings > Channels, then an agent under Agents, attach the connection with "
    "Inbound on, and start the agent.",
)
