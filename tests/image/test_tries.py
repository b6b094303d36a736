"""Starts that do not get as far as the system: the boot loader gives a slot three tries, asks nobody, and takes the
other. Lost counts are no reason not to start."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from image.make.disk import BOOT_MIB, FIRST_MIB
from image.make.root import SLOT_MIB
from tests.image.bundles import slot_with
from tests.image.machine import count, disk_of, machine
from tests.image.owner import BOOT_S, counted
from tests.image.subject import ROOT

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

FIRST_STAGE = f"boot/{(ROOT / 'boot/initrd.img').resolve().name}"


async def test_one_that_is_empty(tmp_path: Path) -> None:
    disk_of(tmp_path)
    await _three_tries(tmp_path)


async def test_one_whose_kernel_panics(tmp_path: Path) -> None:
    """Without its first stage it finds no root file system."""
    _second_slot(tmp_path, {FIRST_STAGE: b"nothing"})
    await _three_tries(tmp_path)


def _second_slot(folder: Path, changes: dict[str, bytes]) -> None:
    disk, slot = disk_of(folder), folder / "slot.img"
    slot_with(slot, changes, folder)
    there = f"seek={FIRST_MIB + BOOT_MIB + SLOT_MIB}"
    subprocess.run(["dd", f"if={slot}", f"of={disk}", "bs=1M", there, "conv=notrunc,sparse", "status=none"], check=True)


async def _three_tries(folder: Path) -> None:
    """As after an update into B, until A starts."""
    count(folder, "ORDER=B A", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0")
    async with machine(folder) as box:
        await box.said(r"(Booting `Slot A')", BOOT_S)
        assert box.spoken().count("Booting `Slot B'") == 3
        counts = box.boot_counts()
        assert (counts["A_TRY"], counts["B_OK"], counts["B_TRY"]) == ("1", "1", "3")


async def test_counts_that_are_lost(tmp_path: Path) -> None:
    """The boot loader goes by its defaults, and the system makes them anew: it can update and go back again."""
    disk_of(tmp_path)
    count(tmp_path)
    async with machine(tmp_path) as box:
        await counted(box, BOOT_S, ORDER="A B", A_OK="1", A_TRY="1", B_OK="0", B_TRY="0")
