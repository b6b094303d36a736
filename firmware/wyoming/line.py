"""A connection to a Wyoming server: plain TCP, so only into the own network; or a socket of the box's own."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import trio

from firmware.private_network import NoSuchName, NotPrivate, private_addresses
from firmware.speech_servers.troubles import Trouble, failed
from firmware.wyoming.events import Event, Reader

# In the building, it takes a millisecond.
_CONNECT_S = 1.0
# Of a name: one of each kind, IPv6 and IPv4.
_ADDRESSES_TRIED = 2
_READ_BYTES = 16 * 1024


class Line:
    """Made by `connected`. `most_bytes`: whoever sends more does not end."""

    def __init__(self, stream: trio.SocketStream, most_bytes: int) -> None:
        self._stream, self._left_bytes = stream, most_bytes
        self._reader = Reader()
        self._read: deque[Event] = deque()

    async def send(self, kind: str, data: Mapping[str, object], payload: bytes = b"") -> None:
        """Raises: SpeechFailed."""
        try:
            await self._stream.send_all(Event(kind, data, payload).as_bytes())
        except trio.BrokenResourceError:
            raise failed(Trouble.CUT) from None

    async def receive(self) -> Event:
        """The next event. Raises: SpeechFailed, also for an error of the server's."""
        while not self._read:
            self._read.extend(self._reader.feed(await self._some()))
        event = self._read.popleft()
        if event.type == "error":
            detail = event.data.get("text")
            raise failed(Trouble.ITS_FAULT, detail=" ".join(detail.split()) if isinstance(detail, str) else "")
        return event

    async def _some(self) -> bytes:
        try:
            data = await self._stream.receive_some(_READ_BYTES)
        except trio.BrokenResourceError:
            raise failed(Trouble.CUT) from None
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise failed(Trouble.TOO_LONG)
        if not data:
            raise failed(Trouble.CUT)
        return bytes(data)


@asynccontextmanager
async def connected(address: str, most_bytes: int) -> AsyncGenerator[Line, None]:
    """`address`: host and port, or the path of a unix socket, which no owner can enter. Raises: SpeechFailed."""
    async with await _stream(address) as stream:
        yield Line(stream, most_bytes)


async def _stream(address: str) -> trio.SocketStream:
    if address.startswith("/"):
        return await _beside(address)
    host, _, port = address.rpartition(":")
    try:
        found = await private_addresses(host.strip("[]"), int(port))
    except NoSuchName:
        raise failed(Trouble.NO_NAME) from None
    except NotPrivate:
        raise failed(Trouble.IN_CLEAR) from None
    for each in found[:_ADDRESSES_TRIED]:
        with trio.move_on_after(_CONNECT_S):
            try:
                return await trio.open_tcp_stream(each, int(port))
            except OSError:
                pass  # the name has another one, or nobody answers
    raise failed(Trouble.NOBODY)


async def _beside(path: str) -> trio.SocketStream:
    try:
        return await trio.open_unix_socket(path)
    except OSError:
        raise failed(Trouble.NOBODY) from None
