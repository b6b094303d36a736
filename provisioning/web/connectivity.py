"""Settings > Connectivity: what agents hear, speak and think with, and a test that really does."""

from __future__ import annotations

from base64 import b64encode
from typing import get_args

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.connectivity import ConnectivityList, ConnectivityTest, ConnectivityView, Sound
from app.control.refusals import STATUS, Refusal, Why
from app.engines import Role
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
)

_ROLES: tuple[str, ...] = get_args(Role)
_TITLES = {
    "wyoming-speech-to-text": "New ears: a Wyoming server",
    "openai-speech-to-text": "New ears: an OpenAI-compatible server",
    "pack-speech-to-text": "New ears: a neural pack",
    "text-to-speech": "New voice on the box",
    "wyoming-text-to-speech": "New voice: a Wyoming server",
    "openai-text-to-speech": "New voice: an OpenAI-compatible server",
    "pack-text-to-speech": "New voice: a neural pack",
    "language-model": "New language model",
}
"""Of what is made here. The box's own ears come with it."""

_FIELDS = {
    "wyoming-speech-to-text": ("address", "model"),
    "openai-speech-to-text": ("base_url", "model"),
    "pack-speech-to-text": ("pack",),
    "text-to-speech": ("voice", "speed_percent"),
    "wyoming-text-to-speech": ("address", "voice", "speaker", "box_voice"),
    "openai-text-to-speech": ("base_url", "model", "voice", "sound", "box_voice"),
    "pack-text-to-speech": ("pack", "box_voice"),
    "language-model": ("base_url", "model", "first_word_s"),
}
"""What each kind of engine is made of, besides its key."""

_KEYED = ("openai-speech-to-text", "openai-text-to-speech", "language-model")

_LABELS = {
    "name": "Name",
    "description": "Description",
    "voice": "Voice",
    "speed_percent": "Pace in per cent",
    "speaker": "Speaker",
    "sound": "Sound",
    "address": "Address",
    "base_url": "Address",
    "model": "Model",
    "api_key": "Key",
    "pack": "Neural pack",
    "first_word_s": "Patience in seconds",
    "text": "Sentence",
    "recording": "Your own voice",
}
_PREFIXES = ("draft.", "engine.")


async def show(request: Request) -> Response:
    match await door_of(request).box.ask("list_connectivity", ConnectivityList):
        case Refusal() as refusal:
            return refused(request, refusal)
        case ConnectivityList(items=entries):
            by_role = {role: [each for each in entries if each.role == role] for role in _ROLES}
            return page(request, "connectivity.html", by_role=by_role)


async def new(request: Request) -> Response:
    kind = request.query_params.get("kind", "")
    if kind not in _TITLES:
        return refused(request, Refusal(why=Why.NOT_FOUND, text="There is no such page. Go on from the menu."))
    return _entry_page(
        request, kind, None, _EMPTY | _FIRST.get(kind, {}) | {"pack": request.query_params.get("pack", "")}
    )


async def create(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await _asked(request, "create_connectivity", draft=_draft(form))
    if isinstance(answer, Refusal):
        return _entry_page(request, form["kind"], None, _typed(form), refusal=answer)
    where = f"/connectivity/{answer.id}"
    return done(request, where, f"“{answer.name}” is saved. Test it below, then attach it to an agent.")


async def edit(request: Request) -> Response:
    stored = await _stored(request)
    return refused(request, stored) if isinstance(stored, Refusal) else _stored_page(request, stored)


async def update(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    stored = await _stored(request)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    version = whole_number(form["version"], 0)
    answer = await _asked(request, "update_connectivity", id=stored.id, if_version=version, draft=_draft(form))
    if isinstance(answer, Refusal):
        typed = _typed(form) | {"version": version_after(answer, form["version"], stored.version)}
        return _entry_page(request, stored.engine.kind, stored, typed, refusal=answer)
    restart = f" Restart to apply, if they run: {', '.join(answer.agents)}." if answer.agents else ""
    return done(request, f"/connectivity/{stored.id}", f"“{answer.name}” is saved.{restart}")


async def delete(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    stored = await _stored(request)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    if not (stored.agents or form.ticked("confirmed")):  # in use, it is refused anyway, with what to do first
        asked = Refusal(why=Why.IN_USE, text=f"Delete “{stored.name}”? Its settings go for good.")
        back = f"/connectivity/{stored.id}"
        return page(request, "confirm.html", refusal=asked, action=request.url.path, back=back)
    answer = await door_of(request).box.ask("delete_connectivity", views.Nothing, id=stored.id)
    return refused(request, answer) if isinstance(answer, Refusal) else done(request, "/connectivity", "It is deleted.")


async def test(request: Request) -> Response:
    """Everything typed stays; the answer stands below the form."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    stored = await _stored(request)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    question: dict[str, object] = {"id": stored.id, "text": form["text"].strip()}
    if recording := form.file("recording"):
        question["recording"] = b64encode(recording)
    try:
        answer = await door_of(request).box.ask("test_connectivity", ConnectivityTest, **question)
    except ValidationError as error:
        answer = wrongly_typed(error)
    return _stored_page(request, stored, text=form["text"], answer=answer)


async def sound(request: Request) -> Response:
    """Of a test, for the player."""
    answer = await door_of(request).box.ask("get_test_sound", Sound, id=request.path_params["id"])
    return refused(request, answer) if isinstance(answer, Refusal) else Response(answer.wav, media_type="audio/wav")


async def _stored(request: Request) -> ConnectivityView | Refusal:
    entry_id = request.path_params["id"]
    return await door_of(request).box.ask("get_connectivity", ConnectivityView, id=entry_id)


async def _asked(request: Request, verb: str, **question: object) -> ConnectivityView | Refusal:
    try:
        return await door_of(request).box.ask(verb, ConnectivityView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


def _stored_page(
    request: Request,
    stored: ConnectivityView,
    *,
    text: str = "",
    answer: ConnectivityTest | Refusal | None = None,
) -> Response:
    typed = _typed_of(stored) | {"text": text}
    if isinstance(answer, Refusal):
        return _entry_page(request, stored.engine.kind, stored, typed, test_refusal=answer)
    return _entry_page(request, stored.engine.kind, stored, typed, test=answer)


def _entry_page(
    request: Request,
    kind: str,
    stored: ConnectivityView | None,
    typed: dict[str, str],
    *,
    refusal: Refusal | None = None,
    test_refusal: Refusal | None = None,
    test: ConnectivityTest | None = None,
) -> Response:
    """`refusal`: of what was to be saved; `test_refusal`: of a test."""
    found = refusal or test_refusal
    return page(
        request,
        "connectivity_entry.html",
        STATUS[found.why] if found else 200,
        kind=kind,
        role=kind.removeprefix("wyoming-").removeprefix("openai-").removeprefix("pack-"),
        stored=stored,
        typed=typed,
        refusal=refusal,
        test_refusal=test_refusal,
        errors=without_prefix(found.fields, *_PREFIXES, f"{kind}.") if found else {},
        test=test,
        title=stored.name if stored else _TITLES.get(kind, ""),
        labels=_LABELS,
        mask=MASK,
    )


_FIRST = {"text-to-speech": {"voice": "slt"}}
_EMPTY = {
    "name": "",
    "description": "",
    "voice": "",
    "speed_percent": "100",
    "speaker": "",
    "sound": "wav",
    "box_voice": "slt",
    "address": "",
    "base_url": "",
    "model": "",
    "first_word_s": "3",
    "pack": "",
    "version": "0",
    "text": "",
}


def _typed_of(stored: ConnectivityView) -> dict[str, str]:
    typed = _EMPTY | {"name": stored.name, "description": stored.description, "version": str(stored.version)}
    engine = stored.engine.model_dump()
    return typed | {name: _shown(engine[name]) for name in _FIELDS.get(stored.engine.kind, ())}


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _typed(form: Form) -> dict[str, str]:
    return {name: form[name] for name in _EMPTY}


def _draft(form: Form) -> dict[str, object]:
    draft: dict[str, object] = {"name": form["name"], "description": form["description"]}
    if form["kind"] in _KEYED and form["api_key"] != MASK:
        draft["api_key"] = form["api_key"]  # empty: the server asks for none
    return draft | {"engine": {"kind": form["kind"]} | _given(form, *_FIELDS.get(form["kind"], ()))}


def _given(form: Form, *names: str) -> dict[str, str]:
    return {name: form[name].strip() for name in names if form[name].strip()}
