"""HTTP on the control socket. Hypercorn speaks the protocol; the walls between connections are ours.

Hypercorn 0.18 lets what goes wrong on one connection end the server, and that would be the telephone: for example it
closes a connection while an answer is being sent on it (`trio.BusyResourceError`), when whoever asked is killed.
"""

from __future__ import annotations

import logging
import socket
from functools import partial
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from starlette.types import ASGIApp

from firmware.lifetimes import first_of

_log = logging.getLogger(__name__)


async def serve(application: ASGIApp, listening: socket.socket, *, task_status: trio.TaskStatus[Any]) -> None:
    """Until it is cancelled; what is being answered then is cut off. `started` is called when connections are taken."""
    connections = _Connections(application)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
    async with trio.open_nursery() as nursery:
        try:
            await trio.serve_listeners(connections.answer, [listener], handler_nursery=nursery, task_status=task_status)
        finally:
            connections.close()


class _Connections:
    def __init__(self, application: ASGIApp) -> None:
        config = Config()
        config.loglevel, config.errorlog = "ERROR", None
        wrapped = ASGIWrapper(application)  # type: ignore[arg-type]  # Starlette's ASGI types are looser
        self._serve = partial(TCPServer, wrapped, config, WorkerContext(None), ConnectionState({}))
        self._open: set[trio.SocketStream] = set()

    async def answer(self, connection: trio.SocketStream) -> None:
        self._open.add(connection)
        try:
            await self._serve(connection)  # type: ignore[arg-type]  # it takes both, and says only TLS
        except* Exception as fault:  # noqa: BLE001 - the wall between connections: a bug on one ends no other
            # Not its text, which may quote a question.
            _log.warning("a connection to the control socket failed", extra={"problem": type(first_of(fault)).__name__})
        finally:
            self._open.discard(connection)

    def close(self) -> None:
        """At once. Hypercorn sends behind a shield without a deadline: who does not read would keep the box running."""
        for connection in self._open:
            connection.socket.close()
