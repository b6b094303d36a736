"""A program that takes webhooks, over real TCP, as it is told: it takes them, fails, is silent, or talks nonsense."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from tests.patience import PATIENCE_S

Answer = bytes | None
"""What it sends for a request; None: nothing, and the connection stays open."""

TAKEN = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
FAILED = b"HTTP/1.1 500 Oh No\r\ncontent-length: 3\r\n\r\noh!"
GARBAGE = b"SSH-2.0-OpenSSH_9.2\r\n"
CUT = b""
HALF = b"HTTP/1.1 200 OK\r\ncontent-le"
DRIPS = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
"""Then a byte now and then."""

ENDLESS = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n" + b"x" * 1000


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()


@dataclass
class Told:
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


@dataclass
class Receiver:
    """`answer` chooses what is sent for the request that came last."""

    url: str
    answer: Callable[[Told], Answer] = lambda _: TAKEN
    told: list[Told] = field(default_factory=list)
    left: trio.Event = field(default_factory=trio.Event)  # somebody did not wait for an answer that never comes
    serving: list[trio.CancelScope] = field(default_factory=list)

    def dies(self) -> None:
        """Whoever waits for an answer gets none."""
        for scope in self.serving:
            scope.cancel()

    def ids(self) -> list[str]:
        return [each.headers["deskbell-delivery"] for each in self.told]

    def answers(self, *answers: Answer) -> None:
        """From now on these in their order, and the last one again and again."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    async def is_told(self, count: int, within_s: float = PATIENCE_S) -> None:
        with trio.fail_after(within_s):
            while len(self.told) < count:  # noqa: ASYNC110 - a list tells nobody
                await trio.sleep(0.01)

    async def serve(self, stream: trio.abc.Stream) -> None:
        try:
            self.told.append(await _request(stream))
            with trio.CancelScope() as scope:
                self.serving.append(scope)
                await self._send(stream, self.answer(self.told[-1]))
        except (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError):
            return
        finally:
            await trio.aclose_forcefully(stream)

    async def _send(self, stream: trio.abc.Stream, answer: Answer) -> None:
        if answer is None:
            while await stream.receive_some():
                pass
            self.left.set()
        elif answer:
            await stream.send_all(answer)
        while answer == DRIPS:
            await trio.sleep(0.05)
            await stream.send_all(b"x")


@asynccontextmanager
async def receiver(
    host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Receiver, None]:
    listeners = await trio.open_tcp_listeners(port, host=host)
    taken = listeners[0].socket.getsockname()[1]
    made = Receiver(f"{'https' if tls else 'http'}://{host}:{taken}/calls")
    async with trio.open_nursery() as nursery:
        for listener in listeners:
            nursery.start_soon(_listen, listener, made, tls)
        yield made
        nursery.cancel_scope.cancel()


async def _listen(listener: trio.SocketListener, made: Receiver, tls: ssl.SSLContext | None) -> None:
    async with listener, trio.open_nursery() as nursery:
        while True:
            plain = await listener.accept()
            stream = trio.SSLStream(plain, tls, server_side=True) if tls else plain
            nursery.start_soon(made.serve, stream)


async def _request(stream: trio.abc.Stream) -> Told:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await _more(stream)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += await _more(stream)
    return Told(first.split()[1], headers, body, first.split()[0])


async def _more(stream: trio.abc.Stream) -> bytes:
    data = await stream.receive_some()
    if not data:
        raise ConnectionError("they left")
    return bytes(data)
