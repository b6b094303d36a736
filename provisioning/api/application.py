"""The REST API as an ASGI application: one route for each path, each method with its scope, every refusal JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import groupby

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.control import views
from app.control.refusals import Refusal, Why
from provisioning.api.answers import API, refused
from provisioning.api.document import document
from provisioning.api.operations import DOCUMENT, OPERATIONS, Operation
from provisioning.web.faults import OUR_FAULT, log_fault
from provisioning.web.rendering import Door

IN_WORDS = {
    views.Scope.READ: "look",
    views.Scope.WRITE: "change settings",
    views.Scope.CALL: "place calls",
    views.Scope.KEEP: "back up, restore and reset the box",
}
"""What a scope lets a token do, for people."""

_NO_PATH = Refusal(why=Why.NOT_FOUND, text=f"The API has no such path. See {API}{DOCUMENT} for those it has.")


def api(door: Door) -> Starlette:
    """Who asks is known, and in the request's state, before anything comes here."""
    application = Starlette(routes=routes(OPERATIONS), exception_handlers={404: _no_path, 500: _our_fault})
    application.router.redirect_slashes = False
    application.state.door, application.state.document = door, told
    return application


@cache
def told() -> str:
    """The document, made when somebody wants it: that takes longer than a worker of the page may take to start."""
    return document(OPERATIONS)


def routes(operations: Iterable[Operation]) -> list[Route]:
    """A path with a name in braces comes after those that it would swallow: "{" sorts behind every letter."""
    by_path = groupby(sorted(operations, key=lambda each: each.path), key=lambda each: each.path)
    return [Route(f"{API}{path}", _Path({each.method: each for each in found})) for path, found in by_path]


class _Path:
    """One path with its methods."""

    def __init__(self, by_method: Mapping[str, Operation]) -> None:
        self._by_method = by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        answer = await self._answer(request)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        operation = self._by_method.get(request.method)
        if operation is None:
            allowed = ", ".join(sorted(self._by_method))
            text = f"Nothing was done: this path is asked with {allowed} only."
            return refused(Refusal(why=Why.WRONG_METHOD, text=text), {"Allow": allowed})
        if operation.scope not in request.scope["state"]["bearer"].scopes:
            return refused(_not_allowed(operation.scope))
        return await operation.answer(request)


def _not_allowed(scope: views.Scope) -> Refusal:
    text = (
        f"Nothing was done: this token may not {IN_WORDS[scope]}. Use one with the scope “{scope.value}”; the page of "
        "this box makes it, under Box, API tokens."
    )
    return Refusal(why=Why.NOT_ALLOWED, text=text, names=(scope.value,))


async def _no_path(_: Request, __: Exception) -> Response:
    return refused(_NO_PATH)


async def _our_fault(_: Request, fault: Exception) -> Response:
    log_fault(fault)
    return refused(OUR_FAULT)
