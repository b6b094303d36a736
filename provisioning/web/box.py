"""The box: name, time zone, how long sessions are kept, and facts for whoever looks after it."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal
from app.control.updating import Stage, UpdateView
from app.settings import zones_by_name
from provisioning.plainly import BOX_NAME
from provisioning.web.certificate import certificate_of
from provisioning.web.rendering import (
    Form,
    done,
    door_of,
    form_of,
    next_of,
    page,
    refused,
    version_after,
    whole_number,
    without_prefix,
    wrongly_typed,
)

_SETTINGS = ("name", "time_zone", "retention_days", "update_address")
_NAMED = {"name": BOX_NAME}


async def show(request: Request) -> Response:
    match await door_of(request).box.ask("get_box", views.BoxView):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.BoxView() as box:
            typed = {key: str(value) for key, value in box.settings.model_dump().items()}
            typed |= {"version": str(box.version), "next": next_of(request.query_params.get("next", ""), "")}
            return await _form_page(request, box, typed)


async def update(request: Request) -> Response:
    form, box = await form_of(request), door_of(request).box
    if isinstance(form, Response):
        return form
    stored = await box.ask("get_box", views.BoxView)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    answer = await _asked(request, form)
    if isinstance(answer, Refusal):
        typed = {name: form[name] for name in (*_SETTINGS, "next")}
        typed["version"] = version_after(answer, form["version"], stored.version)
        return await _form_page(request, stored, typed, answer)
    return done(request, next_of(form["next"], "/box"), "Saved.")


async def settle(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    match await door_of(request).box.ask("settle_box", views.Nothing):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Nothing():
            return done(request, "/box", "This card belongs into this box from now on.")


async def _asked(request: Request, form: Form) -> views.BoxView | Refusal:
    settings = {name: form[name].strip() for name in _SETTINGS}
    try:
        return await door_of(request).box.ask(
            "update_box", views.BoxView, if_version=whole_number(form["version"], 0), settings=settings
        )
    except ValidationError as error:
        refusal = wrongly_typed(error)
        better = {f"settings.{name}": text for name, text in _NAMED.items() if f"settings.{name}" in refusal.fields}
        return refusal.model_copy(update={"fields": refusal.fields | better})


async def _form_page(
    request: Request, box: views.BoxView, typed: dict[str, str], refusal: Refusal | None = None
) -> Response:
    update = await door_of(request).box.ask("get_update", UpdateView)
    if isinstance(update, Refusal):
        return refused(request, update)
    errors = without_prefix(refusal.fields, "settings.") if refusal else {}
    status = STATUS[refusal.why] if refusal else 200
    zones = sorted(zones_by_name().values())
    return page(
        request, "box.html", status, box=box, typed=typed, errors=errors, refusal=refusal, zones=zones,
        certificate=certificate_of(request), takes_updates=update.stage is not Stage.ELSEWHERE,
    )  # fmt: skip
