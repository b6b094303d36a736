"""One language model's server: asked over HTTP, heard as it writes.

Each answer is a task of its own, so that whoever waits for it may give up waiting and come back; stopping it closes the
connection, and the server stops writing. Nothing is redirected, nothing unpacked, and everything has a bound.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from math import inf

import httpx
import trio
from pydantic import SecretStr

from app.engines import ModelServer
from app.language_models import ChatMessage, ModelFailed, Tool, ToolCall
from firmware.http_asking import BODY_IN_ONE, at_first_address, host_of, read_up_to
from firmware.language_model.asking import Question
from firmware.language_model.reading import Reader, error_of
from firmware.language_model.troubles import Trouble, failed, of_status, of_transport, refused_tools
from firmware.private_network import NoSuchName, NotPrivate, ways_to

# To a server in the building, a connection takes milliseconds; to one far away, with TLS, half a second.
_CONNECT_S = 3.0
# Between two pieces. The brain gives up long before; this ends what nobody waits for.
_SILENT_S = 30.0
# Pieces that nobody has taken yet, while the voice is speaking: more than an answer has.
_PIECES_AHEAD = 2000
# A connection that was idle for longer is made anew: routers forget it after some minutes.
_IDLE_S = 60.0
# What may follow an answer's end; a server that does not end then has its connection closed.
_LAST_WORDS_S = 0.5
_LARGEST_ERROR = 16 * 1024
_LARGEST_WHOLE = 256 * 1024


@asynccontextmanager
async def open_language_model(server: ModelServer, key: SecretStr | None) -> AsyncGenerator[HttpModel, None]:
    """The model of `server`. Connects when it is asked."""
    # In a thread: reading the authorities' certificates takes 20 ms.
    trusted = await trio.to_thread.run_sync(ssl.create_default_context)
    limits = httpx.Limits(keepalive_expiry=_IDLE_S)
    timeout = httpx.Timeout(_CONNECT_S, read=_SILENT_S)
    async with (
        httpx.AsyncClient(
            verify=trusted, timeout=timeout, limits=limits, trust_env=False, event_hooks=BODY_IN_ONE
        ) as client,
        trio.open_nursery() as nursery,
    ):
        yield HttpModel(server, key, client, nursery)
        nursery.cancel_scope.cancel()


class HttpModel:
    """Implements app.language_models.LanguageModel. Made by `open_language_model`."""

    def __init__(
        self, server: ModelServer, key: SecretStr | None, client: httpx.AsyncClient, nursery: trio.Nursery
    ) -> None:
        self._server, self._key, self._client, self._nursery = server, key, client, nursery
        self._url = httpx.URL(f"{server.base_url}/chat/completions")

    def ask(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> HttpAnswer:
        answer = HttpAnswer()
        self._nursery.start_soon(self._hear, Question(self._server.model, messages, tools), answer)
        return answer

    async def _hear(self, question: Question, answer: HttpAnswer) -> None:
        with answer.scope, answer.told:
            try:
                await self._stream(question, answer)
            except ModelFailed as why:
                answer.failure = self._without_key(why)
            except httpx.TransportError as fault:
                answer.failure = failed(of_transport(fault))
            except Exception as fault:  # noqa: BLE001 - handed over: raised here, it would end every other call
                answer.failure = fault

    async def _stream(self, question: Question, answer: HttpAnswer) -> None:
        """Raises: ModelFailed, httpx.TransportError."""
        async with aclosing(await self._sent(question)) as response:
            if not response.is_success:
                status, detail = (
                    response.status_code,
                    error_of(_json(await _body(response, _LARGEST_ERROR))),
                )
                refused = refused_tools(status, detail) if question.tools else None
                raise refused or failed(of_status(status, detail), status, detail)
            await _read(response, answer)

    async def _sent(self, question: Question) -> httpx.Response:
        """Raises: ModelFailed, httpx.TransportError."""
        return await at_first_address(
            await _addresses(self._url),
            lambda address: self._client.send(self._request(question, address), stream=True),
        )

    def _request(self, question: Question, address: str) -> httpx.Request:
        headers = {"accept-encoding": "identity", "host": self._url.netloc.decode("ascii")}
        if self._key:
            headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        url = self._url.copy_with(host=address)
        return self._client.build_request("POST", url, headers=headers, json=question.as_json())

    def _without_key(self, why: ModelFailed) -> ModelFailed:
        """Some servers quote it."""
        key = self._key.get_secret_value() if self._key else ""
        return type(why)(str(why), why.detail.replace(key, "…") if key else why.detail)


class HttpAnswer:
    """Implements app.language_models.ModelAnswer."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.failure: Exception | None = None
        self.calls: tuple[ToolCall, ...] = ()
        self._has_words = False
        self.reader = Reader()
        self.told, self._heard = trio.open_memory_channel[str](_PIECES_AHEAD)

    @property
    def is_calling(self) -> bool:
        return bool(self.reader.calls)

    def tell(self, text: str) -> None:
        """Raises: ModelFailed."""
        self._has_words = self._has_words or bool(text.strip())
        try:
            self.told.send_nowait(text)
        except trio.WouldBlock:
            raise failed(Trouble.TOO_LONG) from None
        except trio.BrokenResourceError:
            return  # nobody listens any more, and the cancellation is on its way

    def end(self) -> None:
        """Raises: ModelFailed."""
        self.calls = self.reader.calls.all
        if not (self._has_words or self.calls):
            raise failed(Trouble.EMPTY)
        self.told.close()

    async def more(self) -> str:
        try:
            return await self._heard.receive()
        except trio.EndOfChannel:
            if self.failure:
                raise self.failure from None
            return ""

    def stop(self) -> None:
        self.scope.cancel()
        self._heard.close()


async def _read(response: httpx.Response, answer: HttpAnswer) -> None:
    """Raises: ModelFailed, httpx.TransportError."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    packed = response.headers.get("content-encoding", "identity") != "identity"
    if packed or kind not in ("text/event-stream", "application/json"):
        raise failed(Trouble.NO_MODEL)
    if kind == "application/json":
        if text := answer.reader.whole(await _body(response, _LARGEST_WHOLE)):
            answer.tell(text)
        answer.end()
        return
    reader = answer.reader

    def take(data: bytes) -> float:
        for text in reader.feed(data):
            answer.tell(text)
        if not reader.complete:
            return inf
        answer.end()
        return trio.current_time() + _LAST_WORDS_S

    await _receive(response, take)
    if not reader.complete:
        raise failed(Trouble.CUT)


async def _body(response: httpx.Response, largest: int) -> bytes:
    """As much of it as is of use."""
    return (await read_up_to(response, largest))[:largest]


async def _receive(response: httpx.Response, take: Callable[[bytes], float]) -> None:
    """Hands the body over as it comes. `take` says until when more of it is wanted.

    Reading ends by cancellation only: httpx leaves its own generators to the garbage collector where a loop is left.
    Raises: what `take` raises, httpx.TransportError.
    """
    fault: Exception | None = None
    with trio.CancelScope() as reading:
        async for data in response.aiter_raw():
            if reading.cancel_called:
                continue
            try:
                reading.deadline = take(data)
            except ModelFailed as why:
                fault = why
                reading.cancel()
    if fault:
        raise fault


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def _addresses(url: httpx.URL) -> list[str]:
    """See ways_to. Raises: ModelFailed."""
    try:
        return await ways_to(url.scheme, host_of(url), url.port or 80)
    except NoSuchName:
        raise failed(Trouble.NO_NAME) from None
    except NotPrivate:
        raise failed(Trouble.NOT_PRIVATE) from None
