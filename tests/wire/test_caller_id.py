"""Who calls and what is dialled, as a real Asterisk sees it in the INVITE."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.settings import DialRules
from firmware.telephony import Cause
from tests.office.pbx import Pbx
from tests.wire.box import becomes, connection, sip_log
from tests.wire.outgoing import Outgoing, outgoing

pytestmark = pytest.mark.wire

NUMBER = "+49 30 1234"


@asynccontextmanager
async def office(
    pbx: Pbx, folder: Path, **account: object
) -> AsyncGenerator[tuple[Outgoing, Callable[[], list[str]]], None]:
    """The box, and the INVITEs that Asterisk got from it, as its log has them."""
    async with outgoing(connection(pbx, "200", **account), folder) as box, sip_log(pbx) as logged:
        await becomes(box.account, Cause.REGISTERED)
        yield box, lambda: re.findall(r"^INVITE sip:.*?^Content-Length:", logged(), re.MULTILINE | re.DOTALL)


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)(;tag=.*)?$", message, re.MULTILINE)
    return found[1].strip() if found else ""


@pytest.mark.parametrize(
    ("account", "sender", "asserted"),
    [
        ({}, '"+49 30 1234" <sip:200@{pbx}>', "<sip:+49301234@{pbx}>"),
        ({"caller_id_from": "user"}, "<sip:+49301234@{pbx}>", "<sip:+49301234@{pbx}>"),
        ({"caller_id_from": "no", "caller_id_asserted": False}, "<sip:200@{pbx}>", ""),
    ],
    ids=["default", "as the number", "not at all"],
)
async def test_the_caller_id_of_the_connection(
    pbx: Pbx, tmp_path: Path, account: dict[str, object], sender: str, asserted: str
) -> None:
    async with office(pbx, tmp_path, caller_id=NUMBER, **account) as (box, invites):
        call = await box.place("602")
        await box.becomes(call, "talking")
        await box.hang_up(call)
        seen = invites()
    assert len(seen) == 2, "one without, one with the password"
    assert {header(each, "From") for each in seen} == {sender.format(pbx=pbx.host)}
    assert {header(each, "P-Asserted-Identity") for each in seen} == {asserted.format(pbx=pbx.host)}


async def test_the_dial_rules_of_the_connection_and_what_they_leave_alone(pbx: Pbx, tmp_path: Path) -> None:
    rules = DialRules(number_form="national", country_code="49", strip="0", prefix="0")
    async with office(pbx, tmp_path, dialling=rules) as (box, invites):
        over = [await box.outcome(each) for each in (NUMBER, "699", "*97", "#31#")]
        seen = [re.match(r"INVITE sip:(.*?)@", each) for each in invites()]
    assert [each.remote for each in over] == [NUMBER, "699", "*97", "#31#"]
    assert [each.dialled for each in over] == ["0301234", "699", "*97", "#31#"]
    assert {found[1] for found in seen if found} == {"0301234", "699", "*97", "%2331%23"}
