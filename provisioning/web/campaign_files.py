"""What leaves the box about a campaign, and comes back: its settings as YAML, its results as CSV."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.control import views
from app.control.campaigns import CampaignView, Participants, ParticipantView
from app.control.refusals import STATUS, Refusal, Why
from app.outbound.campaign import Campaign
from provisioning.client import Box
from provisioning.web import csv_writing
from provisioning.web.campaign_page import faults, stored
from provisioning.web.campaign_text import Mistakes, campaign_of, campaign_text
from provisioning.web.campaigns import created
from provisioning.web.csv_writing import Separator, separator_of
from provisioning.web.rendering import Form, done, door_of, download, form_of, page, refused
from provisioning.web.yaml_text import Mistake

_AT_ONCE = 500
_ABOUT = ("id", "place", "status", "outcome", "what became of it", "calls")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


async def export(request: Request) -> Response:
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    names = await _names(door_of(request).box)
    if isinstance(names, Refusal):
        return refused(request, names)
    agents, connections = names
    agent = next((each.name for each in agents.items if each.id == view.settings.agent_id), "")
    line = next((each.account.name for each in connections.items if each.id == view.settings.connection_id), "")
    text = campaign_text(view.settings, agent, line)
    return download(f"{_file_name(view)}.yaml", text.encode(), "application/yaml")


async def _names(box: Box) -> tuple[views.Agents, views.Connections] | Refusal:
    agents = await box.ask("list_agents", views.Agents)
    connections = await box.ask("list_connections", views.Connections)
    if isinstance(agents, Refusal):
        return agents
    return connections if isinstance(connections, Refusal) else (agents, connections)


def _file_name(view: CampaignView) -> str:
    return _NOT_IN_NAMES.sub("-", view.settings.name.casefold()).strip("-") or "campaign"


async def import_form(request: Request) -> Response:
    return await _form_page(request, {"text": "", "name": "", "agent_id": ""})


async def import_campaign(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    text = form.file("picked").decode(errors="replace") or form["text"]
    typed = {"text": text, "name": form["name"], "agent_id": form["agent_id"]}
    found = await _read(request, form, text)
    if isinstance(found, Refusal):
        return await _form_page(request, typed, found)
    if not isinstance(found, Campaign):
        wrong = Refusal(why=Why.INVALID, text="Not imported: something in the text cannot be used. See below.")
        return await _form_page(request, typed, wrong, found)
    answer = await created(request, found.model_dump(mode="json"))
    if isinstance(answer, Refusal):
        return await _form_page(request, typed, answer)
    flash = f"“{answer.settings.name}” is imported. It has no participants yet."
    return done(request, f"/campaigns/{answer.id}/data", flash)


async def _read(request: Request, form: Form, text: str) -> Campaign | Mistakes | Refusal:
    names = await _names(door_of(request).box)
    if isinstance(names, Refusal):
        return names
    agents, connections = names
    found = await campaign_of(text, agents.items, connections.items, form["agent_id"])
    if isinstance(found, Campaign) and form["name"].strip():
        renamed = found.model_dump() | {"name": form["name"]}
        return _renamed(renamed)
    return found


def _renamed(settings: dict[str, object]) -> Campaign | Mistakes:
    name = str(settings["name"]).strip()
    if len(name) > 80 or not name.isprintable():
        return (Mistake(0, "The other name must be one line of at most 80 characters."),)
    return Campaign.model_validate(settings)


async def _form_page(
    request: Request, typed: dict[str, str], refusal: Refusal | None = None, mistakes: Mistakes = ()
) -> Response:
    agents = await door_of(request).box.ask("list_agents", views.Agents)
    if isinstance(agents, Refusal):
        return refused(request, agents)
    return page(
        request,
        "campaign_import.html",
        STATUS[refusal.why] if refusal else 200,
        typed=typed,
        agents=[("", "The one that is named in the file"), *((each.id, each.name) for each in agents.items)],
        refusal=refusal,
        mistakes=mistakes,
        errors=faults(refusal) if refusal else {},
    )


async def results(request: Request) -> Response:
    """All participants with what became of them, page by page: they may be many."""
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    box = door_of(request).box
    agent = await box.ask("get_agent", views.AgentDetail, id=view.settings.agent_id)
    first = await box.ask("list_participants", Participants, campaign_id=view.id, limit=_AT_ONCE)
    if isinstance(first, Refusal):
        return refused(request, first)
    names = [] if isinstance(agent, Refusal) else [each.name for each in agent.plan.settings.result_fields]
    fields = [each.name for each in view.settings.fields]
    rows = _Results(fields, names, separator_of(request.query_params.get("separator", "")))
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(view)}-results.csv"'}
    return StreamingResponse(_pages(box, view.id, first, rows), media_type="text/csv; charset=utf-8", headers=headers)


class _Results:
    """`names`: the results that have a column of their own."""

    def __init__(self, fields: list[str], names: list[str], separator: Separator) -> None:
        self._fields, self._names, self._separator = fields, names, separator

    def header(self) -> str:
        row = [*self._fields, *_ABOUT, *(f"result {name}" for name in self._names), "other results"]
        return csv_writing.BOM + csv_writing.lines([row], self._separator)

    def lines(self, participants: tuple[ParticipantView, ...]) -> str:
        return csv_writing.lines((self._row(each) for each in participants), self._separator)

    def _row(self, one: ParticipantView) -> list[str]:
        others = "; ".join(f"{name}: {value}" for name, value in one.results.items() if name not in self._names)
        return [
            *(one.values.get(name, "") for name in self._fields),
            *(str(one.id), one.place, one.status, one.outcome, one.outcome_text, str(one.attempts)),
            *(one.results.get(name, "") for name in self._names),
            others,
        ]


async def _pages(box: Box, campaign_id: str, found: Participants | Refusal, rows: _Results) -> AsyncIterator[str]:
    """A file that was cut off, since the box went away, says so in its last line."""
    yield rows.header()
    while isinstance(found, Participants):
        yield rows.lines(found.items)
        if found.after is None:
            return
        question = {"campaign_id": campaign_id, "after": found.after, "limit": _AT_ONCE}
        found = await box.ask("list_participants", Participants, **question)
    yield csv_writing.lines([["This file is not complete: the box did not answer any more. Download it again."]])
