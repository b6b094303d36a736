"""A real mail server (aiosmtpd, on an asyncio loop in a thread of its own) that takes, refuses or breaks off as it is
told; and one that is none."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from provisioning.identity import identity
from tests.patience import PATIENCE_S

TAKEN = "250 OK"
USER, PASSWORD = "reception", "canary mail 5e1d"


@dataclass
class Post:
    """What it got. `of_recipient` and `of_message` choose what it answers; None: it breaks off."""

    port: int = 0
    of_recipient: Callable[[str], str | None] = lambda _: TAKEN
    of_message: Callable[[EmailMessage], str | None] = lambda _: TAKEN
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    log_ins: list[bool] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.of_recipient(address)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer or _broken_off(server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        answer = self.of_message(message)
        if answer == TAKEN:
            self.encrypted.append(_below(server).get_extra_info("sslcontext") is not None)
            self.recipients += envelope.rcpt_tos
            self.got.append(message)
        return answer or _broken_off(server)

    def authenticate(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        mechanism: str,
        given: Any,  # noqa: ANN401
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        good = given == LoginPassword(USER.encode(), PASSWORD.encode())
        self.log_ins.append(good)
        return AuthResult(success=good, handled=good)

    async def has(self, count: int) -> None:
        with trio.fail_after(PATIENCE_S):
            while len(self.got) < count:  # noqa: ASYNC110 - a list tells nobody
                await trio.sleep(0.01)


def _broken_off(server: SMTP) -> str:
    """As a server that is killed."""
    _below(server).abort()
    return TAKEN


def _below(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


@asynccontextmanager
async def mail_server(
    *,
    port: int = 0,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    wants_log_in: bool = False,
) -> AsyncGenerator[Post, None]:
    """On 127.0.0.1. It offers a log-in where the connection is encrypted."""
    post = Post()
    how: dict[str, Any] = {"tls_context": starttls, "authenticator": post.authenticate, "auth_required": wants_log_in}
    how |= {"auth_require_tls": tls is None, "hostname": "mail.test", "loop": None}

    def serve(ready: Callable[[asyncio.AbstractEventLoop, asyncio.Event], None]) -> None:
        asyncio.run(_serve(post, how, port, tls, ready))

    async with trio.open_nursery() as nursery:
        running = trio.Event()
        ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        def ready(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
            ends.append((loop, end))
            trio.from_thread.run_sync(running.set)

        nursery.start_soon(trio.to_thread.run_sync, serve, ready)
        await running.wait()
        try:
            yield post
        finally:
            [(loop, end)] = ends
            loop.call_soon_threadsafe(end.set)


async def _serve(
    post: Post,
    how: dict[str, Any],
    port: int,
    tls: ssl.SSLContext | None,
    ready: Callable[[asyncio.AbstractEventLoop, asyncio.Event], None],
) -> None:
    loop, end, transports = asyncio.get_running_loop(), asyncio.Event(), list[asyncio.BaseTransport]()

    class Connection(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transports.append(transport)
            super().connection_made(transport)

    def connection() -> SMTP:
        return Connection(post, **how | {"loop": loop})

    server = await loop.create_server(connection, "127.0.0.1", port, ssl=tls)
    post.port = server.sockets[0].getsockname()[1]
    ready(loop, end)
    await end.wait()
    server.close()
    for each in transports:
        each.abort() if isinstance(each, asyncio.Transport) else each.close()
    await server.wait_closed()


@asynccontextmanager
async def talker(*says: bytes, every_s: float = 0.0, then_closes: bool = False) -> AsyncGenerator[int, None]:
    """Whoever answers at a port is none: it says this, one after the other, and nothing more. Its port."""

    async def serve(stream: trio.SocketStream) -> None:
        try:
            for each in says:
                await stream.send_all(each)
                await trio.sleep(every_s)
            if not then_closes:
                await trio.sleep_forever()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
        finally:
            await trio.aclose_forcefully(stream)

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@dataclass(frozen=True)
class Certificates:
    """Of a mail server that calls itself localhost, and of whoever trusts it."""

    served: ssl.SSLContext
    trusted: ssl.SSLContext


def certificates(folder: Path) -> Certificates:
    folder.mkdir()
    made = identity(folder, ["localhost"], ["127.0.0.1"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(made.certificate, made.key)
    return Certificates(served, ssl.create_default_context(cafile=str(made.certificate)))
