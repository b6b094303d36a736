"""Settings > Channels: SIP connections, with secrets that are written and never read, and a trial before they count."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal, Why
from provisioning.web import dial_rules
from provisioning.web.rendering import (
    MASK,
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
    zone_of,
)

_TEXT = (
    "name",
    "description",
    "domain",
    "user",
    "caller_id",
    "caller_id_from",
    "transport",
    "tls_fingerprint",
    "proxy",
    "srtp",
)
_FIRST = frozenset({"name", "description", "domain", "user", "password", "login", "caller_id"})
"""Fields that are not folded away."""

_NOTHING_KEPT = views.KeptSecrets(id="", password=False, login=False)


async def show(request: Request) -> Response:
    match await door_of(request).box.ask("list_connections", views.Connections):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Connections(items=connections):
            return page(request, "channels.html", connections=connections, zone=await zone_of(request))


async def new(request: Request) -> Response:
    return await _form_page(request, None, _NEW | {"next": next_of(request.query_params.get("next", ""), "")})


async def edit(request: Request) -> Response:
    match await door_of(request).box.ask("get_connection", views.ConnectionView, id=request.path_params["id"]):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.ConnectionView() as connection:
            return await _form_page(request, connection, _typed_of(connection))


async def create(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    if form.ticked("try"):
        return await _tried(request, None, form)
    if form.ticked("preview"):
        return await _shown_again(request, None, form)
    answer = await _asked(request, "create_connection", draft=_draft(form), kept=form["kept"])
    if isinstance(answer, Refusal):
        return await _shown_again(request, None, form, refusal=answer)
    where = next_of(form["next"], "/channels")
    return done(request, where, f"“{answer.account.name}” is saved. Attach it to an agent, and start the agent.")


async def update(request: Request) -> Response:
    form, connection_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    stored = await door_of(request).box.ask("get_connection", views.ConnectionView, id=connection_id)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    if form.ticked("try"):
        return await _tried(request, stored, form)
    if form.ticked("preview"):
        return await _shown_again(request, stored, form)
    version = whole_number(form["version"], 0)
    question = {"id": connection_id, "if_version": version, "draft": _draft(form), "kept": form["kept"]}
    answer = await _asked(request, "update_connection", **question)
    if isinstance(answer, Refusal):
        return await _shown_again(request, stored, form, refusal=answer)
    running = ", ".join(agent.name for agent in answer.agents if agent.running)
    restart = f" Restart to apply: {running}." if running else ""
    return done(request, f"/channels/{connection_id}", f"“{answer.account.name}” is saved.{restart}")


async def delete(request: Request) -> Response:
    form, connection_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    if not form.ticked("confirmed"):
        return await _really(request, connection_id)
    answer = await door_of(request).box.ask("delete_connection", views.Nothing, id=connection_id, confirmed=True)
    match answer:
        case Refusal():
            return refused(request, answer)
        case views.Nothing():
            return done(request, "/channels", "The connection is deleted.")


async def _really(request: Request, connection_id: str) -> Response:
    match await door_of(request).box.ask("get_connection", views.ConnectionView, id=connection_id):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.ConnectionView() as stored:
            asked = Refusal(why=Why.IN_USE, text=_what_goes(stored))
            back = f"/channels/{connection_id}"
            return page(request, "confirm.html", refusal=asked, action=request.url.path, back=back)


def _what_goes(stored: views.ConnectionView) -> str:
    running = ", ".join(agent.name for agent in stored.agents if agent.running)
    attached = ", ".join(agent.name for agent in stored.agents)
    return (
        f"Delete the connection “{stored.account.name}”? Its password goes for good. "
        + (f"It is attached to {attached}. " if attached else "")
        + (f"Calls to {stored.account.user} no longer reach {running}." if running else "")
    ).strip()


async def _tried(request: Request, stored: views.ConnectionView | None, form: Form) -> Response:
    question = {"id": stored.id if stored else None, "draft": _draft(form), "kept": form["kept"]}
    try:
        trial = await door_of(request).box.ask("try_registration", views.Trial, **question)
    except ValidationError as error:
        trial = wrongly_typed(error)
    if isinstance(trial, Refusal):
        return await _shown_again(request, stored, form, refusal=trial)
    return await _shown_again(request, stored, form, trial=trial)


async def _shown_again(
    request: Request,
    stored: views.ConnectionView | None,
    form: Form,
    *,
    refusal: Refusal | None = None,
    trial: views.Trial | None = None,
) -> Response:
    """What was typed stays. Secrets do not travel back: the phone process remembers them for the next try."""
    typed = _typed(form)
    if refusal and stored:
        typed["version"] = version_after(refusal, form["version"], stored.version)
    kept = await _kept(request, form)
    return await _form_page(request, stored, typed, refusal=refusal, trial=trial, kept=kept, sent=form)


async def _kept(request: Request, form: Form) -> views.KeptSecrets:
    """Nothing, where nothing was typed, it cannot be a secret, or the phone process is away."""
    if not (form.holds_secret or form["kept"]):
        return _NOTHING_KEPT
    try:
        answer = await door_of(request).box.ask("keep_secrets", views.KeptSecrets, kept=form["kept"], **_secrets(form))
    except ValidationError:
        return _NOTHING_KEPT
    return _NOTHING_KEPT if isinstance(answer, Refusal) else answer


async def _asked(request: Request, verb: str, **question: object) -> views.ConnectionView | Refusal:
    try:
        return await door_of(request).box.ask(verb, views.ConnectionView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


async def _form_page(
    request: Request,
    stored: views.ConnectionView | None,
    typed: dict[str, str],
    *,
    refusal: Refusal | None = None,
    trial: views.Trial | None = None,
    kept: views.KeptSecrets = _NOTHING_KEPT,
    sent: Form | None = None,
) -> Response:
    status = STATUS[refusal.why] if refusal else 200
    errors = without_prefix(refusal.fields, "draft.") if refusal else {}
    return page(
        request,
        "channel.html",
        status,
        stored=stored,
        typed=typed,
        refusal=refusal,
        errors=errors,
        trial=trial,
        kept=kept,
        secrets=_masks(stored, kept, sent),
        connections=await _beside(request),
        dial_preview=await dial_rules.made_of(request, typed),
        unfolded=bool(errors.keys() - _FIRST) or bool(sent and sent.ticked("preview")),
        zone=await zone_of(request),
    )


async def _beside(request: Request) -> tuple[views.ConnectionView, ...]:
    """All of them, for the list beside the form; none while the phone process is away, so that what was typed is shown
    all the same."""
    answer = await door_of(request).box.ask("list_connections", views.Connections)
    return () if isinstance(answer, Refusal) else answer.items


def _masks(stored: views.ConnectionView | None, kept: views.KeptSecrets, sent: Form | None) -> dict[str, str]:
    """The mask where a secret is kept, or stored and was not meant to change."""
    has = {"password": bool(stored and stored.has_password), "login": bool(stored and stored.has_login)}
    unchanged = {"password": (MASK, ""), "login": (MASK,)}
    shown = {name: MASK for name in has if has[name] and (sent is None or sent[name] in unchanged[name])}
    return shown | {name: MASK for name in has if getattr(kept, name)}


_EMPTY = dict.fromkeys(_TEXT, "") | {
    "transport": "udp",
    "srtp": "off",
    "caller_id_from": "name",
    "caller_id_asserted": "yes",
    "expiry_s": "300",
    "local_port": "0",
    "version": "0",
    "next": "",
}
_NEW = _EMPTY | dial_rules.UNTOUCHED


def _typed_of(connection: views.ConnectionView) -> dict[str, str]:
    account = connection.account.model_dump()
    typed = _EMPTY | {name: str(account[name]) for name in _EMPTY if name in account}
    typed |= {"caller_id_asserted": "yes" if account["caller_id_asserted"] else "", "version": str(connection.version)}
    return typed | dial_rules.UNTOUCHED | dial_rules.typed_of(connection.account.dialling)


def _typed(form: Form) -> dict[str, str]:
    return {name: form[name] for name in _EMPTY} | dial_rules.sent(form)


def _draft(form: Form) -> dict[str, object]:
    draft: dict[str, object] = {name: form[name].strip() for name in _TEXT if form[name].strip()}
    draft |= {"expiry_s": form["expiry_s"] or 300, "local_port": form["local_port"] or 0}
    draft |= {
        "caller_id_asserted": form.ticked("caller_id_asserted"),
        "dialling": dial_rules.rules_of(dial_rules.sent(form)),
    }
    return draft | _secrets(form)


def _secrets(form: Form) -> dict[str, str]:
    """Those that were typed: the mask stands for one that is kept or stored."""
    typed = {} if form["password"] in ("", MASK) else {"password": form["password"]}
    return typed if form["login"] == MASK else typed | {"login": form["login"]}  # empty: authenticate as User
