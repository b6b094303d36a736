"""A UDP registrar and caller that follows a script instead of RFC 3261."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

GARBAGE = b"HTTP/1.1 418 I'm a teapot\r\n\r\n\xff\xfe not SIP at all"


class RudeServer:
    """Answers each request with `status` and `extra` header lines; with None: with something that is not SIP.

    answers: other status lines for some methods, with SDP. requests: what it got, oldest first.
    """

    def __init__(self, socket: trio.socket.SocketType, status: str | None, extra: str) -> None:
        self._socket, self._status, self._extra = socket, status, extra
        self._phone: tuple[str, int] | None = None
        self._answers_in, self._answers = trio.open_memory_channel[str](100)
        self._calls = 0
        self._name = b""
        self.requests: list[str] = []
        self.answers: dict[str, tuple[str, str]] = {}
        self.address = "{}:{}".format(*socket.getsockname())

    async def run(self) -> None:
        while True:
            packet, self._phone = await self._socket.recvfrom(65536)
            text = packet.decode(errors="surrogateescape")
            if text.startswith("SIP/2.0 "):
                await self._answers_in.send(text)
            elif text.strip():  # not a keep-alive
                self.requests.append(text)
                await self._socket.sendto(self._answer(text), self._phone)

    async def invite(self, sdp: str, name: bytes = b"") -> int:
        """Call whoever sent us something last, with this offer, as `name`. Returns the code of the final answer, and
        hangs up where that is a 200."""
        self._calls += 1
        self._name = name
        await self._send("INVITE", sdp)
        answer = "SIP/2.0 100"
        while answer.startswith("SIP/2.0 1"):
            answer = await self._answers.receive()
        tag = re.search(r"^To: .*;tag=([^;\r]+)", answer, re.MULTILINE)
        await self._send("ACK", to_tag=tag[1] if tag else "")
        code = int(answer.split()[1])
        if code == 200:
            await self._send("BYE", to_tag=tag[1] if tag else "")
            await self._answers.receive()
        return code

    async def _send(self, method: str, sdp: str = "", to_tag: str = "") -> None:
        number = 2 if method == "BYE" else 1
        to = f"<sip:200@{self.address}>" + (f";tag={to_tag}" if to_tag else "")
        head = (
            f"{method} sip:200@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bK{self._calls}{method}\r\n"
            f"From: {self._name.decode(errors='surrogateescape')}<sip:900@{self.address}>;tag=rude\r\nTo: {to}\r\n"
            f"Call-ID: {self._calls}@{self.address}\r\n"
            f"CSeq: {number} {method}\r\nContact: <sip:900@{self.address}>\r\nMax-Forwards: 70\r\n"
        )
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        assert self._phone, "nobody sent us anything yet"
        packet = f"{head}{kind}Content-Length: {len(sdp)}\r\n\r\n{sdp}".encode(errors="surrogateescape")
        await self._socket.sendto(packet, self._phone)

    def _answer(self, request: str) -> bytes:
        if self._status is None:
            return GARBAGE
        status, sdp = self.answers.get(request.partition(" ")[0], (self._status, ""))
        kept = "".join(re.findall(r"^(?:Via|From|Call-ID|CSeq): .*\r\n", request, re.MULTILINE))
        to = re.search(r"^To: .*(?=\r\n)", request, re.MULTILINE)
        tagged = f"{to[0]};tag=rude\r\n" if to else ""
        more = (
            f"Contact: <sip:900@{self.address}>\r\nContent-Type: application/sdp\r\n" if sdp else self._binding(request)
        )
        return f"SIP/2.0 {status}\r\n{kept}{tagged}{more}Content-Length: {len(sdp)}\r\n\r\n{sdp}".encode(
            errors="surrogateescape"
        )

    def _binding(self, request: str) -> str:
        """As a registrar repeats it."""
        return "".join(re.findall(r"^Contact: .*\r\n", request, re.MULTILINE)) + self._extra


@asynccontextmanager
async def rude_server(
    status: str | None, extra: str = "", *, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[RudeServer, None]:
    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as socket:
        await socket.bind((host, port))
        server = RudeServer(socket, status, extra)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.run)
            yield server
            nursery.cancel_scope.cancel()
