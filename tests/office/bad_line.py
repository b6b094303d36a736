"""A line to a server of the office that goes bad: a port of this machine behind which the real server answers, until
the line is told what to make of its answers.

    async with bad_line(server.address) as line:
        ... settings with line.base_url ...
        line.makes("garbage")
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import trio

Fault = Literal["late", "slow", "garbage"]

LATE_S = 20.0
"""Of a server that is far too busy: later than anybody waits on the telephone."""

SLOW_BYTES_S = 200
"""Of one that is there and gets on, so that no wait for its next byte is ever long: a second of sound takes minutes."""

_CHUNK_BYTES = 16 * 1024


class BadLine:
    """`address`: host and port. `used`: once somebody is connected."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.used = trio.Event()
        self._fault: Fault | None = None
        self._noise = random.Random(20261128)

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/v1"

    def makes(self, fault: Fault) -> None:
        """Of all that the server says from now on, also over connections that stand."""
        self._fault = fault

    async def carry(self, server: tuple[str, int], client: trio.SocketStream) -> None:
        """One connection, until either side ends it."""
        self.used.set()
        async with client, await trio.open_tcp_stream(*server) as behind, trio.open_nursery() as both:
            both.start_soon(self._ask, client, behind)
            await self._answer(behind, client)
            both.cancel_scope.cancel()

    async def _ask(self, client: trio.SocketStream, behind: trio.SocketStream) -> None:
        try:
            async for asked in client:
                await behind.send_all(asked)
            await behind.send_eof()
        except trio.BrokenResourceError:
            return

    async def _answer(self, behind: trio.SocketStream, client: trio.SocketStream) -> None:
        try:
            while said := await behind.receive_some(_CHUNK_BYTES):
                await self._worsened(said, client)
        except trio.BrokenResourceError:
            return

    async def _worsened(self, said: bytes, client: trio.SocketStream) -> None:
        match self._fault:
            case None:
                await client.send_all(said)
            case "late":
                await trio.sleep(LATE_S)
                await client.send_all(said)
            case "slow":
                for at in range(len(said)):
                    await client.send_all(said[at : at + 1])
                    await trio.sleep(1 / SLOW_BYTES_S)
            case "garbage":
                await client.send_all(self._noise.randbytes(len(said)))


@asynccontextmanager
async def bad_line(address: str) -> AsyncGenerator[BadLine, None]:
    """To the server at `address`, host and port."""
    host, port = address.rsplit(":", 1)
    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        line = BadLine(f"127.0.0.1:{listener.socket.getsockname()[1]}")
        nursery.start_soon(partial(trio.serve_listeners, partial(line.carry, (host, int(port))), [listener]))
        yield line
        nursery.cancel_scope.cancel()
