"""A UDP registrar that follows a script instead of RFC 3261."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio


class RudeServer:
    """Answers each request with `status` and `extra` header lines; with None: with something that is not SIP."""

    def __init__(self, socket: trio.socket.SocketType, status: str | None, extra: str) -> None:
        self._socket, self._status, self._extra = socket, status, extra
        self.requests: list[str] = []
        self.address = "{}:{}".format(*socket.getsockname())

    async def run(self) -> None:
        while True:
            packet, sender = await self._socket.recvfrom(65536)
            if not packet.strip():
                continue  # a keep-alive
            request = packet.decode()
            self.requests.append(request)
            await self._socket.sendto(self._answer(request), sender)

    def _answer(self, request: str) -> bytes:
        if self._status is None:
            return b"HTTP/1.1 418 I'm a teapot\r\n\r\n\xff\xfe not SIP at all"
        kept = re.findall(r"^(?:Via|From|Call-ID|CSeq|Contact): .*\r\n", request, re.MULTILINE)
        to = re.search(r"^To: .*(?=\r\n)", request, re.MULTILINE)
        lines = "".join(kept) + (f"{to[0]};tag=rude\r\n" if to else "")
        return f"SIP/2.0 {self._status}\r\n{lines}{self._extra}Content-Length: 0\r\n\r\n".encode()


@asynccontextmanager
async def rude_server(status: str | None, extra: str = "") -> AsyncGenerator[RudeServer, None]:
    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as socket:
        await socket.bind(("127.0.0.1", 0))
        server = RudeServer(socket, status, extra)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.run)
            yield server
            nursery.cancel_scope.cancel()
