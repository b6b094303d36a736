"""Messages that hurt pjproject 2.17 before image/pjsua2/patches, and others of their kind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

from firmware.telephony import Cause
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, connection_to, next_call, served
from tests.wire.rude_server import RudeServer, rude_server

pytestmark = pytest.mark.wire

ACCEPTED = "200 OK"
GOOD_OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"


class Victim:
    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._heard = b""

    async def says(self, word: str) -> None:
        with trio.fail_after(PATIENCE_S):
            while word.encode() not in self._heard:
                assert self._process.stdout
                more = await self._process.stdout.receive_some()
                assert more, f"it died with {await self._process.wait()} after saying {self._heard.decode()!r}"
                self._heard += more

    async def leaves(self) -> int:
        assert self._process.stdin
        await self._process.stdin.aclose()
        with trio.fail_after(PATIENCE_S):
            return await self._process.wait()


@asynccontextmanager
async def victim_of(server: RudeServer, *options: str) -> AsyncGenerator[Victim, None]:
    """A telephone registered with `server`; must be alive and well at the end."""
    async with trio.open_nursery() as nursery:
        process = await nursery.start(_start, [server.address, *options])
        victim = Victim(process)
        await victim.says("REGISTERED")
        yield victim
        assert await victim.leaves() == 0


async def _start(arguments: list[str], *, task_status: trio.TaskStatus[trio.Process]) -> None:
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.wire.victim", *arguments]
    pipe = subprocess.PIPE
    await trio.run_process(command, stdin=pipe, stdout=pipe, check=False, task_status=task_status)


def routes(count: int) -> str:
    return "Service-Route: " + ", ".join(f"<sip:p{i}.lan;lr>" for i in range(count)) + "\r\n"


@pytest.mark.parametrize("headers", [routes(8) + routes(64), routes(8) * 20, routes(500)], ids=["8+64", "20x8", "500"])
async def test_service_routes_without_end(headers: str) -> None:
    extra = "Expires: 300\r\n" + headers
    with trio.fail_after(PATIENCE_S):
        async with rude_server(ACCEPTED, extra) as server, victim_of(server):
            assert await server.invite(GOOD_OFFER) == 200


@pytest.mark.parametrize("count", [65, 67])  # pjproject keeps 68 attributes of a medium at most
async def test_crypto_attributes_without_end(count: int) -> None:
    known = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "\r\n"
    unknown = [f"a=crypto:{tag} X inline:AAAA\r\n" for tag in range(2, count + 1)]
    offer = GOOD_OFFER.replace("RTP/AVP", "RTP/SAVP") + known
    with trio.fail_after(PATIENCE_S):
        async with rude_server(ACCEPTED, "Expires: 300\r\n") as server, victim_of(server, "srtp"):
            assert await server.invite(offer + "".join(unknown[:5])) == 200
            assert await server.invite(offer + "".join(unknown)) in (406, 488)
            assert await server.invite(GOOD_OFFER) == 200


MALFORMED = {
    "event without name": "m=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 \r\n",
    "event without clock": "m=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event\r\n",
    "event twice": "m=audio 9 RTP/AVP 0 101 101\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:101 x\r\n",
    "event of static type": "m=audio 9 RTP/AVP 0 8\r\na=rtpmap:8 telephone-event/8000\r\n",
    "red without levels": "m=audio 9 RTP/AVP 121 0\r\na=rtpmap:121 red/8000\r\na=fmtp:121 \r\n",
    "red of nothing": "m=audio 9 RTP/AVP 121 0\r\na=rtpmap:121 red/8000\r\na=fmtp:121 0/0/0/999\r\n",
    "red text": "m=audio 9 RTP/AVP 0\r\nm=text 9 RTP/AVP 98 99\r\na=rtpmap:98 t140/1000\r\na=rtpmap:99 red\r\n",
    "no map": "m=audio 9 RTP/AVP 0 97\r\n",
    "huge type": "m=audio 9 RTP/AVP 0 99999999999\r\na=rtpmap:99999999999 telephone-event/8000\r\n",
    "opus without rate": "m=audio 9 RTP/AVP 96\r\na=rtpmap:96 opus\r\n",
    "opus with odd parameters": "m=audio 9 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxplaybackrate=;;=\r\n",
    "ptime zero": "m=audio 9 RTP/AVP 0\r\na=ptime:0\r\n",
    "no media": "",
}


async def test_malformed_offers_leave_the_telephone_alive() -> None:
    session = GOOD_OFFER.partition("m=")[0]
    with trio.fail_after(100):
        async with rude_server(ACCEPTED, "Expires: 300\r\n") as server, victim_of(server):
            for name, media in MALFORMED.items():
                code = await server.invite(session + media)
                assert code in (200, 400, 415, 488), name
            assert await server.invite(GOOD_OFFER) == 200


@pytest.mark.parametrize("name", [b'"sip:999@bank" ', b'"J\xfcrgen" ', b'"sip:\xfc@bank" ', b'"\xff\xfe\xed\xb0\x80" '])
async def test_a_caller_s_name_is_neither_a_number_nor_a_danger(name: bytes) -> None:
    with trio.fail_after(PATIENCE_S):
        async with (
            rude_server(ACCEPTED, "Expires: 300\r\n") as server,
            served(connection_to(server.address)) as (_, [account]),
            trio.open_nursery() as nursery,
        ):
            await becomes(account, Cause.REGISTERED)
            nursery.start_soon(server.invite, GOOD_OFFER, name)
            call = await next_call(account)
            assert call.remote == "900"
            await call.answer()
            await call.ended()
