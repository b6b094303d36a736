"""Who calls, as the PBX is told."""

from __future__ import annotations

import pytest

from app.settings import Account
from firmware.telephony.caller_id import asserted_identity, from_header

pytestmark = pytest.mark.unit


def account(caller_id: str, **more: object) -> Account:
    values = {"name": "Office", "domain": "pbx.lan:5070", "user": "200", "caller_id": caller_id}
    return Account.model_validate(values | more)


@pytest.mark.parametrize(
    ("place", "caller_id", "header"),
    [
        ("name", "", "<sip:200@pbx.lan>"),
        ("name", "+49 30 1234", '"+49 30 1234" <sip:200@pbx.lan>'),
        ("name", 'Front "desk"', '"Front \\"desk\\"" <sip:200@pbx.lan>'),
        ("user", "+49 (30) 1234", "<sip:+49301234@pbx.lan>"),
        ("user", "Front desk", '"Front desk" <sip:200@pbx.lan>'),
        ("no", "+49 30 1234", "<sip:200@pbx.lan>"),
    ],
)
def test_from(place: str, caller_id: str, header: str) -> None:
    assert from_header(account(caller_id, caller_id_from=place)) == header


def test_a_host_is_an_address_too() -> None:
    assert from_header(account("", domain="[2001:db8::1]:5070")) == "<sip:200@[2001:db8::1]>"
    assert asserted_identity(account("1234", domain="192.0.2.1")) == "<sip:1234@192.0.2.1>"


@pytest.mark.parametrize(
    ("caller_id", "header"),
    [
        ("", ""),
        ("+49 30/1234", "<sip:+49301234@pbx.lan>"),
        ("1234", "<sip:1234@pbx.lan>"),
        ("Front desk", '"Front desk" <sip:200@pbx.lan>'),
    ],
)
def test_asserted(caller_id: str, header: str) -> None:
    assert asserted_identity(account(caller_id)) == header
    assert asserted_identity(account(caller_id, caller_id_asserted=False)) == ""
