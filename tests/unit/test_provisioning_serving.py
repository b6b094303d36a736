"""One connection of the page, from its visitor's coming to its going, on a virtual clock."""

from __future__ import annotations

import socket
from typing import cast

import pytest
import trio
import trio.testing
from hypercorn.trio.worker_context import WorkerContext
from starlette.responses import PlainTextResponse

from provisioning.serving import _Connections, hypercorn_config

pytestmark = pytest.mark.unit

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class _Addresses:
    """What a connection tells of its two ends."""

    family = socket.AF_INET

    def getpeername(self) -> tuple[str, int]:
        return ("192.0.2.1", 50_000)

    getsockname = getpeername


class _Wire(trio.abc.Stream):
    """A stream in memory, with addresses."""

    def __init__(self, end: trio.abc.Stream) -> None:
        self._end, self.socket = end, _Addresses()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._end.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._end.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._end.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self._end.aclose()


async def test_a_connection_is_gone_when_its_visitor_is(autojump_clock: trio.testing.MockClock) -> None:
    """Not when its time for being idle is over: there are only so many connections."""
    visitor, page = trio.testing.memory_stream_pair()
    connections = _Connections(PlainTextResponse("Good day."), hypercorn_config("", ""), WorkerContext(None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connections, cast("trio.SocketStream", _Wire(page)))
        await visitor.send_all(REQUEST)
        assert (await visitor.receive_some()).startswith(b"HTTP/1.1 200 ")
        await trio.testing.wait_all_tasks_blocked()
        assert connections._open == 1
        await visitor.aclose()
    assert (connections._open, trio.current_time()) == (0, 0.0)
