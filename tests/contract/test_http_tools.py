"""HTTP tools, asked over real HTTP: programs that are slow, rude, broken, killed, elsewhere; and what is never sent."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from pydantic import SecretStr

from app.http_tools import HttpTool, HttpTools, ToolAnswer, ToolField
from firmware.http_tools import OpenedTool, open_http_tools
from firmware.http_tools.troubles import LARGEST_ANSWER
from provisioning.identity import identity
from tests.fakes.http_tools import FakeTools
from tests.fakes.webhook_receiver import CUT, DRIPS, ENDLESS, FAILED, GARBAGE, HALF, Receiver, moved, receiver
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

KEY = "Bearer key-that-nobody-may-see"
FIELDS = (ToolField(name="order"), ToolField(name="lamps", type="number", required=False))


def declared(url: str, method: str = "GET") -> HttpTool:
    return HttpTool.model_validate(
        {
            "name": "Order status",
            "when": "Where is my order?",
            "url": url,
            "method": method,
            "plain_http": True,
            "fields": FIELDS,
            "headers": ("Authorization",),
        }
    )


def sends(body: bytes, kind: str = "application/json", status: str = "200 OK", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def asked(
    tool: HttpTool, order: str = "A 1", within_s: float = 5.0, trust: ssl.SSLContext | None = None
) -> ToolAnswer:
    opened = OpenedTool(tool, {"Authorization": SecretStr(KEY)})
    async with open_http_tools([opened], trust) as tools:
        return await tools.start(tool, {"order": order, "lamps": 2}, within_s).answer()


# -- what every implementation does ------------------------------------------------------------------------------


@asynccontextmanager
async def made(kind: str) -> AsyncGenerator[tuple[HttpTools, HttpTool, Receiver], None]:
    async with receiver() as there:
        tool = declared(there.url)
        if kind == "fake":
            yield FakeTools([tool], [(0.05, ToolAnswer(0.05, 200, "{}"))]), tool, there
            return
        there.answers(sends(b"{}"))
        async with open_http_tools([OpenedTool(tool, {"Authorization": SecretStr(KEY)})]) as tools:
            yield tools, tool, there


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_an_answer_comes_and_can_be_waited_for_again(kind: str) -> None:
    async with made(kind) as (tools, tool, _):
        run = tools.start(tool, {"order": "5"}, 5.0)
        with trio.move_on_after(0) as impatient:
            await run.answer()
        assert impatient.cancelled_caught
        answer = await run.answer()
        assert (answer.status, answer.text, answer.why) == (200, "{}", "")
        assert await run.answer() is answer
        run.stop()
        assert list(tools.tools) == [tool]


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_who_is_too_slow_is_told_in_time(kind: str) -> None:
    async with made(kind) as (tools, tool, there):
        there.answers(None)
        began_s = trio.current_time()
        answer = await tools.start(tool, {"order": "5"}, 0.02).answer()
        assert trio.current_time() - began_s < 2
    assert (answer.status, answer.why) == (0, "it did not answer in time")
    assert answer.sent


# -- programs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        (FAILED, 500, "an error of its own"),
        (GARBAGE, 0, "no whole answer"),
        (CUT, 0, "no whole answer"),
        (HALF, 0, "no whole answer"),
        (ENDLESS, 0, "no whole answer"),
        (sends(b"x" * (LARGEST_ANSWER + 1), "text/plain"), 200, "too large"),
        (sends(b"<!DOCTYPE html><p>Hello"), 200, "a web page"),
        (sends(b"<p>Hello", "text/html"), 200, "a web page"),
        (sends(b"Not Found", "text/html; charset=utf-8", "404 Not Found"), 404, "a web page"),
        (sends(b'{"state": '), 200, "cannot be read"),
        (sends(b"\xff\xfe\x00", "text/plain"), 200, "cannot be read"),
        (sends(b"GIF89a", "image/gif"), 200, "cannot be read"),
        (sends(b"\x1f\x8b", more="content-encoding: gzip\r\n"), 200, "cannot be read"),
        (sends(b"[" * 50_000), 200, "cannot be read"),
        (sends(b"{}", status="401 Unauthorized"), 401, "refuses the key"),
        (sends(b"{}", status="403 Forbidden"), 403, "refuses the key"),
        (sends(b"{}", status="429 Too Many Requests"), 429, "too much to do"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_no_answer(answer: bytes, status: int, why: str) -> None:
    async with receiver() as there:
        there.answers(answer)
        found = await asked(declared(there.url))
    assert why in found.why
    assert (found.status, found.text, found.sent) == (status, "", True)
    assert found.remedy
    assert KEY not in f"{found}"


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        (sends(b'{"state": "on its way"}', "application/json; charset=utf-8"), 200, '{"state": "on its way"}'),
        (sends(b'{"a": 1}', "application/problem+json", "404 Not Found"), 404, '{"a": 1}'),
        (sends(b"", "text/html", "404 Not Found"), 404, ""),
        (sends("für Zoë".encode(), "text/plain"), 200, "für Zoë"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nYes", 200, "Yes"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\n\r\na;b", 200, "a;b"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_an_answer(answer: bytes, status: int, text: str) -> None:
    async with receiver() as there:
        there.answers(answer)
        found = await asked(declared(there.url))
    assert (found.status, found.text, found.why) == (status, text, "")
    assert text not in repr(found) or not text


async def test_one_that_sends_a_byte_now_and_then_is_given_up() -> None:
    async with receiver() as there:
        there.answers(DRIPS)
        began_s = trio.current_time()
        found = await asked(declared(there.url), within_s=0.4)
        assert trio.current_time() - began_s < 3
    assert found.why == "it did not answer in time"


async def test_nobody_there_and_no_such_name() -> None:
    async with receiver() as gone:
        pass
    nobody = await asked(declared(gone.url))
    assert (nobody.why, nobody.sent) == ("nothing answers at its address", False)
    names = ("shop.invalid", "shop..lan", "xn--a.invalid")
    for url in (f"{scheme}://{name}/orders" for scheme in ("http", "https") for name in names):
        found = await asked(declared(url))
        assert (found.why, found.sent) == ("its host name cannot be found", False), url


async def test_killed_in_the_middle() -> None:
    async with receiver() as there, trio.open_nursery() as nursery:
        there.answers(None)

        async def kill() -> None:
            await there.is_told(1)
            there.dies()

        nursery.start_soon(kill)
        found = await asked(declared(there.url))
    assert "no whole answer" in found.why
    assert found.sent


# -- what is sent, and to whom -----------------------------------------------------------------------------------


async def test_values_and_headers_arrive() -> None:
    async with receiver() as there:
        there.answers(sends(b"{}"))
        await asked(declared(there.url + "/{order}?from=box"))
        await asked(declared(there.url, "POST"))
    got, posted = there.told
    assert (got.method, got.path, got.body) == ("GET", "/calls/A%201?from=box&lamps=2", b"")
    assert (posted.method, posted.path, posted.body) == ("POST", "/calls", b'{"order":"A 1","lamps":2}')
    for each in (got, posted):
        assert each.headers["authorization"] == KEY
        assert each.headers["host"] == there.url.split("/")[2]
        assert each.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_is_not_followed(method: str) -> None:
    async with receiver() as elsewhere, receiver() as there:
        there.answers(moved(elsewhere.url))
        found = await asked(declared(there.url, method))
    assert elsewhere.told == []
    assert found.why == "it says that it has moved (302)"


async def test_a_cookie_of_one_caller_is_not_sent_for_the_next() -> None:
    async with receiver() as there:
        there.answers(sends(b"{}", more="set-cookie: session=anna; Path=/\r\n"))
        tool = declared(there.url)
        async with open_http_tools([OpenedTool(tool, {"Authorization": SecretStr(KEY)})]) as tools:
            for _ in range(2):
                await tools.start(tool, {"order": "5"}, 5.0).answer()
    assert [each.headers.get("cookie") for each in there.told] == [None, None]


async def test_plain_http_to_a_name_of_the_internet_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        await trio.lowlevel.checkpoint()
        return [(None, None, None, "", ("93.184.216.34", 80))]

    monkeypatch.setattr("firmware.private_network.trio.socket.getaddrinfo", looked_up)
    found = await asked(declared("http://shop.example.com/orders"))
    assert (found.why, found.sent) == ("its address is not in your own network", False)


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    made_here = identity(tmp_path, ["localhost"], ["127.0.0.1"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(made_here.certificate, made_here.key)
    async with receiver(tls=served) as there:
        there.answers(sends(b"{}"))
        stranger = await asked(declared(there.url))
        assert (stranger.why, stranger.sent, there.told) == ("its certificate is not trusted", False, [])
        known = await asked(declared(there.url), trust=ssl.create_default_context(cafile=str(made_here.certificate)))
    assert known.text == "{}"


async def test_a_look_up_that_nobody_waits_for_is_left() -> None:
    async with receiver() as there:
        there.answers(None)
        tool = declared(there.url)
        async with open_http_tools([OpenedTool(tool, {"Authorization": SecretStr(KEY)})]) as tools:
            run = tools.start(tool, {"order": "5"}, 60.0)
            await there.is_told(1)
            run.stop()
            with trio.fail_after(PATIENCE_S):
                await there.left.wait()


async def test_nothing_secret_is_in_a_repr() -> None:
    tool = declared("http://127.0.0.1:9/a")
    opened = OpenedTool(tool, {"Authorization": SecretStr(KEY)})
    async with open_http_tools([opened]) as tools:
        assert KEY not in f"{opened} {tools} {vars(tools)}"
