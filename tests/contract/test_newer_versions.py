"""Whether there is a newer version: a list over real HTTP, from servers good and bad."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from firmware.newer_versions import News
from firmware.update.bundle import Box
from provisioning.identity import identity
from tests.fakes.webhook_receiver import ENDLESS, FAILED, GARBAGE, HALF, Receiver, moved, receiver

pytestmark = pytest.mark.contract

BOX = Box("0.1.0", "amd64")
LISTED = {
    "amd64": {"version": "0.2.0", "file": "deskbell-amd64-0.2.0.raucb"},
    "arm64": {"version": "9.0.0", "file": "x"},
}


def found(listed: object) -> bytes:
    body = json.dumps(listed).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@asynccontextmanager
async def news(url: str = "") -> AsyncGenerator[tuple[News, Receiver], None]:
    """`url`: another address than the server's own."""
    async with receiver() as there:

        async def address() -> str:
            return url or there.url

        yield News(address, lambda: BOX, lambda: None), there


async def test_a_newer_version_is_told_with_its_address() -> None:
    async with news() as (asked, there):
        there.answers(found(LISTED))
        assert await asked.look()
        heard = asked.heard
        assert heard.newer
        assert heard.newer.version == "0.2.0"
        assert heard.newer.address == there.url.rpartition("/")[0] + "/deskbell-amd64-0.2.0.raucb"
        assert (heard.problem, heard.at is not None) == ("", True)
        assert [(each.method, sorted(each.headers)) for each in there.told] == [
            ("GET", ["accept", "accept-encoding", "connection", "host", "user-agent"])
        ], "nothing of the box is told"


@pytest.mark.parametrize("listed", [{}, {"amd64": {"version": "0.1.0", "file": "x.raucb"}}, {"arm64": LISTED["arm64"]}])
async def test_nothing_newer_is_told_as_such(listed: object) -> None:
    async with news() as (asked, there):
        there.answers(found(listed))
        await asked.look()
        assert (asked.heard.newer, asked.heard.problem, asked.heard.at is not None) == (None, "", True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (FAILED, "it answered 500"),
        (GARBAGE, "not HTTP"),
        (HALF, "not HTTP"),
        (ENDLESS + b"x" * 70_000, "too long"),
        (moved("http://127.0.0.1/"), "redirects are not followed"),
        (found("<html>"), "no list of versions"),
        (found({"amd64": []}), "no list of versions"),
        (found({"amd64": {"version": "newest", "file": "x"}}), "three numbers"),
        (found({"amd64": {"version": "0.2.0", "file": "javascript:alert(1)"}}), "no address of a file"),
        (found({"amd64": {"version": "0.2.0", "file": "half a smile \ud83d"}}), "no address of a file"),
    ],
)
async def test_what_is_no_list_is_told(answer: bytes, words: str) -> None:
    async with news() as (asked, there):
        there.answers(answer)
        await asked.look()
    assert asked.heard.newer is None
    assert words in asked.heard.problem


async def test_a_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.newer_versions.service.ALL_S", 0.3)
    async with news() as (asked, there):
        there.answers(None)
        await asked.look()
    assert "did not answer" in asked.heard.problem


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/list.json", "nothing answers"),
        ("http://nobody.invalid/list.json", "host name cannot be found"),
        ("http://xn--a.invalid/list.json", "host name cannot be found"),
        ("https://xn--a.invalid/list.json", "nothing answers"),
        ("http://8.8.8.8/list.json", "not in your own network"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told(url: str, words: str) -> None:
    async with news(url) as (asked, _):
        await asked.look()
    assert words in asked.heard.problem


async def test_a_certificate_of_its_own_is_not_trusted(tmp_path: Path) -> None:
    made = identity(tmp_path, ["localhost"], ["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.key)
    async with receiver(tls=context) as there:

        async def address() -> str:
            return there.url

        asked = News(address, lambda: BOX, lambda: None)
        await asked.look()
    assert "certificate is not trusted" in asked.heard.problem


async def test_without_an_address_nobody_is_asked() -> None:
    async with receiver() as there:

        async def address() -> str:
            return ""

        asked = News(address, lambda: BOX, lambda: None)
        assert not await asked.look()
        assert (asked.heard.at, there.told) == (None, [])
