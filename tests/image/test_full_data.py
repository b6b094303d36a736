"""A box whose data partition is full, switched on: it starts, says so and what to do, and takes no update."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import trio

from tests.image.cards import Card
from tests.image.machine import disk_of, machine, trusted
from tests.image.owner import BOOT_S, PROVEN_S, UPDATE, Owner, counted
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(3600)]


async def test_it_starts_and_says_so(tmp_path: Path) -> None:
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        certificate = await trusted(box, tmp_path)
        async with visitor(box.address, certificate) as browser:
            await browser.first_boot(code, PASSWORD)
            await counted(box, A_OK="1", A_TRY="0")
    await trio.to_thread.run_sync(Card(disk_of(tmp_path)).fill_data, tmp_path)
    async with machine(tmp_path) as box, visitor(box.address, certificate) as browser:
        owner = Owner(browser, box)
        await owner.sees(BOOT_S, "The disk is full", "keep sessions for fewer days", path="/diagnosis")
        await owner.sees(PROVEN_S, "A (runs)")
        await counted(box, A_OK="1", A_TRY="0")
        refused = await browser.send(await browser.form(UPDATE), chosen=bytes(2**20))
        assert refused.status_code != httpx.codes.SEE_OTHER
        assert "not enough room" in refused.text
        assert "Delete old sessions" in refused.text
