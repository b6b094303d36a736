"""What answers mean, when to try again, and URIs."""

from __future__ import annotations

import random
from typing import Any, cast

import pytest
from pydantic import SecretStr

from app.settings import Connection
from firmware.telephony.address import (
    NoRouteError,
    NotFoundError,
    Route,
    look_up,
    name_servers,
    route_to,
    split_host_port,
)
from firmware.telephony.endpoint import Endpoint
from firmware.telephony.log import without_personal_data
from firmware.telephony.memory import CallMemory
from firmware.telephony.pj_account import AccountOwner
from firmware.telephony.registrar import LOST, Registrar
from firmware.telephony.registration import Answer, Cause, RetryRule, judge
from firmware.telephony.transports import MOST, TelephonyError, Transports, Way
from firmware.telephony.uris import BadTargetError, name_addr, target_uri, user_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(200, "OK", expires_s=300), Cause.REGISTERED),
        (Answer(200, "OK", expires_s=0), Cause.OFFLINE),
        (Answer(401, "Unauthorized", challenged=True), Cause.WRONG_CREDENTIALS),
        (Answer(407, "Proxy Authentication Required"), Cause.WRONG_CREDENTIALS),
        (Answer(403, "Forbidden", challenged=True), Cause.WRONG_CREDENTIALS),
        (Answer(403, "Forbidden", challenged=False), Cause.REFUSED),
        (Answer(404, "Not Found"), Cause.REFUSED),
        (Answer(302, "Moved Temporarily"), Cause.REFUSED),
        (Answer(408, "Request Timeout"), Cause.UNREACHABLE),
        (Answer(500, "Server Error"), Cause.SERVER_ERROR),
        (Answer(600, "Busy Everywhere"), Cause.SERVER_ERROR),
        (Answer(408, "Request Timeout", received=False), Cause.UNREACHABLE),
        (Answer(503, "Service Unavailable", received=False), Cause.UNREACHABLE),
        (Answer(408, "Request Timeout", received=False, garbage=True), Cause.MALFORMED_ANSWER),
    ],
)
def test_what_an_answer_means(answer: Answer, cause: Cause) -> None:
    assert judge(answer).cause is cause


def test_a_code_that_pj_made_up_is_not_shown_as_the_pbx_s() -> None:
    assert judge(Answer(503, "Service Unavailable", received=False)).sip_code == 0
    assert judge(Answer(503, "Service Unavailable")).sip_code == 503


class Middle(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_retries_double_up_to_the_longest() -> None:
    delays = [RetryRule().delay_s(attempt, Cause.UNREACHABLE, Middle()) for attempt in range(1, 9)]
    assert delays == [2, 4, 8, 16, 32, 64, 120, 120]
    assert RetryRule().delay_s(10_000, Cause.SERVER_ERROR, Middle()) == 120


@pytest.mark.parametrize("cause", [Cause.WRONG_CREDENTIALS, Cause.REFUSED])
def test_a_pbx_that_said_no_is_left_alone_for_minutes(cause: Cause) -> None:
    assert RetryRule().delay_s(1, cause, Middle()) == 300


def test_retries_are_spread() -> None:
    rng = random.Random(1)
    delays = [RetryRule().delay_s(1, Cause.UNREACHABLE, rng) for _ in range(200)]
    assert 1.6 <= min(delays) < 1.7
    assert 2.3 < max(delays) <= 2.4


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("pbx.lan", "pbx.lan", 5060),
        ("pbx.lan:5070", "pbx.lan", 5070),
        ("192.0.2.1:5061", "192.0.2.1", 5061),
        ("[2001:db8::1]", "2001:db8::1", 5060),
        ("[2001:db8::1]:5062", "2001:db8::1", 5062),
    ],
)
def test_host_and_port(text: str, host: str, port: int) -> None:
    assert split_host_port(text) == (host, port)


def test_tls_has_a_port_of_its_own() -> None:
    assert split_host_port("pbx.lan", "tls") == ("pbx.lan", 5061)
    assert split_host_port("pbx.lan:5060", "tls") == ("pbx.lan", 5060)


async def test_numbers_need_no_name_server_and_lead_to_ourselves() -> None:
    assert await look_up("127.0.0.1") == ["127.0.0.1"]
    assert await look_up("::1") == ["::1"]
    assert route_to("127.0.0.1", 5060) == Route("127.0.0.1", 5060, "127.0.0.1")
    assert route_to("::1", 5061).host_port == "[::1]:5061"
    with pytest.raises(NoRouteError, match="65535"):
        route_to("127.0.0.1", 99999)


def test_name_servers_of_a_resolv_conf() -> None:
    text = "# by hand\nsearch lan\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 \nnameserver fe80::1%eth0\n"
    assert name_servers(text) == ("192.0.2.1", "2001:db8::1")
    assert name_servers("nameserver 192.0.2.1\n" * 5) == ("192.0.2.1",) * 3
    assert name_servers("") == ()


@pytest.mark.parametrize("name", ["a" * 64 + ".lan", "pbx..lan"])
async def test_a_name_that_cannot_be_is_not_found(name: str) -> None:
    with pytest.raises(NotFoundError, match="cannot be a host name"):
        await look_up(name)


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ('"Ann" <sip:101@pbx.lan>', "101"),
        ("sip:bob@192.0.2.1:5060;transport=tcp", "bob"),
        ("<sips:+4930123@x>", "+4930123"),
        ("<sip:pbx.lan>", "<sip:pbx.lan>"),
        ('"sip:999@bank" <sip:101@pbx.lan>', "101"),
        ('"<sip:999@bank>" <sip:101@pbx.lan>', "101"),
        ("sip:999@bank <sip:101@pbx.lan>", "101"),
        ('"sip:999@bank" <sip:pbx.lan>', '"sip:999@bank" <sip:pbx.lan>'),
    ],
)
def test_who_a_uri_names(uri: str, user: str) -> None:
    assert user_of(uri) == user


@pytest.mark.parametrize("sent", [b'"J\xfcrgen" <sip:pbx.lan>', b"<sip:j\xfcrgen@pbx.lan>"])
def test_who_a_uri_names_is_always_text(sent: bytes) -> None:
    """As pjsua2 hands over what is not UTF-8."""
    user = user_of(sent.decode(errors="surrogateescape"))
    assert user.encode().decode() == user
    assert "rgen" in user


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("201", "sip:201@pbx.lan:5070"),
        ("*97", "sip:*97@pbx.lan:5070"),
        ("#9", "sip:%239@pbx.lan:5070"),
        ("sip:ann@elsewhere", "sip:ann@elsewhere"),
    ],
)
def test_what_is_dialled(target: str, uri: str) -> None:
    assert target_uri(target, "pbx.lan:5070") == uri


@pytest.mark.parametrize("target", ["", " ", "20 1", "201@pbx", "sip:", "sip:a\r\nVia: x", 'sip:a"b', "<sip:a@b>"])
def test_what_cannot_be_dialled(target: str) -> None:
    with pytest.raises(BadTargetError):
        target_uri(target, "pbx.lan")


def test_a_display_name_cannot_break_the_header() -> None:
    assert name_addr("", "sip:1@x") == "<sip:1@x>"
    assert name_addr('The "Desk" \\o/', "sip:1@x") == '"The \\"Desk\\" \\\\o/" <sip:1@x>'
    assert name_addr("a\r\nVia: b", "sip:1@x") == '"a  Via: b" <sip:1@x>'


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Error sending to sip:4930123@pbx.lan;x [status=1]", "Error sending to …;x [status=1]"),
        ('From "Ann Smith" <sip:101@x> failed', "From … … failed"),
        (
            "Error processing packet from 192.0.2.1:5060: bad\nINVITE sip:secret\n",
            "Error processing packet from 192.0.2.1:5060: bad",
        ),
        ("user ann@pbx.lan unknown", "user … unknown"),
    ],
)
def test_log_lines_lose_what_is_personal(line: str, kept: str) -> None:
    assert without_personal_data(line) == kept


class Nobody:
    """Who hears of nothing here."""


def test_a_crowd_of_connections_that_were_lost_is_asked_after_once() -> None:
    """Strangers' ones too: pj does not say whose they were."""
    line = Connection(name="Office", domain="pbx", user="200", transport="tcp", password=SecretStr("x"))
    registrar = Registrar(cast("AccountOwner", Nobody()), cast("Endpoint", Nobody()), line, RetryRule(), CallMemory())
    registrar.answer_came(Answer(200, "OK", expires_s=300))
    registrar._answers.receive_nowait()
    for _ in range(100):
        registrar.transport_lost("TCP")
    assert registrar._answers.receive_nowait() is LOST
    assert not registrar._answers.statistics().current_buffer_used


async def test_one_local_port_too_many_is_told_with_a_remedy() -> None:
    class Stack:
        def transportCreate(self, _: int, __: object) -> int:  # noqa: N802 - pj's name
            return 1

    opened = Transports(cast("Any", Stack()), lambda _: None)
    for port in range(MOST):
        opened.borrow(Way("udp", "127.0.0.1", 5060 + port))
    with pytest.raises(TelephonyError, match="room for 8 at once"):
        opened.borrow(Way("udp", "127.0.0.1", 5080))
