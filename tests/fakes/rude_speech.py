"""Speech servers over real TCP that do as they are told: rude, broken, slow, endless. One thing each, to whoever asks.

Of a Wyoming server, what is asked is a line of JSON; of one with OpenAI's protocol, a request of HTTP. Neither is read
further than that.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import numpy as np
import trio

Stream = trio.SocketStream
Script = Callable[[Stream], Awaitable[None]]

RATE_HZ = 16_000
LOUD_MS = np.full(16, 3000, "<i2").tobytes()
"""A millisecond of what a server says: no box's voice says that."""


def event(kind: str, payload: bytes = b"", **data: object) -> bytes:
    body = json.dumps(data).encode() if data else b""
    head = {"type": kind, "data_length": len(body), "payload_length": len(payload)}
    return json.dumps(head).encode() + b"\n" + body + payload


def sound(pcm: bytes, rate: int = RATE_HZ, width: int = 2, channels: int = 1) -> bytes:
    return event("audio-chunk", pcm, rate=rate, width=width, channels=channels)


INFO = event("info", asr=[{"name": "x"}], tts=[{"name": "x"}])
HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 20\r\n\r\n<html>Hello.</html>\n"


def http(body: bytes, kind: str = "application/json", status: str = "200 OK", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def endless_http(kind: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: 999999999\r\n\r\n".encode()


def sends(*pieces: bytes, pause_s: float = 0.0, then: str = "waits") -> Script:
    """`then`: it "waits" for ever, "goes", or says the last piece "again" and again."""

    async def script(stream: Stream) -> None:
        for piece in pieces:
            await stream.send_all(piece)
            await trio.sleep(pause_s)
        while then == "again":
            await stream.send_all(pieces[-1])
            await trio.sleep(pause_s)
        if then == "waits":
            await trio.sleep_forever()

    return script


@asynccontextmanager
async def rude(script: Script) -> AsyncGenerator[str, None]:
    """Host and port of a server that does this once it has been asked something."""

    async def talk(stream: Stream) -> None:
        async with trio.open_nursery() as both:
            both.start_soon(_swallow, stream, asked := trio.Event())
            await asked.wait()
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await script(stream)
            both.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, talk, 0, host="127.0.0.1"))
        yield f"127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _swallow(stream: Stream, asked: trio.Event) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        while await stream.receive_some():
            asked.set()
    asked.set()
