"""One OpenAI-compatible server, asked over HTTP. Nothing is redirected, nothing unpacked, and everything has a bound.

How long it is waited for is the business of whoever asks; cancelling a question closes its connection.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import trio
from pydantic import SecretStr

from app.speech_servers import SpeechFailed
from firmware.http_asking import BODY_IN_ONE, at_first_address, host_of, read_up_to
from firmware.openai_audio.faults import of_status, of_transport
from firmware.private_network import NoSuchName, NotPrivate, ways_to
from firmware.speech_servers.troubles import Trouble, failed

# In the building, it takes milliseconds; with TLS to one far away, half a second.
_CONNECT_S = 1.5
# Between two pieces. Whoever asks gives up before; this ends what nobody waits for.
_SILENT_S = 10.0
# A connection that was idle for longer is made anew: routers forget it after some minutes.
_IDLE_S = 60.0
_LARGEST_ERROR = 16 * 1024

Take = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Question:
    """Bytes, not something that httpx makes them of: what it has not come to the end of it leaves to the garbage
    collector. `kinds`: how the content type of an answer may begin."""

    path: str
    body: bytes = field(repr=False)
    kind: str
    kinds: tuple[str, ...]


@asynccontextmanager
async def open_client(base_url: str, key: SecretStr | None) -> AsyncGenerator[Client, None]:
    # In a thread: reading the authorities' certificates takes 20 ms.
    trusted = await trio.to_thread.run_sync(ssl.create_default_context)
    limits = httpx.Limits(keepalive_expiry=_IDLE_S)
    timeout = httpx.Timeout(_CONNECT_S, read=_SILENT_S, write=_SILENT_S, pool=_SILENT_S)
    async with httpx.AsyncClient(
        verify=trusted, timeout=timeout, limits=limits, trust_env=False, event_hooks=BODY_IN_ONE
    ) as client:
        yield Client(base_url, key, client)


class Client:
    def __init__(self, base_url: str, key: SecretStr | None, client: httpx.AsyncClient) -> None:
        self._base_url, self._key, self._client = base_url, key, client

    async def ask(self, question: Question, take: Take) -> None:
        """POST it, and hand over the answer's body as it comes. Raises: SpeechFailed, and what `take` raises."""
        try:
            async with aclosing(await self._sent(question)) as response:
                if not response.is_success:
                    raise of_status(response.status_code, await _error(response))
                kind = response.headers.get("content-type", "").lower()
                packed = response.headers.get("content-encoding", "identity") != "identity"
                if packed or not kind.startswith(question.kinds):
                    raise failed(Trouble.GARBAGE)
                await _receive(response, take)
        except SpeechFailed as why:
            raise self._without_key(why) from None
        except httpx.TransportError as fault:
            raise of_transport(fault) from None

    async def _sent(self, question: Question) -> httpx.Response:
        """Raises: SpeechFailed, httpx.TransportError."""
        url = httpx.URL(f"{self._base_url}{question.path}")
        return await at_first_address(
            await _addresses(url),
            lambda address: self._client.send(self._request(url, address, question), stream=True),
        )

    def _request(self, url: httpx.URL, address: str, question: Question) -> httpx.Request:
        headers = {"accept-encoding": "identity", "content-type": question.kind, "host": url.netloc.decode("ascii")}
        if self._key:
            headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        return self._client.build_request("POST", url.copy_with(host=address), headers=headers, content=question.body)

    def _without_key(self, why: SpeechFailed) -> SpeechFailed:
        """Some servers quote it."""
        key = self._key.get_secret_value() if self._key else ""
        return SpeechFailed(str(why), why.detail.replace(key, "…") if key else why.detail)


async def _error(response: httpx.Response) -> bytes:
    """As much of it as is of use."""
    return (await read_up_to(response, _LARGEST_ERROR))[:_LARGEST_ERROR]


async def _receive(response: httpx.Response, take: Take) -> None:
    """Reading ends by cancellation only: httpx leaves its own generators to the garbage collector where a loop is left.
    Raises: what `take` raises, httpx.TransportError."""
    fault: SpeechFailed | None = None
    with trio.CancelScope() as reading:
        async for data in response.aiter_raw():
            if reading.cancel_called:
                continue
            try:
                await take(data)
            except SpeechFailed as why:
                fault = why
                reading.cancel()
    if fault:
        raise fault


async def _addresses(url: httpx.URL) -> list[str]:
    """See ways_to. Raises: SpeechFailed."""
    try:
        return await ways_to(url.scheme, host_of(url), url.port or 80)
    except NoSuchName:
        raise failed(Trouble.NO_NAME) from None
    except NotPrivate:
        raise failed(Trouble.NOT_PRIVATE) from None
