"""From a call that the real PBX could not establish to what the page says of it, through the whole phone process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.control import views
from tests.office.pbx import OfficeAccount, office_accounts, office_pbx
from tests.wire.box import until
from tests.wire.phone_process import Phone, employed, phone

pytestmark = pytest.mark.wire

RTP = (27_000, 27_099)


async def _found(line: Phone, true: Callable[[views.Finding], bool]) -> views.Finding:
    found: list[views.Finding] = []

    async def comes() -> bool:
        answer = await line.ask("get_diagnosis", views.Findings)
        found[:] = [finding for finding in answer.items if true(finding)]
        return bool(found)

    await until(comes)
    return found[0]


@pytest.mark.parametrize(
    ("account", "title", "offered"),
    [
        (OfficeAccount("200", codecs=("gsm",)), "no codec in common", "offered GSM, unencrypted"),
        (OfficeAccount("200", media_encryption="sdes"), "requires encrypted audio", "encrypted only (SRTP)"),
    ],
)
async def test_registered_but_calls_fail(tmp_path: Path, account: OfficeAccount, title: str, offered: str) -> None:
    async with office_pbx(accounts=office_accounts(u200=account)) as pbx, phone(tmp_path, RTP) as line:
        await employed(line, pbx)
        hint = await _found(line, lambda finding: finding.kind == "never called")
        assert "route the number to extension 200" in hint.remedy
        await pbx.originate("200", "Wait", "30")
        finding = await _found(line, lambda finding: finding.title.startswith("Calls to 200 fail"))
        assert title in finding.title
        assert offered in finding.evidence
        assert "This box refused 1 call with 488" in finding.evidence
        log = await line.ask("list_log", views.LogPage, text="do not agree on audio")
        assert log.items[0].fields["sip_code"] == "488"
        hints = await line.ask("get_diagnosis", views.Findings)
        assert "never called" not in [finding.kind for finding in hints.items]
