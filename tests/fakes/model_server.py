"""A server that speaks OpenAI's streaming protocol, over real HTTP, and does as it is told: slow, broken, rude."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

STREAM, JSON, HTML = "text/event-stream", "application/json", "text/html"


@dataclass(frozen=True)
class Script:
    """What it does with one question. `pieces` come as events, `pause_s` before each, then `calls`, each as the
    `tool_calls` of an event of its own; `body` is sent as it is instead. `refuses_tools`: with this text, if there are
    any, and with status 400. `ends`: "done" as it should, "cut" in the middle of the connection, "open" never."""

    pieces: Sequence[str] = ("Hello.",)
    pause_s: float = 0.0
    ends: str = "done"
    status: int = 200
    kind: str = STREAM
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    calls: Sequence[Sequence[object]] = ()
    refuses_tools: str = ""


def call_of(name: str, arguments: str = "{}", *, index: int = 0) -> Sequence[Sequence[object]]:
    """A call of a tool as OpenAI streams it: its name, then its arguments in two pieces."""
    half = len(arguments) // 2
    begun = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    rest = [{"index": index, "function": {"arguments": each}} for each in (arguments[:half], arguments[half:])]
    return [[begun], *([each] for each in rest)]


@dataclass
class ModelServer:
    """`respond` chooses the script for a question's JSON. `questions`, `keys`: what came. `left`: a question that
    nobody waits for any more."""

    address: str
    respond: Callable[[dict[str, Any]], Script]
    questions: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    left: trio.Event = field(default_factory=trio.Event)

    def answers(self, *texts: str) -> None:
        """From now on these in their order, a word at a time; the last one again and again."""
        self.scripts(*(Script([f"{word} " for word in text.split()]) for text in texts))

    def scripts(self, *scripts: Script) -> None:
        first = len(self.questions)
        self.respond = lambda _: scripts[min(len(self.questions) - first, len(scripts)) - 1]

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"


@asynccontextmanager
async def model_server(*scripts: Script, key: str = "", bind: str = "127.0.0.1:0") -> AsyncGenerator[ModelServer, None]:
    """With `key`, whoever has another one is refused."""
    server = ModelServer("", lambda _: Script())
    if scripts:
        server.scripts(*scripts)
    config = Config()
    config.bind, config.graceful_timeout, config.errorlog = [bind], 0.1, None
    async with trio.open_nursery() as nursery:
        (server.address,) = await nursery.start(_serve, _application(server, key), config)
        yield server
        nursery.cancel_scope.cancel()


async def _serve(application: Starlette, config: Config, *, task_status: trio.TaskStatus[Any]) -> None:
    await serve(application, config, shutdown_trigger=trio.sleep_forever, task_status=task_status)  # type: ignore[arg-type]


def _application(server: ModelServer, key: str) -> Starlette:
    async def answer(request: Request) -> Response:
        server.keys.append(request.headers.get("authorization", "").removeprefix("Bearer "))
        server.hosts.append(request.headers["host"])
        if key and server.keys[-1] != key:
            return _answer(_error(401, f"Incorrect API key provided: {server.keys[-1]}"), server)
        server.questions.append(await request.json())
        script = server.respond(server.questions[-1])
        if script.refuses_tools and "tools" in server.questions[-1]:
            return _answer(_error(400, script.refuses_tools), server)
        return _answer(script, server)

    return Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])


def _error(status: int, message: str) -> Script:
    return Script(status=status, kind=JSON, body=json.dumps({"error": {"message": message}}).encode())


class Cut(Exception):
    """Closes the connection where it is."""


def _answer(script: Script, server: ModelServer) -> Response:
    headers = {"content-type": script.kind} | script.headers
    return StreamingResponse(_sent(script, server), script.status, headers)


async def _sent(script: Script, server: ModelServer) -> AsyncGenerator[bytes, None]:
    try:
        for data in [script.body] if script.body is not None else _events(script):
            await trio.sleep(script.pause_s)
            yield data
        if script.ends == "open":
            await trio.sleep_forever()
        if script.ends == "cut":
            raise Cut
        if script.body is None:
            last = json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            yield f"data: {last}\n\ndata: [DONE]\n\n".encode()
    except trio.Cancelled:
        server.left.set()
        raise


def _events(script: Script) -> list[bytes]:
    deltas: list[dict[str, object]] = [{"content": text} for text in script.pieces]
    deltas += [{"tool_calls": each} for each in script.calls]
    choices = ([{"delta": delta, "finish_reason": None}] for delta in deltas)
    return [f"data: {json.dumps({'choices': each})}\n\n".encode() for each in choices]
