"""The tools of one agent, asked over HTTP. Nothing is redirected, unpacked or remembered from one question to the next,
no cookie either, and everything has a bound. A question is a task of its own: whoever waits for it may give up waiting,
and what may change something is not cut off in the middle."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
import trio
from pydantic import SecretStr

from app.http_tools import HttpTool, ToolAnswer, Value
from firmware.http_asking import BODY_IN_ONE, at_first_address, host_of, read_up_to
from firmware.http_tools.question import body_of, url_of
from firmware.http_tools.troubles import LARGEST_ANSWER, Trouble, failed, of_status, of_transport
from firmware.private_network import NoSuchName, NotPrivate, addresses_of, private_addresses

# In the building it takes milliseconds; far away, with TLS, half a second.
_CONNECT_S = 3.0
# Of a name: one of each kind, IPv6 and IPv4.
_ADDRESSES_TRIED = 2

_JSON = re.compile(r"application/([\w.-]+\+)?json")
_READABLE = re.compile(r"text/(?!html)[\w.+-]+|application/([\w.-]+\+)?(json|xml)|")
_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OpenedTool:
    """A tool with the values of its headers."""

    tool: HttpTool
    headers: Mapping[str, SecretStr] = field(repr=False)


@asynccontextmanager
async def open_http_tools(
    opened: Sequence[OpenedTool], trusted: ssl.SSLContext | None = None
) -> AsyncGenerator[ToolClient, None]:
    """`trusted`: whose certificates count; the system's authorities if not given."""
    # In a thread: reading the authorities' certificates takes 20 ms.
    if trusted is None:
        trusted = await trio.to_thread.run_sync(ssl.create_default_context)
    timeout = httpx.Timeout(None, connect=_CONNECT_S)  # each question has a time of its own
    limits = httpx.Limits(max_keepalive_connections=0)  # a connection that the other side has left costs a caller more
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    async with (
        httpx.AsyncClient(
            verify=trusted, timeout=timeout, limits=limits, cookies=no_cookies, trust_env=False, event_hooks=BODY_IN_ONE
        ) as client,
        trio.open_nursery() as nursery,
    ):
        yield ToolClient(opened, client, nursery)
        nursery.cancel_scope.cancel()


class ToolClient:
    """Implements app.http_tools.HttpTools. Made by `open_http_tools`."""

    def __init__(self, opened: Sequence[OpenedTool], client: httpx.AsyncClient, nursery: trio.Nursery) -> None:
        self._headers = {each.tool.name: each.headers for each in opened}
        self._client, self._nursery = client, nursery
        self.tools = tuple(each.tool for each in opened)

    def start(self, tool: HttpTool, values: Mapping[str, Value], within_s: float) -> HttpRun:
        run = HttpRun()
        self._nursery.start_soon(self._ask, run, tool, values, within_s)
        return run

    async def _ask(self, run: HttpRun, tool: HttpTool, values: Mapping[str, Value], within_s: float) -> None:
        with run.scope:
            try:
                run.ends(await self._answered(tool, values, within_s))
            except Exception as fault:  # noqa: BLE001 - handed over: raised here, it would end every other call
                run.ends(fault)

    async def _answered(self, tool: HttpTool, values: Mapping[str, Value], within_s: float) -> ToolAnswer:
        began_s = trio.current_time()
        with trio.move_on_after(within_s):
            try:
                response, body = await self._sent(tool, values)
            except NoSuchName:
                return failed(Trouble.NO_NAME, trio.current_time() - began_s)
            except NotPrivate:
                return failed(Trouble.NOT_PRIVATE, trio.current_time() - began_s)
            except (httpx.TransportError, httpx.InvalidURL) as fault:
                return failed(of_transport(fault), trio.current_time() - began_s)
            return _judged(response, body, trio.current_time() - began_s)
        return failed(Trouble.SILENT, trio.current_time() - began_s)

    async def _sent(self, tool: HttpTool, values: Mapping[str, Value]) -> tuple[httpx.Response, bytes]:
        """Raises: NoSuchName, NotPrivate, httpx.TransportError, httpx.InvalidURL."""
        where = httpx.URL(url_of(tool, values))
        request = _Request(tool, values, self._headers[tool.name], where)
        if where.scheme == "https":
            await addresses_of(host_of(where), where.port or 443)  # httpx does not say that there is no such name
            return await self._exchanged(request, host_of(where))
        found = await private_addresses(host_of(where), where.port or 80)
        return await at_first_address(found[:_ADDRESSES_TRIED], lambda address: self._exchanged(request, address))

    async def _exchanged(self, request: _Request, address: str) -> tuple[httpx.Response, bytes]:
        async with self._client.stream(
            request.tool.method,
            request.where.copy_with(host=address),
            headers=request.headers,
            json=body_of(request.tool, request.values),
        ) as response:
            return response, await read_up_to(response, LARGEST_ANSWER)


@dataclass(frozen=True, slots=True)
class _Request:
    tool: HttpTool
    values: Mapping[str, Value] = field(repr=False)
    secrets: Mapping[str, SecretStr] = field(repr=False)
    where: httpx.URL = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """`host`: also where an address that was looked up before is connected to."""
        ours = {
            "host": self.where.netloc.decode("ascii"),
            "accept": "application/json, text/plain",
            "accept-encoding": "identity",
            "user-agent": "Deskbell",
        }
        return ours | {name: value.get_secret_value() for name, value in self.secrets.items()}


class HttpRun:
    """Implements app.http_tools.ToolRun."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self._end: ToolAnswer | Exception | None = None
        self._is_there = trio.Event()

    def ends(self, end: ToolAnswer | Exception) -> None:
        self._end = end
        self._is_there.set()

    async def answer(self) -> ToolAnswer:
        await self._is_there.wait()
        if isinstance(self._end, ToolAnswer):
            return self._end
        raise self._end or RuntimeError("it is there without an end")

    def stop(self) -> None:
        self.scope.cancel()


def _judged(response: httpx.Response, body: bytes, took_s: float) -> ToolAnswer:
    status = response.status_code
    if trouble := of_status(status) or _unreadable(response, body):
        return failed(trouble, took_s, status)
    return ToolAnswer(took_s, status, body.decode())


def _unreadable(response: httpx.Response, body: bytes) -> Trouble | None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(body) > LARGEST_ANSWER:
        return Trouble.TOO_LARGE
    if not body.strip():
        return None
    if kind in ("text/html", "application/xhtml+xml") or _PAGE.match(body):
        return Trouble.HTML
    packed = response.headers.get("content-encoding", "identity") != "identity"
    if packed or not _READABLE.fullmatch(kind) or not _is_text(body, json_wanted=bool(_JSON.fullmatch(kind))):
        return Trouble.NO_TEXT
    return None


def _is_text(body: bytes, *, json_wanted: bool) -> bool:
    try:
        text = body.decode()
        if json_wanted:
            json.loads(text)
    except (ValueError, RecursionError):
        return False
    return "\0" not in text
