"""One attempt to deliver a webhook, over HTTP: with TLS, or in the own network. Nothing is redirected, and nothing of
the answer but its status is read."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import trio
from pydantic import SecretStr

from app.web_addresses import NEEDS_TLS
from firmware.http_asking import BODY_IN_ONE, at_first_address, host_of
from firmware.private_network import NoSuchName, NotPrivate, is_untrusted, must_be_name, private_addresses
from firmware.webhooks.body import signature

CONNECT_S = 5.0
"""Anywhere in the world, with TLS."""

ANSWER_S = 10.0
"""A receiver notes what it is told and answers; its work comes after."""

_OTHER_ADDRESSES = 3
_ALL_S = 18.0  # for one that sends a byte now and then; whoever tries the webhook on the page waits for 20 s
_PROBLEMS = {
    "name": "its host name cannot be found: check the address, and the network's name server",
    "public": f"its address is not in your own network, and {NEEDS_TLS}: use https://",
    "nobody": "nothing answers at its address: check that the receiver runs, the port, and firewalls between",
    "certificate": "its certificate is not trusted (made by itself, expired, or for another name): give the receiver "
    "one of a public authority, or use http:// in your own network",
    "silent": f"it did not answer within {ANSWER_S:.0f} s: a receiver should answer at once, and work afterwards",
    "garbage": "what it answered is not HTTP: check the port",
    "moved": "it says that it has moved, and redirects are not followed: enter the new address",
    "refused": "it did not take it: look into the receiver's log",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` 0: none came. `problem`: empty where the receiver took it (2xx); for people."""

    status: int
    problem: str = ""


@asynccontextmanager
async def open_client(trusted: ssl.SSLContext | None = None) -> AsyncGenerator[WebhookClient, None]:
    """`trusted`: whose certificates count; the system's authorities if not given."""
    # In a thread: reading the authorities' certificates takes 20 ms.
    if trusted is None:
        trusted = await trio.to_thread.run_sync(ssl.create_default_context)
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    limits = httpx.Limits(max_keepalive_connections=0)  # hours lie between two deliveries
    async with httpx.AsyncClient(
        verify=trusted, timeout=timeout, limits=limits, trust_env=False, event_hooks=BODY_IN_ONE
    ) as http:
        yield WebhookClient(http)


class WebhookClient:
    """Made by `open_client`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def post(self, url: str, secret: SecretStr, event: str, delivery_id: str, body: str, at_s: int) -> Answered:
        """Tell it once. `at_s`: now, in seconds since 1970. Never fails."""
        payload = body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Deskbell",
            "deskbell-event": event,
            "deskbell-delivery": delivery_id,
            "deskbell-signature": signature(secret.get_secret_value(), at_s, payload),
        }
        with trio.move_on_after(_ALL_S):
            try:
                return await self._sent(url, headers, payload)
            except NoSuchName:
                return _not_answered("name")
            except NotPrivate:
                return _not_answered("public")
            except (httpx.TransportError, httpx.InvalidURL) as fault:
                return _not_answered(_kind_of(fault))
        return _not_answered("silent")

    async def _sent(self, url: str, headers: dict[str, str], payload: bytes) -> Answered:
        """Raises: NoSuchName, NotPrivate, httpx.TransportError, httpx.InvalidURL."""
        where = httpx.URL(url)
        if where.scheme == "https":
            must_be_name(host_of(where))
            return await self._asked(where, headers, payload)
        headers["host"] = where.netloc.decode("ascii")
        *others, last = await private_addresses(host_of(where), where.port or 80)
        return await at_first_address(
            [*others[:_OTHER_ADDRESSES], last],
            lambda address: self._asked(where.copy_with(host=address), headers, payload),
        )

    async def _asked(self, where: httpx.URL, headers: dict[str, str], payload: bytes) -> Answered:
        async with self._http.stream("POST", where, headers=headers, content=payload) as response:
            return _judged(response.status_code)


def _judged(status: int) -> Answered:
    if 200 <= status < 300:
        return Answered(status)
    return Answered(status, f"it answered {status}: {_PROBLEMS['moved' if 300 <= status < 400 else 'refused']}")


def _not_answered(kind: str) -> Answered:
    return Answered(0, _PROBLEMS[kind])


def _kind_of(fault: Exception) -> str:
    match fault:
        case httpx.ConnectTimeout():
            return "nobody"
        case httpx.TimeoutException():
            return "silent"
        case httpx.ConnectError():
            return "certificate" if is_untrusted(fault) else "nobody"
        case _:
            return "garbage"
