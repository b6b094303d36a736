"""The tabs Data and Calling of a campaign."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.campaigns import CampaignView
from app.control.refusals import Refusal, Why
from app.outbound.campaign import WEEKDAYS
from app.settings import zones_by_name
from provisioning.web.calling_form import (
    RETRIED,
    calling_draft,
    calling_errors,
    retry_id,
    typed_calling,
    typed_calling_of,
)
from provisioning.web.campaign_page import faults, form_and_campaign, kept_note, saved, stored, tab
from provisioning.web.data_form import FIELD_TYPES, data_draft, data_errors, typed_data, typed_data_of
from provisioning.web.rendering import Form, done, door_of, refused, version_after, whole_number

_MORE = 3
_DATA_LABELS = {
    "name": "Name",
    "description": "Description",
    "agent_id": "Agent",
    "connection_id": "Connection",
    "fields": "Fields",
}
_CALLING_LABELS = {
    "holidays": "Days without calls",
    "time_zone": "Time zone",
    "attempts": "Calls for one communication",
    "communications": "Communications for one participant",
    "seats_for_inbound": "Kept free for callers",
    "at_once": "Calls at a time",
    "hours": "Calling hours",
    "breaker.window": "Last calls looked at",
    "breaker.percent": "Failed in per cent",
    "breaker.pause_minutes": "Pause in minutes",
}
_UNREADABLE = "Not saved: something that was typed cannot be used. See the fields below."


async def data(request: Request) -> Response:
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    return await _data_page(request, view, typed_data(view.settings, view.version))


async def update_data(request: Request) -> Response:
    sent = await form_and_campaign(request)
    if isinstance(sent, Response):
        return sent
    form, view = sent
    if form.ticked("more"):
        return await _data_page(request, view, typed_data_of(form, more=_MORE))
    answer = await saved(request, view, whole_number(form["version"], 0), data_draft(form))
    if isinstance(answer, Refusal):
        typed = typed_data_of(form) | {"version": version_after(answer, form["version"], view.version)}
        return await _data_page(request, view, typed, answer, data_errors(faults(answer), form))
    return done(request, request.url.path, kept_note(answer))


async def _data_page(
    request: Request,
    view: CampaignView,
    typed: dict[str, object],
    refusal: Refusal | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    connections = await door_of(request).box.ask("list_connections", views.Connections)
    if isinstance(connections, Refusal):
        return refused(request, connections)
    told = errors or {}
    return await tab(
        request,
        "campaign_data.html",
        view,
        refusal,
        typed=typed,
        errors=told,
        labels=_DATA_LABELS | {each: f"Field {each[1:]}" for each in told if each[1:].isdigit()},
        connections=[("", "The agent’s only connection"), *((c.id, c.account.name) for c in connections.items)],
        types=FIELD_TYPES,
    )


async def calling(request: Request) -> Response:
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    return await _calling_page(request, view, typed_calling(view.settings, view.version))


async def update_calling(request: Request) -> Response:
    sent = await form_and_campaign(request)
    if isinstance(sent, Response):
        return sent
    form, view = sent
    answer, errors = await _calling_saved(request, view, form)
    if isinstance(answer, Refusal):
        typed = typed_calling_of(form) | {"version": version_after(answer, form["version"], view.version)}
        return await _calling_page(request, view, typed, answer, errors)
    return done(request, request.url.path, kept_note(answer))


async def _calling_saved(
    request: Request, view: CampaignView, form: Form
) -> tuple[CampaignView | Refusal, dict[str, str]]:
    """With the faults by the id of their field."""
    draft, errors = calling_draft(form)
    if errors:
        return Refusal(why=Why.INVALID, text=_UNREADABLE), errors
    answer = await saved(request, view, whole_number(form["version"], 0), draft)
    return answer, calling_errors(faults(answer), form) if isinstance(answer, Refusal) else {}


async def _calling_page(
    request: Request,
    view: CampaignView,
    typed: dict[str, object],
    refusal: Refusal | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    return await tab(
        request,
        "campaign_calling.html",
        view,
        refusal,
        typed=typed,
        errors=errors or {},
        labels=_labels(),
        days=WEEKDAYS,
        retried=[(retry_id(after), text) for after, text in RETRIED],
        zones=_zones(),
    )


def _zones() -> list[tuple[str, str]]:
    return [("", "The box’s own"), *((zone, zone) for zone in sorted(zones_by_name().values()))]


def _labels() -> dict[str, str]:
    days = {f"hours.{day}": day.capitalize() for day in WEEKDAYS}
    parts = {"attempts": "calls in all", "wait_minutes": "minutes between", "growth": "times longer"}
    retries = {
        f"{retry_id(after)}.{part}": f"{text}, {words}" for after, text in RETRIED for part, words in parts.items()
    }
    return _CALLING_LABELS | days | retries
