"""Participants of a campaign: found, looked at, added, changed and removed by hand."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.campaigns import CampaignView, ParticipantDetail, Participants
from app.control.refusals import Refusal, Why
from provisioning.web.campaign_page import form_and_campaign, stored, tab
from provisioning.web.rendering import (
    Form,
    done,
    door_of,
    form_of,
    page,
    refused,
    version_after,
    whole_number,
    without_prefix,
    wrongly_typed,
)

_FILTERS = ("text", "place", "status")
_COLUMNS = 4
"""Fields of a list's row; all of them are on the participant's own page."""

_WRONG_FILTER = Refusal(
    why=Why.INVALID, text="These filters cannot be used: choose from the lists, and search for at most 200 characters."
)


async def show(request: Request) -> Response:
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    asked = {name: request.query_params.get(name, "") for name in _FILTERS}
    after = whole_number(request.query_params.get("after", ""), 0) or None
    question = {"campaign_id": view.id, **asked, "after": after}
    try:
        found = await door_of(request).box.ask("list_participants", Participants, **question)
    except ValidationError:
        return refused(request, _WRONG_FILTER)
    if isinstance(found, Refusal):
        return refused(request, found)
    given = {name: value for name, value in asked.items() if value}
    return await tab(
        request,
        "campaign_participants.html",
        view,
        participants=found.items,
        columns=_columns(view),
        asked=asked,
        is_first=after is None,
        first=urlencode(given),
        next=urlencode({**given, "after": found.after}) if found.after else "",
    )


def _columns(view: CampaignView) -> list[str]:
    """The number first."""
    names = [each.name for each in view.settings.fields]
    number = view.settings.number_field
    return [number, *(name for name in names if name != number)][:_COLUMNS]


async def new(request: Request) -> Response:
    view = await stored(request)
    return refused(request, view) if isinstance(view, Refusal) else await _form_page(request, view, None, {}, 0)


async def create(request: Request) -> Response:
    sent = await form_and_campaign(request)
    if isinstance(sent, Response):
        return sent
    form, view = sent
    values = _values(view, form)
    answer = await _asked(request, "create_participant", campaign_id=view.id, values=values)
    if isinstance(answer, Refusal):
        return await _form_page(request, view, None, values, 0, answer)
    return done(request, f"/campaigns/{view.id}/participants/{answer.id}", "The participant is added.")


async def one(request: Request) -> Response:
    view, found = await stored(request), await _participant(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    if isinstance(found, Refusal):
        return refused(request, found)
    return await _form_page(request, view, found, dict(found.values), found.version)


async def update(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    view, found = await stored(request), await _participant(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    if isinstance(found, Refusal):
        return refused(request, found)
    values, version = _values(view, form), whole_number(form["version"], 0)
    question = {"campaign_id": view.id, "id": found.id, "if_version": version, "values": values}
    answer = await _asked(request, "update_participant", **question)
    if isinstance(answer, Refusal):
        version = whole_number(version_after(answer, form["version"], found.version), 0)
        return await _form_page(request, view, found, values, version, answer)
    return done(request, request.url.path, "It is saved.")


async def delete(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    found = await _participant(request)
    if isinstance(found, Refusal):
        return refused(request, found)
    base = f"/campaigns/{request.path_params['id']}/participants"
    if not form.ticked("confirmed"):
        text = "Remove this participant? What became of their calls goes for good; the sessions stay."
        asked, back = Refusal(why=Why.IN_USE, text=text), f"{base}/{found.id}"
        return page(request, "confirm.html", refusal=asked, action=request.url.path, back=back, yes="Remove")
    question = {"campaign_id": found.campaign_id, "id": found.id}
    answer = await door_of(request).box.ask("delete_participant", views.Nothing, **question)
    return (
        refused(request, answer) if isinstance(answer, Refusal) else done(request, base, "The participant is removed.")
    )


async def _participant(request: Request) -> ParticipantDetail | Refusal:
    question = {"campaign_id": request.path_params["id"], "id": request.path_params["participant_id"]}
    return await door_of(request).box.ask("get_participant", ParticipantDetail, **question)


def _values(view: CampaignView, form: Form) -> dict[str, str]:
    return {each.name: form[f"value.{each.name}"].strip() for each in view.settings.fields}


async def _asked(request: Request, verb: str, **question: object) -> ParticipantDetail | Refusal:
    try:
        return await door_of(request).box.ask(verb, ParticipantDetail, **question)
    except ValidationError as error:
        return wrongly_typed(error)


async def _form_page(
    request: Request,
    view: CampaignView,
    found: ParticipantDetail | None,
    values: dict[str, str],
    version: int,
    refusal: Refusal | None = None,
) -> Response:
    errors = without_prefix(refusal.fields, "values.") if refusal else {}
    return await tab(
        request,
        "campaign_participant.html",
        view,
        refusal,
        found=found,
        values=values,
        version=version,
        errors={f"value.{name}": text for name, text in errors.items()},
        labels={f"value.{each.name}": each.name for each in view.settings.fields},
    )
