"""The image as users get it, switched on for the first time: found by its console, opened, and a password chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.image.machine import DISK_BYTES, LOOK_S, machine, trusted
from tests.image.owner import BOOT_S, counted
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

NAME = "reception"
_ANNOUNCED = bytes([len(NAME)]) + NAME.encode() + b"\x05local\x00"
"""In a message of mDNS."""


async def test_from_the_card_to_the_page(tmp_path: Path) -> None:
    """The certificate that the page shows is the one whose fingerprint the console shows, and the data partition took
    what the card has."""
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as somebody:
            await somebody.first_boot(code, PASSWORD)
            assert (await somebody.client.get("/set-up")).status_code == 200
        assert box.data_bytes() > DISK_BYTES - 2.5 * 2**30, "boot partition and two slots need less"
        assert box.boot_counts() | {"A_TRY": ""} == {
            "ORDER": "A B", "A_OK": "1", "A_TRY": "", "B_OK": "0", "B_TRY": "0"
        }  # fmt: skip


async def test_the_name_that_is_chosen_is_the_one_on_the_network(tmp_path: Path) -> None:
    """At once, and after the next start."""
    tapped = tmp_path / "cable.pcap"
    async with machine(tmp_path, tapped=tapped) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        certificate = await trusted(box, tmp_path)
        async with visitor(box.address, certificate) as somebody:
            await somebody.first_boot(code, PASSWORD)
            form = (await somebody.form("/box")).filled(name=NAME)
            assert (await somebody.send(form)).is_redirect
            with trio.fail_after(BOOT_S):
                while _ANNOUNCED not in tapped.read_bytes():  # noqa: ASYNC110 - another machine announces it
                    await trio.sleep(LOOK_S)
            await counted(box, A_OK="1", A_TRY="0")
    async with machine(tmp_path) as box:
        await box.said(rf"(The page of this box: https://{NAME}/)", BOOT_S)


async def test_without_network_and_time(tmp_path: Path) -> None:
    """It proves itself all the same: neither is its fault."""
    async with machine(tmp_path, clock="1970-01-02", cable=False) as box:
        await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        await counted(box, A_OK="1", A_TRY="0")
