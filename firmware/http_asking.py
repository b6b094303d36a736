"""What all share who ask servers over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

import httpx
import trio

A = TypeVar("A")


class _Whole(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._left: Iterator[bytes] = iter(())

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._left = iter((self._body,))
        return self

    async def __anext__(self) -> bytes:
        for part in self._left:
            return part
        raise StopAsyncIteration


async def _in_one(request: httpx.Request) -> None:
    request.stream = _Whole(request.content)


BODY_IN_ONE = {"request": [_in_one]}
"""Hooks for clients that send something: httpx leaves its own generator of a body to the garbage collector where a
server refuses before it has read everything."""


def host_of(url: httpx.URL) -> str:
    """As it is looked up. `url.host` is as people read it, and fails where it begins as an internationalised name and
    is none that the package idna knows ("xn--a.lan")."""
    return url.raw_host.decode("ascii")


async def at_first_address(addresses: Sequence[str], ask: Callable[[str], Awaitable[A]]) -> A:
    """What `ask` is answered at the first of a name's addresses where somebody is. Raises: what it raises."""
    *others, last = addresses
    for address in others:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await ask(address)
    return await ask(last)


async def read_up_to(response: httpx.Response, largest: int) -> bytes:
    """The body as it comes; where it is larger than `largest`, something more than that. Reading ends by cancellation
    only: httpx leaves its own generators to the garbage collector where a loop is left. Raises: httpx.TransportError.
    """
    body = bytearray()
    with trio.CancelScope() as reading:
        async for data in response.aiter_raw():
            body += data[: largest + 1]
            if len(body) > largest:
                reading.cancel()
    return bytes(body)
