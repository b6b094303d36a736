"""A request of the REST API as the question of a verb, and the verb's answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.control.refusals import Refusal, Why
from app.control.verbs import Verb
from app.control.views import Nothing
from app.settings import Settings
from provisioning.api.answers import refused, said
from provisioning.web.rendering import door_of, wrongly_typed

Handler = Callable[[Request], Awaitable[Response]]
Q = TypeVar("Q", bound=Settings)

_OBJECT = TypeAdapter(dict[str, JsonValue])
_NOT_JSON = Refusal(
    why=Why.NOT_JSON,
    text="Nothing was done: a body is JSON here. Send it with “Content-Type: application/json”.",
)
_TOO_LARGE = Refusal(
    why=Why.TOO_LARGE,
    text="Nothing was done: the body was more than this box takes at once, or it came too slowly.",
)


def of(verb: Verb) -> Handler:
    """The handler that asks `verb`."""
    read = _from_query if verb.method in ("GET", "DELETE") else _from_body
    done = 201 if verb.created else 200

    async def answer(request: Request) -> Response:
        question = await read(request, verb.asks)
        if isinstance(question, Refusal):
            return refused(question)
        match await door_of(request).box.ask(verb.name, verb.answers, **dict(question)):
            case Refusal() as refusal:
                return refused(refusal)
            case Nothing():
                return Response(status_code=204)
            case answered:
                return said(answered, done)

    return answer


async def document(request: Request) -> Response:
    return Response(request.app.state.document(), media_type="application/json")


def may_hold_secret(asks: type[Settings]) -> bool:
    """Whether there is a field for one anywhere in the question."""
    return "writeOnly" in json.dumps(asks.model_json_schema())


async def _from_query(request: Request, asks: type[Q]) -> Q | Refusal:
    given = request.query_params.multi_items()
    if twice := sorted({name for name, _ in given if len(request.query_params.getlist(name)) > 1}):
        return _unusable(dict.fromkeys(twice, "Must be given once."))
    typed = dict(given)
    if refusal := _in_the_path(typed, request):
        return refusal
    try:
        return asks.model_validate_strings(typed | request.path_params)
    except ValidationError as error:
        return _unusable(wrongly_typed(error).fields)


async def _from_body(request: Request, asks: type[Q]) -> Q | Refusal:
    body = await _body(request, asks)
    if isinstance(body, Refusal):
        return body
    if refusal := _in_the_path(body, request):
        return refusal
    if request.query_params:
        return _unusable(dict.fromkeys(request.query_params, "Belongs in the body."))
    try:
        # As JSON once more: strictly, lists and enums are text there.
        return asks.model_validate_json(json.dumps(body | _of_path(request, asks), allow_nan=False), strict=True)
    except ValidationError as error:
        return _unusable(wrongly_typed(error).fields)
    except ValueError:  # NaN and Infinity, which JSON does not have
        return _unusable({"body": "Must be JSON, whose numbers are finite."})


async def _body(request: Request, asks: type[Settings]) -> dict[str, JsonValue] | Refusal:
    try:
        raw = await request.body()
    except ClientDisconnect:
        return _TOO_LARGE
    if not raw:
        return {}
    if may_hold_secret(asks):
        request.scope["state"]["saw_secret"] = True
    if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != "application/json":
        return _NOT_JSON
    try:
        return _OBJECT.validate_json(raw)
    except ValidationError:
        return _unusable({"body": "Must be one JSON object, in UTF-8."})


def _of_path(request: Request, asks: type[Settings]) -> dict[str, str | int]:
    """Numbers as numbers, where the verb wants them."""
    wanted = asks.model_fields
    return {
        name: int(text) if wanted[name].annotation is int and text.isdecimal() else text
        for name, text in request.path_params.items()
    }


def _in_the_path(given: Mapping[str, object], request: Request) -> Refusal | None:
    doubled = given.keys() & request.path_params.keys()
    return _unusable(dict.fromkeys(sorted(doubled), "Is in the path already.")) if doubled else None


def _unusable(fields: Mapping[str, str]) -> Refusal:
    text = "Nothing was done: something in the request cannot be used. See “fields”."
    return Refusal(why=Why.INVALID, text=text, fields=dict(fields))
