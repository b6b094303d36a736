"""What the page passes on as it comes from the phone process: recordings, and streams without an end."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing

import httpx
import trio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.control.refusals import Refusal, Why
from app.control.verbs import Event
from provisioning.web.rendering import door_of

_PASSED_ON = ("content-type", "content-length", "content-range", "accept-ranges")
_NONE = Refusal(
    why=Why.NOT_FOUND, text="This session has no recording: the call had no sound, or it was deleted meanwhile."
)
_TOO_FAR = Refusal(
    why=Why.NOT_THAT_LONG,
    text="The recording is shorter than that. Ask for it without a range: its length is in Content-Length then.",
)
_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-\d{1,15})")


async def recording(request: Request) -> Response | Refusal:
    """Of the session in the path, whole or in the range that a player wants."""
    wanted = _one_range(request.headers.get("range", ""))
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(door_of(request).box.recording(request.path_params["id"], wanted))
        if source is None:
            return _NONE
        if source.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _TOO_FAR
        headers = {name: source.headers[name] for name in _PASSED_ON if name in source.headers}
        return _Relayed(_passed_on(source), stack.pop_all(), source.status_code, headers)
    raise AssertionError  # the stack swallows nothing


async def events(
    request: Request, lines: Callable[[AsyncIterable[Event | None]], AsyncGenerator[str, None]], media_type: str
) -> Response | Refusal:
    """What changes, in `lines`, as long as somebody listens."""
    door = door_of(request)
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(door.box.events())
        if isinstance(told, Refusal):
            return told
        await stack.enter_async_context(aclosing(told))
        return _Live(lines(told), stack.pop_all(), door.life.leaving, media_type)
    raise AssertionError  # the stack swallows nothing


async def _passed_on(source: httpx.Response) -> AsyncGenerator[bytes, None]:
    async for chunk in source.aiter_raw():
        yield chunk


def _one_range(header: str) -> str | None:
    """None: no range, or one that is none: then the whole is sent, as RFC 9110 says."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or (found[1] and found[2] and int(found[1]) > int(found[2])):
        return None
    return found[0]


class _Relayed(StreamingResponse):
    """`source` is where the content comes from: closed with the response, also if nobody was left to send it to."""

    def __init__(
        self,
        content: AsyncGenerator[str, None] | AsyncGenerator[bytes, None],
        source: AsyncExitStack,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(content, status, headers, media_type)
        self._content, self._source = content, source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._source, aclosing(self._content):
            await super().__call__(scope, receive, send)


class _Live(_Relayed):
    """A stream without an end of its own; who listens comes back to the next worker."""

    def __init__(
        self, content: AsyncGenerator[str, None], source: AsyncExitStack, leaving: trio.Event, media_type: str
    ) -> None:
        super().__init__(content, source, media_type=media_type)
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_when_leaving, nursery.cancel_scope)
            await super().__call__(scope, receive, send)
            nursery.cancel_scope.cancel()

    async def _end_when_leaving(self, streaming: trio.CancelScope) -> None:
        await self._leaving.wait()
        streaming.cancel()
