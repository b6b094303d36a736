"""The tests' small browser asks again where browsers do, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
import trio

from tests.web.visitor import AsBrowsersDo

pytestmark = pytest.mark.contract

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """Answers so many requests on each connection, and cuts off the next; `asked`: how many on each."""

    def __init__(self, answers: int) -> None:
        self.asked: list[int] = []
        self._answers = answers

    async def serve(self, stream: trio.SocketStream) -> None:
        mine = len(self.asked)
        self.asked.append(0)
        while await stream.receive_some():
            self.asked[mine] += 1
            if self.asked[mine] > self._answers:
                return
            await stream.send_all(ANSWER)


@asynccontextmanager
async def browser(server: Server) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
        address = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        async with httpx.AsyncClient(transport=AsBrowsersDo(trust_env=False), base_url=address) as client:
            yield client
        nursery.cancel_scope.cancel()


async def test_a_kept_connection_that_is_closed_is_asked_again_on_another() -> None:
    server = Server(answers=1)
    async with browser(server) as client:
        assert [(await client.get("/")).text for _ in range(3)] == ["hi"] * 3
    assert server.asked == [2, 2, 1]


async def test_a_request_that_is_cut_off_on_its_own_connection_is_not_repeated() -> None:
    server = Server(answers=0)
    async with browser(server) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")
    assert server.asked == [1]
