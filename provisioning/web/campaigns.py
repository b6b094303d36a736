"""Campaigns: the list, a new one, one with its numbers, and its life."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.campaigns import CampaignList, CampaignView, Problem
from app.control.refusals import STATUS, Refusal, Why
from provisioning.web.campaign_page import faults, placed, stored, tab
from provisioning.web.rendering import Form, done, door_of, form_of, page, refused, wrongly_typed, zone_of

_LIFE = {
    "start": ("start_campaign", "“{}” runs from now on."),
    "pause": ("pause_campaign", "“{}” pauses: calls that go on are finished, and no new one is placed."),
    "resume": ("resume_campaign", "“{}” goes on."),
    "stop": ("stop_campaign", "“{}” is stopped. Nobody waits for a call of it any more."),
}
_NO_SUCH_PAGE = Refusal(why=Why.NOT_FOUND, text="There is no such page. Go on from the menu.")
_LONGEST_NAME = 80


async def show(request: Request) -> Response:
    match await door_of(request).box.ask("list_campaigns", CampaignList):
        case Refusal() as refusal:
            return refused(request, refusal)
        case CampaignList(items=campaigns):
            return page(request, "campaigns.html", campaigns=campaigns, zone=await zone_of(request))


async def analytics(request: Request) -> Response:
    view = await stored(request)
    return refused(request, view) if isinstance(view, Refusal) else await tab(request, "campaign.html", view)


async def new(request: Request) -> Response:
    return await _form_page(request, {"name": "", "description": "", "agent_id": ""})


async def create(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    typed = {name: form[name] for name in ("name", "description", "agent_id")}
    answer = await created(request, dict(typed))
    if isinstance(answer, Refusal):
        return await _form_page(request, typed, answer)
    flash = f"“{answer.settings.name}” is saved. Nobody is called before you start it."
    return done(request, f"/campaigns/{answer.id}/data", flash)


async def created(request: Request, settings: dict[str, object]) -> CampaignView | Refusal:
    try:
        return await door_of(request).box.ask("create_campaign", CampaignView, settings=settings)
    except ValidationError as error:
        return wrongly_typed(error)


async def _form_page(request: Request, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
    agents = await door_of(request).box.ask("list_agents", views.Agents)
    if isinstance(agents, Refusal):
        return refused(request, agents)
    return page(
        request,
        "campaign_new.html",
        STATUS[refusal.why] if refusal else 200,
        typed=typed,
        agents=[(each.id, each.name) for each in agents.items],
        refusal=refusal,
        errors=faults(refusal) if refusal else {},
    )


async def act(request: Request) -> Response:
    """Start, pause, resume, stop, copy, delete."""
    form, action = await form_of(request), request.path_params["action"]
    if isinstance(form, Response):
        return form
    view = await stored(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    if action == "copy":
        return await _copy(request, view)
    if action == "delete":
        return await _delete(request, form, view)
    if action not in _LIFE:
        return refused(request, _NO_SUCH_PAGE)
    if action == "stop" and not form.ticked("confirmed"):
        return _asked(request, view, _stop_text(view), "Stop it", "Let it run")
    return await _lived(request, form, view, action)


async def _lived(request: Request, form: Form, view: CampaignView, action: str) -> Response:
    verb, said = _LIFE[action]
    answer = await door_of(request).box.ask(verb, CampaignView, id=view.id)
    if isinstance(answer, Refusal):
        found = [
            placed(Problem(where=where, text=text), view.settings, view.id) for where, text in faults(answer).items()
        ]
        return await tab(request, "campaign.html", view, answer, errors={each.label: each.text for each in found})
    back = "/campaigns" if form["back"] == "/campaigns" else f"/campaigns/{view.id}"
    return done(request, back, said.format(view.settings.name))


def _asked(request: Request, view: CampaignView, text: str, yes: str, no: str) -> Response:
    asked = Refusal(why=Why.IN_USE, text=text)
    back = f"/campaigns/{view.id}"
    return page(request, "confirm.html", refusal=asked, action=request.url.path, back=back, yes=yes, no=no)


def _stop_text(view: CampaignView) -> str:
    waiting = sum(each.count for each in view.progress.places if each.name != "done")
    return (
        f"Stop “{view.settings.name}”? {people(waiting)} not finished: their calls are cancelled, and do not come back "
        "when the campaign is started again. To go on later, pause it instead."
    )


def people(count: int) -> str:
    """With their verb."""
    return "1 participant is" if count == 1 else f"{count:,} participants are"


async def _copy(request: Request, view: CampaignView) -> Response:
    """Settings only."""
    campaigns = await door_of(request).box.ask("list_campaigns", CampaignList)
    if isinstance(campaigns, Refusal):
        return refused(request, campaigns)
    name = _free_name(view.settings.name, {each.name.casefold() for each in campaigns.items})
    answer = await created(request, view.settings.model_dump(mode="json") | {"name": name})
    if isinstance(answer, Refusal):
        return refused(request, answer)
    return done(request, f"/campaigns/{answer.id}/data", "This is the copy. It has no participants yet.")


def _free_name(name: str, taken: set[str]) -> str:
    endings = (" (copy)", *(f" (copy {n})" for n in range(2, len(taken) + 3)))
    names = (f"{name[: _LONGEST_NAME - len(ending)]}{ending}" for ending in endings)
    return next(each for each in names if each.casefold() not in taken)


async def _delete(request: Request, form: Form, view: CampaignView) -> Response:
    if not form.ticked("confirmed"):
        text = (
            f"Delete “{view.settings.name}”? {people(view.progress.participants)} in it, with all that became of their "
            "calls: that goes for good. Sessions stay. Download the results first if you need them."
        )
        return _asked(request, view, text, "Delete", "Keep it")
    match await door_of(request).box.ask("delete_campaign", views.Nothing, id=view.id, confirmed=True):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Nothing():
            return done(request, "/campaigns", "The campaign is deleted. Its sessions stay until you delete them.")
