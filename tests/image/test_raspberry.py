"""The image of a Raspberry Pi on a Raspberry Pi 3, as far as an emulator has one: U-Boot from the card, GRUB after it,
Debian's kernel with the description of that model, and the console on the pins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.machine import machine
from tests.image.owner import PROVEN_S, counted

pytestmark = [pytest.mark.image, pytest.mark.timeout(3600)]

BOOT_S = 1800.0  # four cores in software, on two


async def test_from_the_card_to_the_code(tmp_path: Path) -> None:
    """And the version proves itself, and is marked good on the card."""
    async with machine(tmp_path, raspberry=True) as box:
        await box.said(r"(Set-up code: \d{4} \d{4})", BOOT_S)
        await counted(box, PROVEN_S, A_OK="1", A_TRY="0")
