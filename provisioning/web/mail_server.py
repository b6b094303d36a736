"""Box > Mail server: who carries e-mails after a call, a test message, and how the sending goes."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.mail import Letters, MailServerView
from app.control.refusals import STATUS, Refusal
from app.control.webhook import Attempt
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
_BACK = "/box/mail"
_FIELDS = ("host", "port", "security", "user", "sender")


async def show(request: Request) -> Response:
    return await _page(request)


async def update(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await _asked(request, form)
    if isinstance(answer, Refusal):
        return await _page(request, form, answer)
    on = "The mail server is saved. Send a test message." if answer.settings.host else "No e-mails are sent now."
    return done(request, _BACK, on)


async def test(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    to = form["to"].strip()
    try:
        answer = await door_of(request).box.ask("try_mail_server", Attempt, to=to)
    except ValidationError as error:
        answer = wrongly_typed(error)
    if isinstance(answer, Refusal):
        return await _page(request, refusal=answer, to=to)
    return await _page(request, attempt=answer, to=to)


async def resend(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("resend_letter", views.Nothing, id=request.path_params["id"])
    return refused(request, answer) if isinstance(answer, Refusal) else done(request, _BACK, "It is sent again now.")


async def _asked(request: Request, form: Form) -> MailServerView | Refusal:
    draft: dict[str, object] = {name: form[name].strip() for name in _FIELDS if form[name].strip()}
    if form["password"] not in ("", MASK):
        draft["password"] = form["password"]
    question = {"if_version": whole_number(form["version"], 0), "draft": draft}
    try:
        return await door_of(request).box.ask("update_mail_server", MailServerView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


async def _page(
    request: Request,
    form: Form | None = None,
    refusal: Refusal | None = None,
    attempt: Attempt | None = None,
    to: str = "",
) -> Response:
    box = door_of(request).box
    stored = await box.ask("get_mail_server", MailServerView)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    letters = await box.ask("list_letters", Letters, limit=_SHOWN)
    if isinstance(letters, Refusal):
        return refused(request, letters)
    return page(
        request,
        "mail_server.html",
        STATUS[refusal.why] if refusal else 200,
        stored=stored,
        typed=_typed(stored, form, refusal),
        letters=letters.items,
        attempt=attempt,
        to=to or stored.settings.sender,
        refusal=refusal,
        errors=without_prefix(refusal.fields, "draft.") if refusal else {},
        mask=MASK,
        zone=await zone_of(request),
    )


def _typed(stored: MailServerView, form: Form | None, refusal: Refusal | None) -> dict[str, str]:
    if form is None or refusal is None:
        return {name: str(getattr(stored.settings, name)) for name in _FIELDS} | {"version": str(stored.version)}
    version = version_after(refusal, form["version"], stored.version)
    return {name: form[name] for name in _FIELDS} | {"version": version}
