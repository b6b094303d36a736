"""What the pages of one campaign share: its head, its tabs, and how a part of its settings is saved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control.campaigns import CampaignView, Problem
from app.control.refusals import STATUS, Refusal
from app.control.views import Agents
from app.outbound.campaign import Campaign
from provisioning.web.rendering import (
    Form,
    door_of,
    form_of,
    page,
    refused,
    without_prefix,
    wrongly_typed,
    zone_of,
)

TABS = (
    ("", "Analytics"),
    ("/data", "Data"),
    ("/flow", "Flow"),
    ("/calling", "Calling"),
    ("/lists", "Lists"),
    ("/participants", "Participants"),
)
EDITABLE = frozenset({"inactive", "stopped", "done", "error"})
"""States in which fields and flow can be changed."""

_STEP = re.compile(r"flow\.(steps|triggers)\.(\d+)")
_OF_CALLING = ("hours", "holidays", "retries", "attempts", "seats", "at_once", "breaker", "communications", "time_zone")


@dataclass(frozen=True, slots=True)
class Placed:
    """A problem, and the page where it is mended."""

    text: str
    label: str
    href: str


async def stored(request: Request) -> CampaignView | Refusal:
    return await door_of(request).box.ask("get_campaign", CampaignView, id=request.path_params["id"])


async def form_and_campaign(request: Request) -> tuple[Form, CampaignView] | Response:
    """What was sent, and the campaign that it is for; the answer where either cannot be had."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    view = await stored(request)
    return refused(request, view) if isinstance(view, Refusal) else (form, view)


async def tab(
    request: Request, template: str, view: CampaignView, refusal: Refusal | None = None, **context: object
) -> Response:
    """A page of the campaign; `refusal`: why what was sent was not done."""
    agents = await door_of(request).box.ask("list_agents", Agents)
    if isinstance(agents, Refusal):
        return refused(request, agents)
    return page(
        request,
        template,
        STATUS[refusal.why] if refusal else 200,
        view=view,
        tabs=[(f"/campaigns/{view.id}{path}", label) for path, label in TABS],
        problems=[placed(each, view.settings, view.id) for each in view.problems],
        places={each.name: each.count for each in view.progress.places},
        agents=[(each.id, each.name) for each in agents.items],
        agent=next((each for each in agents.items if each.id == view.settings.agent_id), None),
        editable=view.state in EDITABLE,
        refusal=refusal,
        zone=await zone_of(request),
        **context,
    )


def placed(problem: Problem, settings: Campaign, campaign_id: str) -> Placed:
    where, base = problem.where, f"/campaigns/{campaign_id}"
    if found := _STEP.match(where):
        rows, n = (settings.flow.steps, int(found[2])) if found[1] == "steps" else ((), int(found[2]))
        label = f"Step “{rows[n].id}”" if n < len(rows) else f"Beginning {n + 1}"
        return Placed(problem.text, label, f"{base}/flow#{found[1][0]}{n}")
    if where.startswith("flow"):
        return Placed(problem.text, "Flow", f"{base}/flow")
    if where.startswith(_OF_CALLING) and where != "time_zone_field":
        return Placed(problem.text, "Calling", f"{base}/calling")
    return Placed(problem.text, "Data", f"{base}/data")


async def saved(
    request: Request, view: CampaignView, version: int, part: Mapping[str, object]
) -> CampaignView | Refusal:
    """`part` in place of what the settings had there. `version`: what the form was based on."""
    settings = {**view.settings.model_dump(mode="json"), **part}
    question = {"id": view.id, "if_version": version, "settings": settings}
    try:
        return await door_of(request).box.ask("update_campaign", CampaignView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


def faults(refusal: Refusal) -> dict[str, str]:
    """By the path in the settings; "settings" for what concerns several of them."""
    return without_prefix(refusal.fields, "settings.")


def kept_note(view: CampaignView) -> str:
    """What is said when something is saved that cannot start yet."""
    count = len(view.problems)
    if not count:
        return "It is saved."
    return f"It is saved. {count} thing{'s' if count > 1 else ''} must be mended before it can start: see above."
