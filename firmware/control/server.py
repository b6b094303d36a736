"""The control socket: HTTP/JSON on a unix socket, one POST for each verb, and the events as a stream of JSON lines.

Whoever may open the socket may ask; its folder and mode say who that is. What comes in is validated here again, whoever
validated it before.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any, BinaryIO

import trio
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.control.refusals import STATUS, Refusal, Why
from app.control.verbs import VERBS, Event, Verb
from app.settings import Settings
from firmware.control.events import MOST_LISTENERS, Events
from firmware.control.serving import serve
from firmware.storage import StorageFault

Answer = Callable[[Any], Awaitable[Settings | Refusal]]

# A listener that went away is noticed when the next line cannot be written; this is how long that takes at most.
_HEARTBEAT_S = 15.0
# Connections that wait to be accepted: more than the page and all listeners have together.
_BACKLOG = 100
_MODE = 0o660
LARGEST_BODY = 4 * 1024 * 1024
"""A backup of 2 MB in base64 is the largest question, with 2.7 MB. Nothing larger is kept: memory belongs to calls."""

_TOO_LARGE = Refusal(
    why=Why.TOO_LARGE, text=f"Nothing was done: the box takes at most {LARGEST_BODY // 2**20} MB at once."
)
_NO_RECORDING = Refusal(why=Why.NOT_FOUND, text="This session has no recording.")
_TOO_MANY_LISTEN = Refusal(
    why=Why.NOT_NOW,
    text=f"Nothing is told live: {MOST_LISTENERS} pages and programs listen already. Close one, then try again.",
)
_OUR_FAULT = Refusal(
    why=Why.BOX_FAULT,
    text="The box met an error of its own and did not do it. Look into the log, and report it if it happens again.",
)

_log = logging.getLogger(__name__)


async def run_control(
    path: Path,
    answers: Mapping[str, Answer],
    events: Events,
    recording: Callable[[str], Awaitable[Path | None]],
    *,
    task_status: trio.TaskStatus[Any],
) -> None:
    """The service, for `firmware.lifetimes.serving`. Raises: OSError if the socket cannot be made."""
    # One that is there was left by a process that was killed: the data folder's lock says that it is gone.
    _remove(path)
    try:
        await serve(_application(answers, events, recording), _listening(path), task_status=task_status)
    finally:
        _remove(path)


def _listening(path: Path) -> socket.socket:
    """For its owner and group, and at no moment for more: the mode is set before there is a path, whatever the umask
    of this process is, which other threads make their files with. Raises: OSError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(made.fileno(), _MODE)
        made.bind(str(path))
        path.chmod(_MODE)  # what the umask took away
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _application(
    answers: Mapping[str, Answer], events: Events, recording: Callable[[str], Awaitable[Path | None]]
) -> Starlette:
    async def ask(request: Request) -> Response:
        name = request.path_params["verb"]
        if name not in answers:
            return _answer(Refusal(why=Why.NOT_FOUND, text="The box knows no such verb."))
        body = await _body(request)
        return _answer(_TOO_LARGE if body is None else await _asked(VERBS[name], answers[name], body))

    async def listen(_: Request) -> Response:
        if events.is_crowded:
            return _answer(_TOO_MANY_LISTEN)
        listening = ExitStack()
        return _Told(listening.enter_context(events.listening()), listening)

    async def play(request: Request) -> Response:
        path = await recording(request.path_params["session"])
        try:
            return _answer(_NO_RECORDING) if path is None else _Played(await trio.to_thread.run_sync(path.open, "rb"))
        except FileNotFoundError:  # deleted meanwhile
            return _answer(_NO_RECORDING)

    return Starlette(
        routes=[
            Route("/verbs/{verb}", ask, methods=["POST"]),
            Route("/events", listen),
            Route("/recordings/{session}", play),
        ]
    )


async def _body(request: Request) -> bytes | None:
    """None if it is too large: then it is read to its end, so that the refusal is heard, and not kept.

    Raises: ClientDisconnect.
    """
    body, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= LARGEST_BODY:
            body += part
    return bytes(body) if size <= LARGEST_BODY else None


async def _asked(verb: Verb, answer: Answer, body: bytes) -> Settings | Refusal:
    try:
        question = verb.asks.model_validate_json(body or b"{}")
    except ValidationError as error:
        return invalid(error)
    try:
        return await answer(question)
    except StorageFault as fault:
        return Refusal(why=Why.NO_SPACE if fault.full else Why.BOX_FAULT, text=str(fault))
    except Exception:  # noqa: BLE001 - the wall: one question's bug is not the telephone's end
        _log.exception("a question on the control socket failed")
        return _OUR_FAULT


def invalid(error: ValidationError) -> Refusal:
    """Field by field, in plain words. Never what was typed: it may be a secret in the wrong field."""
    fields = {
        ".".join(str(part) for part in fault["loc"]): fault["msg"].removeprefix("Value error, ")
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    }
    return Refusal(
        why=Why.INVALID, text="Not saved: something that was typed cannot be used. See below.", fields=fields
    )


def _answer(answer: Settings | Refusal) -> Response:
    status = STATUS[answer.why] if isinstance(answer, Refusal) else 200
    return Response(answer.model_dump_json(), status, media_type="application/json")


class _Played(FileResponse):
    """To its end, whoever deletes it meanwhile: by the file that is open, not by its name."""

    def __init__(self, recording: BinaryIO) -> None:
        self._recording = recording
        super().__init__(f"/proc/self/fd/{recording.fileno()}", media_type="audio/flac")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._recording:
            await super().__call__(scope, receive, send)


class _Told(StreamingResponse):
    """Events, one a line, as long as somebody listens. `listening` is closed with it, whoever goes first."""

    def __init__(self, told: trio.MemoryReceiveChannel[Event], listening: ExitStack) -> None:
        self._lines, self._listening = _lines(told), listening
        super().__init__(self._lines, media_type="application/x-ndjson")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._listening:
            async with aclosing(self._lines):
                await super().__call__(scope, receive, send)


async def _lines(told: trio.MemoryReceiveChannel[Event]) -> AsyncGenerator[str, None]:
    """And an empty line now and then. No scope and no nursery is open at a yield: whoever sends the lines may be
    cancelled there."""
    while True:
        line = ""
        with trio.move_on_after(_HEARTBEAT_S):
            line = (await told.receive()).model_dump_json()
        yield f"{line}\n"
