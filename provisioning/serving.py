"""HTTP on listening sockets that another process opened, with an end that no request notices.

Hypercorn speaks the protocol. Its own accept loop closes, at its end, connections whose first request is still on its
way; this one first stops accepting (the next worker has the same sockets), then lets what it accepted arrive.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from starlette.types import ASGIApp

from provisioning.life import Life

# A browser opens six at most; each costs some 50 KB with TLS.
# Whoever opens all of these keeps people from the page for a while, and takes no memory from the telephone.
_MOST_CONNECTIONS = 400
# From a connection being accepted to its first request being read: TLS takes two rounds on the office network.
_ARRIVING_S = 0.5
# TLS with a slow telephone takes a second. A box made of software that is starting needs 7 s for its own part of it, a
# starved one more than 10: somebody who had just read the set-up code was cut off. Whoever takes longer holds a
# connection for nothing.
_HANDSHAKE_S = 60.0

Connection = trio.SSLStream[trio.SocketStream] | trio.SocketStream
Listener = trio.SSLListener[trio.SocketStream] | trio.SocketListener

_log = logging.getLogger(__name__)


def hypercorn_config(certificate: str, key: str) -> Config:
    config = Config()
    config.certfile, config.keyfile = certificate, key
    config.loglevel, config.errorlog = "ERROR", None
    config.include_server_header = False
    config.ssl_handshake_timeout = _HANDSHAKE_S
    # Hypercorn 0.18 dies of a KeyError when a browser resets an HTTP/2 stream that is being sent (an EventSource).
    config.alpn_protocols = ["http/1.1"]
    return config


def listeners(config: Config, https: list[socket.socket], http: list[socket.socket]) -> list[Listener]:
    tls = config.create_ssl_context()
    if tls is None:
        raise ValueError("the page is served over TLS only: certificate and key are missing")
    plain = [trio.SocketListener(trio.socket.from_stdlib_socket(each)) for each in (*https, *http)]
    secured = [trio.SSLListener(each, tls, https_compatible=True) for each in plain[: len(https)]]
    return [*secured, *plain[len(https) :]]


async def serve(
    application: ASGIApp,
    config: Config,
    listening: list[Listener],
    life: Life,
    leave: Callable[[], Awaitable[float]],
) -> None:
    """Until `leave` returns with the seconds that requests under way may take."""
    context = WorkerContext(None)
    answer = _Connections(application, config, context)
    async with trio.open_nursery() as connections:
        async with trio.open_nursery() as accepting:
            accepting.start_soon(partial(trio.serve_listeners, answer, listening, handler_nursery=connections))
            grace_s = await leave()
            accepting.cancel_scope.cancel()
        connections.cancel_scope.deadline = trio.current_time() + grace_s
        life.leaving.set()
        await trio.sleep(min(_ARRIVING_S, grace_s))
        await context.terminated.set()


class _Connection(TCPServer):
    """Gone when its visitor is. Hypercorn 0.18 keeps it until its time for being idle is over, 5 s: a program that asks
    a hundred times a second, each time anew, took all connections there are."""

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()


class _Connections:
    def __init__(self, application: ASGIApp, config: Config, context: WorkerContext) -> None:
        wrapped = ASGIWrapper(application)  # type: ignore[arg-type]  # Starlette's ASGI types are looser
        self._serve = partial(_Connection, wrapped, config, context, ConnectionState({}))
        self._open = 0

    async def __call__(self, connection: Connection) -> None:
        if self._open >= _MOST_CONNECTIONS:
            await trio.aclose_forcefully(connection)
            return
        self._open += 1
        try:
            await self._serve(connection)  # type: ignore[arg-type]  # it takes both, and says only one
        except* Exception as fault:  # noqa: BLE001 - the wall between connections: a bug on one ends no other
            # Not its text, which may quote a form.
            _log.error("a connection failed", extra={"problem": type(fault.exceptions[0]).__name__})
        finally:
            self._open -= 1
