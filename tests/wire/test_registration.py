"""Registering with a real Asterisk, and with servers that are worse."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
import trio

from firmware.control.look import registration_view
from firmware.lifetimes import serving
from firmware.telephony import Cause, EndpointConfig, PortTakenError, registrar, run_endpoint
from tests.office.pbx import Pbx, free_sip_port, office_pbx
from tests.wire.box import becomes, connection, connection_to, registered, served, sip_log, until
from tests.wire.rude_server import rude_server

pytestmark = pytest.mark.wire


async def test_registers_and_the_pbx_knows_it(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        assert box.registration.sip_code == 200
        assert 250 < box.registration.expires_s <= 300
        assert "200" in await pbx.contacts()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_every_transport_and_family(pbx: Pbx, transport: str, host: str) -> None:
    user = "200" if host == "127.0.0.1" else "ipv6"
    async with registered(pbx, user, domain=f"{host}:{pbx.sip_port}", transport=transport):
        contact = (await pbx.contacts())[user]
    assert contact.startswith(f"sip:{user}@{host}:")
    assert (";transport=tcp" in contact.casefold()) == (transport == "tcp")


async def test_stopping_unregisters(pbx: Pbx) -> None:
    async with registered(pbx):
        assert "200" in await pbx.contacts()
    assert "200" not in await pbx.contacts()


async def test_cancelling_everything_unregisters_too(pbx: Pbx) -> None:
    with trio.CancelScope() as scope:
        async with registered(pbx):
            scope.cancel()
            await trio.sleep_forever()
    assert "200" not in await pbx.contacts()


async def test_a_login_that_differs_from_the_user(pbx: Pbx) -> None:
    async with registered(pbx, "login"):
        assert "login" in await pbx.contacts()


@pytest.mark.parametrize("wrong", [{"password": "not-this"}, {"user": "299"}, {"login": "nobody"}])
async def test_wrong_credentials_and_no_hurry_to_repeat_them(pbx: Pbx, wrong: dict[str, str]) -> None:
    async with served(connection(pbx, **wrong)) as (_, (box,)):
        refused = await becomes(box, Cause.WRONG_CREDENTIALS)
        assert refused.sip_code in (401, 403)
        assert refused.next_try is not None
        assert (refused.next_try - datetime.now(UTC)).total_seconds() > 200


async def test_a_domain_that_does_not_exist(pbx: Pbx) -> None:
    async with served(connection(pbx, domain="pbx.invalid")) as (_, (box,)):
        assert (await becomes(box, Cause.DOMAIN_NOT_FOUND)).reason


async def test_behind_a_proxy_the_domain_needs_no_address_and_stays_in_the_uris(pbx: Pbx) -> None:
    async with sip_log(pbx) as logged:
        async with registered(pbx, domain="office.invalid", proxy=pbx.address):
            assert "200" in await pbx.contacts()
        log = logged()
    assert "REGISTER sip:office.invalid SIP/2.0" in log
    assert "<sip:200@office.invalid>" in log
    assert "\nRoute:" not in log


async def test_a_name_with_several_addresses_has_them_tried_in_turn(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(_host: str) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr(registrar, "look_up", two)
    async with rude_server("503 No", host="127.0.0.2", port=pbx.sip_port) as server:
        async with registered(pbx, domain=f"pbx.invalid:{pbx.sip_port}"):
            assert (await pbx.contacts())["200"].startswith("sip:200@127.0.0.1:")
        assert len(server.requests) == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_nobody_there_and_stopping_does_not_wait(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar, "ANSWER_S", 0.5)
    nobody = f"127.0.0.1:{free_sip_port('127.0.0.1')}"
    async with served(connection_to(nobody, transport=transport)) as (_, (box,)):
        dead = await becomes(box, Cause.UNREACHABLE)
        assert dead.sip_code == 0
        began = trio.current_time()
    assert trio.current_time() - began < 3.0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_pbx_that_comes_back(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar, "ANSWER_S", 0.5)
    async with office_pbx() as pbx:
        await pbx.die()
        async with served(connection(pbx, transport=transport)) as (_, (box,)):
            await becomes(box, Cause.UNREACHABLE)
            await pbx.start()
            await becomes(box, Cause.REGISTERED)
            assert "200" in await pbx.contacts()


async def test_a_pbx_that_restarts_is_noticed_on_tcp() -> None:
    async with office_pbx() as pbx, registered(pbx, transport="tcp") as box:
        await pbx.restart()

        async def back() -> bool:
            return "200" in await pbx.contacts()

        await until(back)
        await becomes(box, Cause.REGISTERED)


async def test_a_pbx_that_dies_does_not_hold_up_the_stop() -> None:
    async with office_pbx() as pbx:
        async with registered(pbx):
            await pbx.die()
            began = trio.current_time()
        assert trio.current_time() - began < 3.0


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("500 Server Internal Error", Cause.SERVER_ERROR),
        ("503 Service Unavailable", Cause.SERVER_ERROR),
        ("603 Decline", Cause.SERVER_ERROR),
        ("403 Forbidden", Cause.REFUSED),
        ("404 Not Found", Cause.REFUSED),
        ("408 Request Timeout", Cause.UNREACHABLE),
    ],
)
async def test_a_server_that_says_no(status: str, cause: Cause) -> None:
    async with rude_server(status) as server, served(connection_to(server.address)) as (_, (box,)):
        said_no = await becomes(box, cause)
        assert said_no.sip_code == int(status[:3])
        assert said_no.next_try is not None


async def test_a_server_that_answers_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar, "ANSWER_S", 0.5)
    async with rude_server(None) as server, served(connection_to(server.address)) as (_, (box,)):
        await becomes(box, Cause.MALFORMED_ANSWER)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_local_port_that_is_taken(transport: str) -> None:
    with socket.socket(type=socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.RaisesGroup(pytest.RaisesExc(PortTakenError, match=f"{port}/{transport}"), flatten_subgroups=True):
            async with served(connection_to("127.0.0.1", local_port=port, transport=transport)):
                pytest.fail("it started all the same")


async def test_a_local_port_of_ones_own(pbx: Pbx) -> None:
    port = free_sip_port("127.0.0.1")
    async with registered(pbx, local_port=port):
        assert (await pbx.contacts())["200"].endswith(f":{port}")


async def test_the_stack_starts_and_stops_again_and_again() -> None:
    for _ in range(5):
        async with serving(run_endpoint, EndpointConfig()) as endpoint:
            assert endpoint.gaps.count == 0


async def test_a_reason_that_is_no_utf_8_can_be_shown() -> None:
    async with (
        rude_server("404 Nebenstelle gel\udcf6scht") as server,
        served(connection_to(server.address)) as (_, (box,)),
    ):
        refused = await becomes(box, Cause.REFUSED)
        assert registration_view(refused, "200", "pbx").answer == "404 Nebenstelle gel?scht"
