"""TLS, transports that are left, and connections that swallow what they are given."""

from __future__ import annotations

import ctypes
import itertools
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pjsua2 as pj
import pytest
import trio

from app.ports import EndedBy
from firmware.lifetimes import serving
from firmware.telephony import (
    Account,
    Cause,
    EndpointConfig,
    NotConnectedError,
    registrar,
    run_account,
    run_endpoint,
    transports,
)
from tests.office.identity import Identity, identity
from tests.office.pbx import OfficeAccount, Pbx, free_sip_port, office_accounts, office_pbx
from tests.wire.box import answered, becomes, connection, heard, registered, served, until
from tests.wire.sound import level, tone

pytestmark = pytest.mark.wire


# -- TLS -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def secure_pbx(shown: Identity, tls_fingerprint: str = "") -> AsyncGenerator[tuple[Pbx, Account], None]:
    """A PBX with TLS, and an account that goes there."""
    async with office_pbx(identity=shown) as pbx:
        there = f"127.0.0.1:{pbx.tls_port}"
        secure = connection(pbx, domain=there, transport="tls", tls_fingerprint=tls_fingerprint)
        async with served(secure) as (_, (box,)):
            yield pbx, box


async def test_a_certificate_of_the_pbx_s_own_is_trusted_by_its_fingerprint() -> None:
    own = identity("freepbx.localdomain")
    async with secure_pbx(own, tls_fingerprint=own.fingerprint) as (pbx, box):
        await becomes(box, Cause.REGISTERED)
        assert "transport=tls" in (await pbx.contacts())["200"].casefold()


async def test_without_it_nothing_is_sent_and_the_fingerprint_is_told() -> None:
    own = identity("127.0.0.1")
    async with secure_pbx(own) as (pbx, box):
        await pbx.log_sip(True)
        distrusted = await becomes(box, Cause.NOT_TRUSTED)
        assert own.fingerprint in distrusted.reason
        assert "no authority that this box knows" in distrusted.reason
        assert "REGISTER" not in pbx.log.read_text()


async def test_another_certificate_than_the_one_that_was_entered() -> None:
    async with secure_pbx(identity("127.0.0.1"), tls_fingerprint=identity("127.0.0.1").fingerprint) as (_, box):
        assert "another one was expected" in (await becomes(box, Cause.NOT_TRUSTED)).reason


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Identity:
    """One that this system knows."""
    known = identity(is_authority=True)
    file = tmp_path / "authorities.pem"
    file.write_text(known.certificate)
    monkeypatch.setattr(transports, "AUTHORITIES", file)
    return known


async def test_a_certificate_that_an_authority_signed_for_this_domain(authority: Identity) -> None:
    async with secure_pbx(identity("127.0.0.1", signed_by=authority)) as (_, box):
        await becomes(box, Cause.REGISTERED)


async def test_a_certificate_for_somebody_else(authority: Identity) -> None:
    async with secure_pbx(identity("pbx.example", "127.0.0.9", signed_by=authority)) as (_, box):
        assert "does not name this domain" in (await becomes(box, Cause.NOT_TRUSTED)).reason


async def test_a_certificate_that_has_expired(authority: Identity) -> None:
    async with secure_pbx(identity("127.0.0.1", signed_by=authority, expired=True)) as (_, box):
        assert "expired" in (await becomes(box, Cause.NOT_TRUSTED)).reason


@pytest.mark.parametrize("first_is_up", [True, False])
async def test_a_wrong_fingerprint_is_told_also_where_another_account_trusts_that_pbx(first_is_up: bool) -> None:
    """pj shares one connection among accounts."""
    own = identity("pbx")
    async with office_pbx(identity=own) as pbx:
        there = {"domain": f"127.0.0.1:{pbx.tls_port}", "transport": "tls"}
        right = connection(pbx, tls_fingerprint=own.fingerprint, **there)
        wrong = connection(pbx, "201", tls_fingerprint=identity("pbx").fingerprint, **there)
        async with (
            serving(run_endpoint, EndpointConfig()) as endpoint,
            serving(run_account, endpoint, right) as trusting,
        ):
            if first_is_up:
                await becomes(trusting, Cause.REGISTERED)
                await pbx.log_sip(True)
            async with serving(run_account, endpoint, wrong) as other:
                assert "another one was expected" in (await becomes(other, Cause.NOT_TRUSTED)).reason
                with pytest.raises(NotConnectedError, match="certificate"):
                    await other.dial("600")
                assert not first_is_up or "sip:201@" not in pbx.log.read_text()
            await becomes(trusting, Cause.REGISTERED)


async def test_a_server_that_does_not_speak_tls_is_unreachable(pbx: Pbx) -> None:
    async with served(connection(pbx, transport="tls")) as (_, (box,)):
        assert (await becomes(box, Cause.UNREACHABLE)).sip_code == 0


async def test_calls_both_ways_over_tls_with_encrypted_audio() -> None:
    own, account = identity("pbx"), OfficeAccount("200", media_encryption="sdes")
    async with office_pbx(identity=own, accounts=office_accounts(u200=account)) as pbx:
        there, pin = f"127.0.0.1:{pbx.tls_port}", own.fingerprint
        async with registered(pbx, domain=there, transport="tls", tls_fingerprint=pin, srtp="mandatory") as box:
            await pbx.originate("200", "Echo")
            call = await answered(box)
            await call.mouth.play(tone(1000))
            assert sum(level(frame.pcm) > 3000 for frame in await heard(call, 75)) > 35
            await call.hang_up()
            call = await box.dial("600")
            await call.connected()
            await call.mouth.play(tone(1000))
            assert sum(level(frame.pcm) > 3000 for frame in await heard(call, 75)) > 35


async def test_a_pbx_that_restarts_is_noticed_on_tls() -> None:
    own = identity("pbx")
    async with secure_pbx(own, tls_fingerprint=own.fingerprint) as (pbx, box):
        await becomes(box, Cause.REGISTERED)
        await pbx.restart()
        await until(lambda: _knows(pbx))
        await becomes(box, Cause.REGISTERED)


async def _knows(pbx: Pbx) -> bool:
    return "200" in await pbx.contacts()


# -- transports that are left ----------------------------------------------------------------------------------


async def _port_of(pbx: Pbx) -> int:
    """Of the box, as the PBX knows it."""
    return int((await pbx.contacts())["200"].partition(";")[0].rpartition(":")[2])


def _is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def _becomes_free(port: int) -> None:
    async def free() -> bool:
        return _is_free(port)

    await until(free)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_another_port_or_transport_closes_the_old_one(
    pbx: Pbx, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "LINGER_S", 0.2)
    async with registered(pbx) as box:
        old = await _port_of(pbx)
        assert not _is_free(old)
        box.change(connection(pbx, transport=transport, local_port=free_sip_port("127.0.0.1")))
        await until(lambda: _is_registered_elsewhere(pbx, old))
        await _becomes_free(old)
        await becomes(box, Cause.REGISTERED)
        await pbx.originate("200", "Echo")
        await answered(box)


async def _is_registered_elsewhere(pbx: Pbx, old: int) -> bool:
    return "200" in await pbx.contacts() and await _port_of(pbx) != old


@pytest.fixture
def quick_timers() -> Iterator[None]:
    """Those of 64*T1 (RFC 3261 17.2.2: timer J, and others) take 2 s, not 32: in pj's settings, T1, T2, T4 and TD stand
    beside each other, in milliseconds; pjsua2 has no name for them."""
    settings = (ctypes.c_uint32 * 64).in_dll(ctypes.CDLL(pj._pjsua2.__file__), "pjsip_sip_cfg_var")
    [t1] = [place for place in range(60) if settings[place : place + 4] == [500, 4_000, 5_000, 32_000]]
    settings[t1 + 3] = 2_000
    yield
    settings[t1 + 3] = 32_000


@pytest.mark.usefixtures("quick_timers")
async def test_a_call_keeps_its_transport_until_it_is_over(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its last answer may be repeated."""
    monkeypatch.setattr(transports, "LINGER_S", 0.2)
    async with registered(pbx) as box:
        old = await _port_of(pbx)
        await pbx.originate("200", "Echo")
        call = await answered(box)
        box.change(connection(pbx, transport="tcp"))
        await until(lambda: _is_registered_elsewhere(pbx, old))
        assert len(await heard(call, 50)) == 50
        assert not _is_free(old)
        await pbx.rx("channel request hangup all")
        assert (await call.ended()).by is EndedBy.CALLER
        await _becomes_free(old)


async def test_two_accounts_share_a_transport_until_both_have_left(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "LINGER_S", 0.2)
    async with served(connection(pbx, "200"), connection(pbx, "201")) as (_, (one, other)):
        await becomes(one, Cause.REGISTERED)
        await becomes(other, Cause.REGISTERED)
        old = await _port_of(pbx)
        one.change(connection(pbx, "200", transport="tcp"))
        await until(lambda: _is_registered_elsewhere(pbx, old))
        await pbx.originate("201", "Echo")
        await answered(other)
        assert not _is_free(old)


async def test_as_many_changes_as_anybody_likes(pbx: Pbx) -> None:
    """pj has room for eight transports."""
    async with registered(pbx) as box:
        for _ in range(10):
            old = await _port_of(pbx)
            box.change(connection(pbx, local_port=free_sip_port("127.0.0.1")))
            await until(partial(_is_registered_elsewhere, pbx, old))
        await becomes(box, Cause.REGISTERED)


# -- connections that swallow what they are given --------------------------------------------------------------


@asynccontextmanager
async def swallowing_front(pbx: Pbx, connections: int) -> AsyncGenerator[str, None]:
    """A TCP port in front of the PBX whose first `connections` answer nothing, as those of a PBX that boots."""
    came = itertools.count(1)

    async def pass_on(source: trio.abc.ReceiveStream, sink: trio.abc.SendStream | None) -> None:
        async for part in source:
            if sink:
                await sink.send_all(part)

    async def serve(client: trio.SocketStream) -> None:
        if next(came) <= connections:
            await pass_on(client, None)
            return
        async with await trio.open_tcp_stream(pbx.host, pbx.sip_port) as server, trio.open_nursery() as both:
            both.start_soon(pass_on, client, server)
            await pass_on(server, client)
            both.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("connections", [1, 3])
async def test_a_connection_that_swallows_register_is_given_up(
    pbx: Pbx, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrar, "ANSWER_S", 0.5)
    async with (
        swallowing_front(pbx, connections) as front,
        served(connection(pbx, domain=front, transport="tcp")) as (_, (box,)),
    ):
        assert "no answer within" in (await becomes(box, Cause.UNREACHABLE)).reason
        await becomes(box, Cause.REGISTERED)
        assert "200" in await pbx.contacts()


async def test_strangers_who_hang_up_in_crowds_disturb_nobody() -> None:
    """A scan of the network, for one: each connection that goes is asked after at the PBX, and together once."""
    async with office_pbx() as pbx:
        port = free_sip_port("127.0.0.1")
        async with registered(pbx, transport="tcp", local_port=port) as box:
            crowd = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(40)]
            await trio.sleep(0.3)  # the stack has taken them all in, and says nothing of it
            for stranger in crowd:
                stranger.socket.close()
            await until(lambda: _knows(pbx))
            await becomes(box, Cause.REGISTERED)
            await pbx.originate("200", "Echo")
            await answered(box)
