"""Box > Webhook: who is told of calls that ended, a test, and how the telling goes."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal
from app.control.webhook import Attempt, Deliveries, WebhookView
from provisioning.web.rendering import (
    MASK,
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
    zone_of,
)

_SHOWN = 20
_BACK = "/box/webhook"


async def show(request: Request) -> Response:
    return await _page(request)


async def update(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await _asked(request, form)
    if isinstance(answer, Refusal):
        return await _page(request, form, answer)
    return done(request, _BACK, "The webhook is saved. Send a test." if answer.settings.url else "Nobody is told now.")


async def test(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("try_webhook", Attempt)
    if isinstance(answer, Refusal):
        return await _page(request, refusal=answer)
    return await _page(request, attempt=answer)


async def resend(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("resend_delivery", views.Nothing, id=request.path_params["id"])
    return refused(request, answer) if isinstance(answer, Refusal) else done(request, _BACK, "It is told again now.")


async def _asked(request: Request, form: Form) -> WebhookView | Refusal:
    draft: dict[str, object] = {"url": form["url"].strip(), "inbound": form.ticked("inbound")}
    if form["secret"] not in ("", MASK):
        draft["secret"] = form["secret"]
    question = {"if_version": whole_number(form["version"], 0), "draft": draft}
    try:
        return await door_of(request).box.ask("update_webhook", WebhookView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


async def _page(
    request: Request, form: Form | None = None, refusal: Refusal | None = None, attempt: Attempt | None = None
) -> Response:
    box = door_of(request).box
    stored = await box.ask("get_webhook", WebhookView)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    deliveries = await box.ask("list_deliveries", Deliveries, limit=_SHOWN)
    if isinstance(deliveries, Refusal):
        return refused(request, deliveries)
    return page(
        request,
        "webhook.html",
        STATUS[refusal.why] if refusal else 200,
        stored=stored,
        typed=_typed(stored, form, refusal),
        deliveries=deliveries.items,
        attempt=attempt,
        refusal=refusal,
        errors=without_prefix(refusal.fields, "draft.") if refusal else {},
        mask=MASK,
        zone=await zone_of(request),
    )


def _typed(stored: WebhookView, form: Form | None, refusal: Refusal | None) -> dict[str, str]:
    if form is None or refusal is None:
        inbound = "yes" if stored.settings.inbound else ""
        return {"url": stored.settings.url, "inbound": inbound, "version": str(stored.version)}
    version = version_after(refusal, form["version"], stored.version)
    return {"url": form["url"], "inbound": form["inbound"], "version": version}
