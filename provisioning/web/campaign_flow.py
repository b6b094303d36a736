"""The tab Flow of a campaign: drawn, edited as a form, and as text."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control.campaigns import CampaignList, CampaignView, Problems
from app.control.refusals import Refusal, Why
from app.outbound.flow import END, Flow
from provisioning.web import flow_words
from provisioning.web.campaign_page import EDITABLE, faults, form_and_campaign, kept_note, saved, stored, tab
from provisioning.web.campaign_text import flow_of, flow_text
from provisioning.web.flow_form import (
    GREETINGS,
    SUBJECTS,
    UNITS,
    Typed,
    changed,
    flow_draft,
    flow_errors,
    typed_flow,
    typed_flow_of,
)
from provisioning.web.flow_graph import WIDTH, drawn
from provisioning.web.rendering import Form, done, door_of, refused, version_after, whole_number
from provisioning.web.yaml_text import Mistake

_ON_MACHINE = (
    ("hang up", "Hang up, and call again later"),
    ("leave message", "Leave a message after its beep"),
    ("ignore", "Talk to it as to anybody"),
)
_RUNS = Refusal(
    why=Why.NOT_NOW,
    text="Not saved: the flow cannot be changed while the campaign runs or pauses. Stop it first, or copy it.",
)
_WRONG_TEXT = Refusal(why=Why.INVALID, text="Not saved: something in the text cannot be used. See below.")
_LABELS = {
    "id": "name",
    "then": "where it leads",
    "match": "where it leads if so",
    "otherwise": "where it leads otherwise",
    "greeting": "greeting",
    "ring_s": "rings for",
    "message": "message",
    "named": "what is checked",
    "value": "value",
    "count": "how long",
    "field": "field",
    "event": "what is told",
    "campaign": "campaign",
    "note": "note",
    "fields": "only if one of these changed",
}


async def show(request: Request) -> Response:
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    problems = {each.where: each.text for each in view.problems if each.where.startswith("flow")}
    return await _page(request, view, *typed_flow(view.settings.flow), view.version, problems=problems)


async def update(request: Request) -> Response:
    sent = await form_and_campaign(request)
    if isinstance(sent, Response):
        return sent
    form, view = sent
    triggers, steps = typed_flow_of(form)
    if form.ticked("change"):
        return await _changed(request, view, form, triggers, steps)
    version = whole_number(form["version"], 0)
    answer = _RUNS if view.state not in EDITABLE else await saved(request, view, version, _part(triggers, steps))
    if isinstance(answer, Refusal):
        version = whole_number(version_after(answer, form["version"], view.version), 0)
        return await _page(request, view, triggers, steps, version, refusal=answer)
    return done(request, request.url.path, kept_note(answer))


def _part(triggers: list[Typed], steps: list[Typed]) -> dict[str, object]:
    return {"flow": flow_draft(triggers, steps)}


async def _changed(
    request: Request, view: CampaignView, form: Form, triggers: list[Typed], steps: list[Typed]
) -> Response:
    """Shown again, and checked, but not saved."""
    rows = changed(triggers, steps, form["change"], form)
    problems = await _problems(request, view, _part(*rows))
    version = whole_number(form["version"], 0)
    return await _page(request, view, *rows, version, problems=problems, unsaved=True)


async def _problems(request: Request, view: CampaignView, part: dict[str, object]) -> dict[str, str]:
    """Of what was typed; its faults where it is no flow yet."""
    settings = view.settings.model_dump(mode="json") | part
    try:
        answer = await door_of(request).box.ask("check_campaign", Problems, id=view.id, settings=settings)
    except ValidationError:
        return {}
    found = () if isinstance(answer, Refusal) else answer.items
    return {each.where: each.text for each in found if each.where.startswith("flow")}


async def _page(
    request: Request,
    view: CampaignView,
    triggers: list[Typed],
    steps: list[Typed],
    version: int,
    *,
    problems: dict[str, str] | None = None,
    refusal: Refusal | None = None,
    unsaved: bool = False,
) -> Response:
    campaigns = await door_of(request).box.ask("list_campaigns", CampaignList)
    if isinstance(campaigns, Refusal):
        return refused(request, campaigns)
    errors = flow_errors(faults(refusal) if refusal else problems or {})
    flow = _flow_or_none(triggers, steps)
    return await tab(
        request,
        "campaign_flow.html",
        view,
        refusal,
        triggers=triggers,
        steps=steps,
        version=version,
        errors=errors,
        labels={each: _label(each, steps) for each in errors},
        unsaved=unsaved,
        graph=drawn(flow, _wrong(errors, steps)) if flow else None,
        width=WIDTH,
        sentences=flow_words.sentences(flow) if flow else [],
        targets=[each["id"].strip() for each in steps],
        end=END,
        campaigns=[(each.name, each.name) for each in campaigns.items if each.id != view.id],
        field_names=[(each.name, each.name) for each in view.settings.fields],
        words=flow_words,
        units=UNITS,
        subjects=SUBJECTS,
        greetings=GREETINGS,
        on_machine=_ON_MACHINE,
    )


def _flow_or_none(triggers: list[Typed], steps: list[Typed]) -> Flow | None:
    try:
        return Flow.model_validate(flow_draft(triggers, steps))
    except ValidationError:
        return None


def _wrong(errors: dict[str, str], steps: list[Typed]) -> set[str]:
    places = {each.partition(".")[0] for each in errors}
    triggers = {f"trigger {place[1:]}" for place in places if place[:1] == "t" and place[1:].isdigit()}
    return triggers | {each["id"] for n, each in enumerate(steps) if f"s{n}" in places}


def _label(field: str, steps: list[Typed]) -> str:
    place, _, name = field.partition(".")
    if not place[1:].isdigit():
        return "Flow"
    n = int(place[1:])
    what = f"Beginning {n + 1}" if place[0] == "t" else f"Step “{steps[n]['id'] if n < len(steps) else n + 1}”"
    return f"{what}, {_LABELS.get(name, name)}"


async def text(request: Request) -> Response:
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    return await _text_page(request, view, flow_text(view.settings.flow), view.version)


async def update_text(request: Request) -> Response:
    sent = await form_and_campaign(request)
    if isinstance(sent, Response):
        return sent
    form, view = sent
    flow = await flow_of(form["text"])
    if not isinstance(flow, Flow):
        return await _text_page(request, view, form["text"], whole_number(form["version"], 0), _WRONG_TEXT, flow)
    part = {"flow": flow.model_dump(mode="json")}
    version = whole_number(form["version"], 0)
    answer = _RUNS if view.state not in EDITABLE else await saved(request, view, version, part)
    if isinstance(answer, Refusal):
        version = whole_number(version_after(answer, form["version"], view.version), 0)
        return await _text_page(request, view, form["text"], version, answer)
    return done(request, f"/campaigns/{view.id}/flow", kept_note(answer))


async def _text_page(
    request: Request,
    view: CampaignView,
    typed: str,
    version: int,
    refusal: Refusal | None = None,
    mistakes: tuple[Mistake, ...] = (),
) -> Response:
    context = {"typed": typed, "version": version, "mistakes": mistakes}
    return await tab(request, "campaign_text.html", view, refusal, **context)
