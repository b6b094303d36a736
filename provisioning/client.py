"""The page's way to the box: the control socket. This process holds no secret and opens no file of the phone's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx

from app.control.refusals import STATUS, Refusal, Why
from app.control.verbs import VERBS, Event
from app.settings import REVEAL_SECRETS, Settings

# The longest verb is a trial registration (12 s), or stopping an agent with its calls (15 s).
_ANSWER_S = 20.0
# The phone process sends a line each 15 s; whoever is silent for longer is gone.
_SILENT_S = 40.0
_HOST = "http://box"

A = TypeVar("A", bound=Settings)

AWAY = Refusal(
    why=Why.BOX_FAULT,
    text="The telephone part of the box does not answer. It may be starting: wait some seconds, then try again. If "
    "this stays, restart the box.",
)

CUT_OFF = Refusal(
    why=Why.BOX_FAULT,
    text="The telephone part of the box went away while it was answering. Look whether the change was made before you "
    "try again.",
)
_REFUSED = frozenset(STATUS.values())
_SOME_RECORDING = (
    httpx.codes.OK,
    httpx.codes.PARTIAL_CONTENT,
    httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE,
)


class Box:
    """One for the whole process; `close` it at the end."""

    def __init__(self, socket: Path) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self._http = httpx.AsyncClient(transport=transport, base_url=_HOST, timeout=_ANSWER_S, trust_env=False)

    async def ask(self, verb: str, answer: type[A], **question: object) -> A | Refusal:
        """`answer` is the verb's answer model, for the type checker. Raises: pydantic.ValidationError if `question`
        does not fit the verb; see `app.control`."""
        table = VERBS[verb]
        if table.answers is not answer:
            raise TypeError(f"{verb} answers {table.answers.__name__}, not {answer.__name__}")
        body = table.asks.model_validate(question).model_dump_json(context=REVEAL_SECRETS)
        try:
            response = await self._http.post(f"/verbs/{verb}", content=body)
        except httpx.ConnectError:
            return AWAY
        except httpx.TransportError:
            return CUT_OFF
        if response.status_code == httpx.codes.OK:
            return answer.model_validate_json(response.content)
        if response.status_code in _REFUSED:
            return Refusal.model_validate_json(response.content)
        return CUT_OFF

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncGenerator[Event | None, None] | Refusal]:
        """What changes, from now on, with a None now and then, until the phone process goes; or why it is not told."""
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._http.stream("GET", "/events", timeout=_SILENT_S))
                told = b"" if response.status_code == httpx.codes.OK else await response.aread()
            except httpx.TransportError:
                yield AWAY
            else:
                yield Refusal.model_validate_json(told) if told else _events(response)

    @asynccontextmanager
    async def recording(self, session_id: str, byte_range: str | None) -> AsyncIterator[httpx.Response | None]:
        """The response of the phone process to a GET of the recording, 416 included; None if there is none, or nobody
        answers."""
        headers = {"range": byte_range} if byte_range else {}
        path = f"/recordings/{quote(session_id, safe='')}"
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._http.stream("GET", path, headers=headers))
            except httpx.TransportError:  # before anything was given out
                yield None
            else:
                yield response if response.status_code in _SOME_RECORDING else None

    async def close(self) -> None:
        await self._http.aclose()


async def _events(response: httpx.Response) -> AsyncGenerator[Event | None, None]:
    try:
        async for line in response.aiter_lines():
            yield Event.model_validate_json(line) if line else None
    except httpx.TransportError:
        return
