"""What every request passes before a page sees it: whose name was called, how much was sent, who is asking.

Closed unless declared open: `OPEN` is the whole list. The REST API has no open path; it knows tokens, not cookies.
No HSTS: with a certificate that browsers have to be told to accept, it would take away the very button for it.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Container, Mapping
from http.cookies import CookieError, SimpleCookie
from math import ceil, inf
from urllib.parse import quote

import trio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.control.packs import LARGEST_PACK
from app.control.refusals import STATUS, Refusal, Why
from provisioning.api.answers import API, refused
from provisioning.api.bearers import Bearers
from provisioning.life import Life
from provisioning.sign_ins import SignIns
from provisioning.throttle import LONGEST_S
from provisioning.web.uploads import (
    LARGEST_BUNDLE,
    LARGEST_DRAINED,
    LARGEST_UPLOAD,
    LONGEST_BUNDLE_S,
    PACKS,
    UPDATE,
    UPLOADS,
    takes_lists,
)

COOKIE = "__Host-deskbell"
OPEN = frozenset({"/sign-in", "/first-boot", "/static/deskbell.css", "/static/deskbell.js", "/static/bell.svg"})
METHODS = frozenset({"GET", "HEAD", "POST"})
API_METHODS = METHODS | {"PUT", "DELETE"}
LARGEST_BODY = 1024 * 1024
"""An agent with all its knowledge is below 200 KB."""

LONGEST_BODY_S = 30.0
"""For all of it: whoever sends a byte now and then would keep a connection for ever."""

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # "no-referrer" would make browsers send "Origin: null" with our own forms
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_WRONG_NAME = Refusal(
    why=Why.WRONG_NAME, text="This box does not go by that name. Open it by its address or its own name."
)
_IN_CLEAR = Refusal(
    why=Why.NOT_ALLOWED,
    text="Nothing was done: the API is on https only. Anybody on the network may have read the token that was sent: "
    "revoke it, and make another one.",
)
_TOO_LARGE = Refusal(why=Why.TOO_LARGE, text="That is more than this box takes at once.")
_WRONG_METHOD = Refusal(why=Why.WRONG_METHOD, text="Nothing here is asked with that method.")
_FROM_ELSEWHERE = Refusal(why=Why.NOT_ALLOWED, text="This came from another site's page, and was not done.")
_NEXT = {
    Why.NO_TOKEN: {"WWW-Authenticate": "Bearer"},
    Why.TOO_MANY_TRIES: {"Retry-After": str(ceil(LONGEST_S))},
}
"""What programs read with a refusal."""


class Guard:
    """ASGI middleware. `names`: host names that are ours, without port; addresses always are. `https_port`: where
    those are sent who forgot the s."""

    def __init__(
        self,
        pages: ASGIApp,
        api: ASGIApp,
        names: Container[str],
        sign_ins: SignIns,
        bearers: Bearers,
        life: Life,
        https_port: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages, self._api, self._names, self._life = pages, api, names, life
        self._sign_ins, self._bearers = sign_ins, bearers
        self._https_port, self._now = https_port, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._stopped(scope, headers) or await self._way_in(scope, headers)
        if answer is None:
            await self._passed(scope, _capped(receive, scope["path"]), self._with_headers(send))
        else:
            await answer(scope, receive, self._with_headers(send))

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        behind = self._api if is_api(scope["path"]) else self._pages
        try:
            await behind(scope, receive, send)
        finally:
            if scope["state"]["saw_secret"]:
                self._life.has_seen_secret.set()

    def _stopped(self, scope: Scope, headers: Headers) -> Response | None:
        """What is stopped whoever asks."""
        if not is_our_name(headers.get("host", ""), self._names):
            return _said(scope, _WRONG_NAME)
        if scope["scheme"] == "http":
            there = self._over_tls(headers["host"], scope)
            return _said(scope, _IN_CLEAR) if is_api(scope["path"]) else RedirectResponse(there, 308)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > largest_body(scope["path"]):
            return _said(scope, _TOO_LARGE)
        methods = API_METHODS if is_api(scope["path"]) else METHODS
        if scope["method"] not in methods:
            return _said(scope, _WRONG_METHOD, {"Allow": ", ".join(sorted(methods))})
        if scope["method"] == "POST" and not (is_api(scope["path"]) or _from_ourselves(headers)):
            return _said(scope, _FROM_ELSEWHERE)
        return None

    async def _way_in(self, scope: Scope, headers: Headers) -> Response | None:
        scope["state"] = {"sign_in": None, "token": "", "saw_secret": False}
        if is_api(scope["path"]):
            return await self._by_token(scope, headers)
        return self._by_cookie(scope, headers)

    async def _by_token(self, scope: Scope, headers: Headers) -> Response | None:
        address = scope["client"][0] if scope.get("client") else ""
        bearer = await self._bearers.who(headers.get("authorization", ""), address, self._now())
        if isinstance(bearer, Refusal):
            return refused(bearer, _NEXT.get(bearer.why))
        scope["state"]["bearer"] = bearer
        return None

    def _by_cookie(self, scope: Scope, headers: Headers) -> Response | None:
        token = cookie_token(headers.get("cookie", ""))
        sign_in = self._sign_ins.find(token, self._now()) if token else None
        scope["state"] |= {"sign_in": sign_in, "token": token}
        if sign_in or scope["path"] in OPEN:
            return None
        return RedirectResponse("/sign-in", 303)

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if self._life.leaving.is_set():
                    headers["Connection"] = "close"  # the next request goes to the next worker
            await send(message)

        return sending

    def _over_tls(self, host: str, scope: Scope) -> str:
        """Without the query: what somebody typed there went in clear once, and need not go again."""
        return f"https://{_without_port(host)}:{self._https_port}{quote(scope['path'])}"


def is_api(path: str) -> bool:
    return path == API or path.startswith(f"{API}/")


def _said(scope: Scope, refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """To a program as JSON; to a person, before there is a page to say it on, as a line of text."""
    if is_api(scope["path"]):
        return refused(refusal, headers)
    return PlainTextResponse(f"{refusal.text}\n", STATUS[refusal.why], headers)


def is_our_name(host: str, names: Container[str]) -> bool:
    """Against DNS rebinding: a stranger's name that points to our address is not ours."""
    name = _without_port(host)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name.casefold() in names
    return True


def _without_port(host: str) -> str:
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def cookie_token(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _from_ourselves(headers: Headers) -> bool:
    """Browsers say where a form came from; what says nothing at all is no browser, and has no cookie to misuse."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or origin == f"https://{headers.get('host')}"


def largest_body(path: str) -> int:
    """In bytes."""
    if takes_lists(path):
        return LARGEST_DRAINED
    if path == UPDATE:
        return LARGEST_BUNDLE + LARGEST_BODY
    if path == PACKS:
        return LARGEST_PACK + LARGEST_BODY
    return LARGEST_UPLOAD if path in UPLOADS else LARGEST_BODY


def _capped(receive: Receive, path: str) -> Receive:
    """A body that is too large, or too slow, ends as if its sender had gone away (`form_of` says which it was)."""
    largest, longest_s = largest_body(path), LONGEST_BUNDLE_S if path in (UPDATE, PACKS) else LONGEST_BODY_S
    taken, until_s, complete = 0, trio.current_time() + longest_s, False

    async def capped() -> Message:
        nonlocal taken, complete
        message: Message = {"type": "http.disconnect"}
        with trio.move_on_at(inf if complete else until_s):
            message = await receive()
        taken += len(message.get("body", b""))
        complete = complete or not message.get("more_body", False)
        return message if taken <= largest else {"type": "http.disconnect"}

    return capped
