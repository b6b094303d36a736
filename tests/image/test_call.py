"""The image as an office uses it: provisioned through its page alone, registered with a real PBX, called, and the call
read afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.image.machine import OFFICE, machine, trusted
from tests.image.office import ACCOUNTS, ANSWER, ANSWERED_S, called, provisioned
from tests.image.owner import BOOT_S, counted
from tests.office.pbx import office_pbx
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]


async def test_a_call_is_taken_and_can_be_read(tmp_path: Path) -> None:
    async with office_pbx(accounts=ACCOUNTS, seen_as=OFFICE) as pbx, machine(tmp_path, cores=2) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            browser.client.timeout = httpx.Timeout(BOOT_S)
            await browser.first_boot(code, PASSWORD)
            owner = await provisioned(browser, box, pbx)
            await counted(box, A_OK="1", A_TRY="0")  # or it would prove itself beside the call
            await called(pbx)
            page = await owner.sees(ANSWERED_S, "/sessions/2", path="/sessions")
            [session] = set(re.findall(r'href="(/sessions/\d{8}T[\w-]+)"', page))
            told = await owner.sees(ANSWERED_S, ANSWER, "Answered", path=session)
            assert "park" in told.replace(ANSWER, "").lower(), "what the caller said stands there too"
