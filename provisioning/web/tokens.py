"""Box > API tokens: who may ask the REST API, and what it can be asked. A token is made here, shown once, and
forgotten: only its hash goes to the phone process.
"""

from __future__ import annotations

import secrets

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal, Why
from provisioning.api.answers import API
from provisioning.api.application import IN_WORDS, told
from provisioning.api.bearers import PREFIX, sha256_of
from provisioning.api.operations import OPERATIONS
from provisioning.web.entry import password_fault
from provisioning.web.rendering import Form, done, door_of, download, form_of, page, refused, wrongly_typed, zone_of

_BYTES = 32

_MEANS = {
    views.Scope.READ: "agents, connections, sessions with transcripts and recordings, the log",
    views.Scope.WRITE: "connections, agents, campaigns, Do not call, the box; start and stop agents; delete sessions",
    views.Scope.CALL: "through the connections of this box, and by its campaigns",
    views.Scope.KEEP: "whoever has such a token can have every password, in a backup, and can delete everything",
}
"""What people should know when they tick a scope, after its words."""

_ASKED = Refusal(
    why=Why.IN_USE,
    text="Revoke this token? Whatever program uses it is refused from that moment on, and no token comes back.",
)
_NOT_YOURS = Refusal(why=Why.INVALID, text="The token was not made: it takes the password of this box.")


async def show(request: Request) -> Response:
    return await _page(request, Form([("scopes", views.Scope.READ.value)]))


async def create(request: Request) -> Response:
    """The answer itself shows the token: it is kept nowhere, so no other page could. The password is asked once more,
    since a token outlives the sign-in that it was made with."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    if fault := await password_fault(request, form["password"]):
        return await _page(request, form, refusal=_NOT_YOURS.model_copy(update={"fields": {"password": fault}}))
    token = f"{PREFIX}{secrets.token_urlsafe(_BYTES)}"
    answer = await _made(request, form, token)
    if isinstance(answer, Refusal):
        return await _page(request, form, refusal=answer)
    return await _page(request, Form([]), made=answer, token=token)


async def revoke(request: Request) -> Response:
    form, token_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    if not form.ticked("confirmed"):
        return page(
            request, "confirm.html", refusal=_ASKED, action=request.url.path, back="/box/tokens", yes="Revoke it"
        )
    match await door_of(request).box.ask("delete_token", views.Nothing, id=token_id):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Nothing():
            return done(request, "/box/tokens", "The token is revoked.")


async def api(request: Request) -> Response:
    """Everything that can be asked, for people."""
    groups: dict[str, list[object]] = {}
    for each in OPERATIONS:
        groups.setdefault(each.path.split("/")[1], []).append(each)
    return page(request, "api.html", groups=groups, api=API, address=_address(request), in_words=IN_WORDS)


async def document(_: Request) -> Response:
    return download("deskbell-openapi.json", told().encode(), "application/json")


async def _made(request: Request, form: Form, token: str) -> views.TokenView | Refusal:
    question = {"name": form["name"], "scopes": form.all("scopes"), "sha256": sha256_of(f"Bearer {token}")}
    try:
        return await door_of(request).box.ask("create_token", views.TokenView, **question)
    except ValidationError as error:
        refusal = wrongly_typed(error)
        if "scopes" not in refusal.fields:
            return refusal
        return refusal.model_copy(update={"fields": refusal.fields | {"scopes": "Tick at least one."}})


async def _page(
    request: Request,
    form: Form,
    *,
    refusal: Refusal | None = None,
    made: views.TokenView | None = None,
    token: str = "",
) -> Response:
    known = await door_of(request).box.ask("list_tokens", views.Tokens)
    if isinstance(known, Refusal):
        return refused(request, known)
    return page(
        request,
        "tokens.html",
        STATUS[refusal.why] if refusal else 200,
        tokens=known.items,
        zone=await zone_of(request),
        typed={"name": form["name"], "scopes": form.all("scopes")},
        errors=refusal.fields if refusal else {},
        refusal=refusal,
        scopes=[(scope.value, IN_WORDS[scope], means) for scope, means in _MEANS.items()],
        in_words=IN_WORDS,
        made=made,
        token=token,
        example=f"{_address(request)}{API}/box",
    )


def _address(request: Request) -> str:
    """As this visitor reached the box."""
    return f"https://{request.url.netloc}"
