"""Factory reset: asked for here; the page's own part comes when the box is done (`provisioning.resets`)."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal, Why
from provisioning.web.rendering import Form, door_of, form_of, page, refused, wrongly_typed

_CHOOSE = {"extent": "Choose one of the two."}


async def show(request: Request) -> Response:
    return await _page(request, {"extent": "", "box_name": ""})


async def reset(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    typed = {name: form[name] for name in ("extent", "box_name")}
    match await _asked(request, form):
        case Refusal(why=Why.NOT_NOW) as busy:
            labels = {"yes": "Reset all the same", "no": "Keep everything", "typed": typed}
            return page(request, "confirm.html", 409, refusal=busy, action=request.url.path, back="/box", **labels)
        case Refusal() as refusal:
            return await _page(request, typed, refusal)
        case views.Nothing():
            return page(request, "reset_done.html", everything=form["extent"] == "everything")


async def _asked(request: Request, form: Form) -> views.Nothing | Refusal:
    question = {"extent": form["extent"], "box_name": form["box_name"], "confirmed": form.ticked("confirmed")}
    try:
        return await door_of(request).box.ask("factory_reset", views.Nothing, **question)
    except ValidationError as error:
        refusal = wrongly_typed(error)
        return refusal.model_copy(update={"fields": refusal.fields | (_CHOOSE if "extent" in refusal.fields else {})})


async def _page(request: Request, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
    box = await door_of(request).box.ask("get_box", views.BoxView)
    if isinstance(box, Refusal):
        return refused(request, box)
    status, errors = (STATUS[refusal.why], refusal.fields) if refusal else (200, {})
    return page(request, "reset.html", status, typed=typed, refusal=refusal, errors=errors, name=box.settings.name)
