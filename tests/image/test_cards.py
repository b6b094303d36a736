"""Cards that are no good: the box says so, where it can be seen, and what to do."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import trio

from image.make.disk import DATA_MIB
from tests.image.cards import DATA_AT
from tests.image.machine import LOOK_S, OFFICE, Machine, disk_of, machine, trusted
from tests.image.office import ACCOUNTS, called, provisioned
from tests.image.owner import BOOT_S, Owner, counted
from tests.office.pbx import office_pbx
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

OTHER_MAC = "52:54:00:65:43:21"
MOVED = "This card was set up in another box"


async def test_one_whose_data_partition_is_damaged(tmp_path: Path) -> None:
    with disk_of(tmp_path).open("r+b") as disk:
        disk.seek(DATA_AT * 2**20)
        disk.write(bytes(DATA_MIB * 2**20))
    async with machine(tmp_path) as box:
        assert "worn out, or damaged" in await _plain_page(box)
        await box.said("(Deskbell cannot use its card)", BOOT_S)  # on the console too


async def _plain_page(box: Machine) -> str:
    """Of a box that has no certificate."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as browser:
        with trio.fail_after(BOOT_S):
            while True:
                try:
                    answer = await browser.get(f"{box.plain_address}/agents")
                except httpx.TransportError:
                    await trio.sleep(LOOK_S)
                else:
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
                    return answer.text


async def test_one_that_comes_from_another_box(tmp_path: Path) -> None:
    """It works there, with a word about it until somebody says that it is meant to."""
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        certificate = await trusted(box, tmp_path)
        async with visitor(box.address, certificate) as browser:
            await browser.first_boot(code, PASSWORD)
            assert MOVED not in await Owner(browser, box).sees(BOOT_S, "Nobody answers", path="/diagnosis")
            await counted(box, A_OK="1", A_TRY="0")
    async with machine(tmp_path, mac=OTHER_MAC) as box, visitor(box.address, certificate) as browser:
        owner = Owner(browser, box)
        await owner.sees(BOOT_S, MOVED, "52:54:00:12:34:56", path="/diagnosis")
        await owner.presses("/box/settle", "/box")
        assert MOVED not in await owner.sees(BOOT_S, "Nobody answers", path="/diagnosis")


async def test_one_that_wears_out_while_the_box_runs(tmp_path: Path) -> None:
    """Calls go on, the page can be read and says so, and the settings can still be saved."""
    worn = tmp_path / "worn"
    async with office_pbx(accounts=ACCOUNTS, seen_as=OFFICE) as pbx, machine(tmp_path, worn=worn) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        certificate = await trusted(box, tmp_path)
        async with visitor(box.address, certificate) as browser:
            await browser.first_boot(code, PASSWORD)
            owner = await provisioned(browser, box, pbx)
            await counted(box, A_OK="1", A_TRY="0")
            worn.touch()
            await called(pbx)
            await owner.sees(BOOT_S, "The disk takes no data", "make a backup", path="/diagnosis")
            await called(pbx)
            form = await browser.form("/box/backup")
            typed = {"passphrase": "a long passphrase of a test", "again": "a long passphrase of a test"}
            backup = await browser.send(form.filled(password=PASSWORD, **typed))
            assert backup.headers["content-type"] == "application/octet-stream", backup.text
        async with visitor(box.address, certificate) as somebody_else:
            await somebody_else.sign_in(PASSWORD)
