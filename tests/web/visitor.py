"""Somebody in front of the page with a very small browser: HTTPS with the box's own certificate, and forms as a page
offers them. No script and no looks; the tests that need those use Chromium."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx

from firmware.http_asking import BODY_IN_ONE
from tests.patience import PATIENCE_S
from tests.web.forms import Form, form_to

LONGEST_QUERY = 60_000
"""httpx sends no longer ones; the page takes less."""


class Visitor:
    """`client` for what is not a form."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def first_boot(self, code: str, password: str) -> None:
        form = await self.form("/first-boot")
        answer = await self.send(form.filled(code=code, password=password, again=password))
        assert answer.headers.get("location") == "/set-up", answer.text

    async def sign_in(self, password: str) -> None:
        answer = await self.send((await self.form("/sign-in")).filled(password=password))
        assert answer.headers.get("location") == "/", answer.text

    async def read(self, path: str, password: str) -> str | None:
        """A page, signed in again where the page has forgotten us; None where it, or the telephone behind it, is
        away."""
        try:
            answer = await self.client.get(path)
            if answer.headers.get("location") == "/sign-in":
                await self.sign_in(password)
                answer = await self.client.get(path)
        except httpx.TransportError:
            return None
        return answer.text if answer.is_success else None

    async def form(self, path: str, action: str = "") -> Form:
        """Of a page that is there; see `form_to`."""
        answer = await self.client.get(path)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.status_code} {answer.headers.get('location')}"
        return form_to(answer.text, path, action)

    async def send(self, form: Form, button: str = "", chosen: bytes = b"") -> httpx.Response:
        """As somebody does who presses `button`, with a file of these bytes `chosen` wherever one can be. Redirects are
        the caller's to follow."""
        fields = [*form.fields, *(pair for pair in form.buttons if pair[0] == button)]
        if form.method == "get":
            query = urlencode(fields, errors="surrogatepass")[:LONGEST_QUERY]
            return await self.client.get(f"{form.action}?{query}")
        if form.files is None:
            content, kind = urlencode(fields, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
        else:
            content, kind = _multipart(fields, form.files, chosen), f"multipart/form-data; boundary={_BOUNDARY}"
        return await self.client.post(form.action, content=content, headers={"content-type": kind})


_BOUNDARY = "a-line-that-nobody-types"


def _multipart(fields: list[tuple[str, str]], files: tuple[str, ...], chosen: bytes) -> bytes:
    """By hand: httpx would escape what must arrive as it is."""
    parts = [(f'name="{name}"', value.encode(errors="surrogatepass")) for name, value in fields]
    parts += [(f'name="{name}"; filename="chosen"', chosen) for name in files]
    head = "--{}\r\nContent-Disposition: form-data; {}\r\n\r\n"
    return b"".join(head.format(_BOUNDARY, name).encode() + value + b"\r\n" for name, value in parts) + (
        f"--{_BOUNDARY}--\r\n".encode()
    )


class AsBrowsersDo(httpx.AsyncHTTPTransport):
    """A kept connection that was closed while we sent on it: once more, on another one. The page closes idle ones
    whenever its next process takes over. What was cut off on a connection of its own is not asked again."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        while True:
            steps: list[str] = []

            async def note(step: str, _: object, steps: list[str] = steps) -> None:
                steps.append(step)

            request.extensions = {**request.extensions, "trace": note}
            try:
                return await super().handle_async_request(request)
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                if _CONNECTS in steps:
                    raise


_CONNECTS = "connection.connect_tcp.started"
"""httpcore's name for it."""


@asynccontextmanager
async def visitor(address: str, certificate: Path, *, tries_again: bool = True) -> AsyncGenerator[Visitor, None]:
    """`certificate`: the box's own, which is all that is trusted. Without `tries_again`, whoever asks is told when a
    request was cut off."""
    tls = ssl.create_default_context(cafile=str(certificate))
    kind = AsBrowsersDo if tries_again else httpx.AsyncHTTPTransport
    transport = kind(verify=tls, trust_env=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=address, timeout=PATIENCE_S, event_hooks=BODY_IN_ONE
    ) as client:
        yield Visitor(client)
