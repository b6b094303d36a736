"""Campaigns and flows as YAML, and back. Agents, connections and time zones are named, so that a campaign can be taken
to another box. Participants are no part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import trio
from pydantic import ValidationError

from app.control.views import AgentView, ConnectionView
from app.outbound.campaign import Campaign
from app.outbound.flow import Flow
from provisioning.web.yaml_text import Mistake, Read, read, written

Mistakes = tuple[Mistake, ...]


def flow_text(flow: Flow) -> str:
    return written(_flow(flow))


def _flow(flow: Flow) -> dict[str, object]:
    """Without what is as usual."""
    return {
        "triggers": [each.model_dump(mode="json", exclude_defaults=True) for each in flow.triggers],
        "steps": [
            {"id": each.id, "do": each.do, **each.model_dump(mode="json", exclude_defaults=True)} for each in flow.steps
        ],
    }


async def flow_of(text: str) -> Flow | Mistakes:
    """A long text takes a second."""
    found = await trio.to_thread.run_sync(read, text)
    if isinstance(found, Mistake):
        return (found,)
    try:
        return Flow.model_validate(found.value)
    except ValidationError as error:
        return found.mistakes(error)


def campaign_text(settings: Campaign, agent: str, connection: str) -> str:
    """`agent`, `connection`: their names."""
    told = settings.model_dump(mode="json", exclude={"agent_id", "connection_id", "flow"})
    named = {"name": told.pop("name"), "description": told.pop("description"), "agent": agent}
    return written(named | ({"connection": connection} if connection else {}) | told | {"flow": _flow(settings.flow)})


async def campaign_of(
    text: str, agents: Sequence[AgentView], connections: Sequence[ConnectionView], agent_id: str = ""
) -> Campaign | Mistakes:
    """`agent_id`: in place of the one that is named there."""
    found = await trio.to_thread.run_sync(read, text)
    if isinstance(found, Mistake):
        return (found,)
    if not isinstance(found.value, dict):
        return (Mistake(1, "This is no campaign: its first line would be “name: …”."),)
    settings = dict(found.value)
    by_agent = {each.name.casefold(): each.id for each in agents}
    by_line = {each.account.name.casefold(): each.id for each in connections}
    settings["agent_id"] = agent_id or by_agent.get(str(settings.pop("agent", "")).casefold(), "")
    settings["connection_id"] = by_line.get(str(settings.pop("connection", "")).casefold())
    settings.pop("agent", None)
    if not settings["agent_id"]:
        return (Mistake(found.line(("agent",)), "This box has no agent of that name. Choose one below."),)
    return _validated(settings, found)


def _validated(settings: Mapping[str, object], found: Read) -> Campaign | Mistakes:
    try:
        return Campaign.model_validate(settings)
    except ValidationError as error:
        return found.mistakes(error)
