"""A box that updates: proves itself, takes a good bundle and stays with it, and goes back from two that are no good:
one that cannot hear, and says so, and one of whose telephone nothing runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.machine import machine, trusted
from tests.image.owner import BOOT_S, PROVEN_S, Owner, bundle, counted
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]

ROLLED_BACK_S = 2400.0  # a start, what the version does with its time, and the start of the one before

EARS = "usr/lib/deskbell/models/stt/mllr_phone"
VOICE_ACTIVITY = "usr/lib/deskbell/models/vad/silero16k_f32.tflite"
TIMER = "etc/systemd/system/deskbell-overdue.timer"
SOON = b"[Timer]\nOnBootSec=5min\n\n[Install]\nWantedBy=timers.target\n"


async def test_updates_prove_themselves_or_go(tmp_path: Path) -> None:
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            await browser.first_boot(code, PASSWORD)
            owner = Owner(browser, box)
            await owner.sees(PROVEN_S, "A (runs)", "0.1.0")
            await counted(box, A_OK="1", A_TRY="0")

            await owner.updates(await bundle(tmp_path, "0.1.1", {}), "0.1.1")
            await owner.sees(PROVEN_S, "B (runs)", "The box was updated from 0.1.0 to 0.1.1, which works.")
            await counted(box, B_OK="1", B_TRY="0")

            await owner.updates(await bundle(tmp_path, "0.1.2", {EARS: b"deaf"}), "0.1.2")
            await owner.sees(
                ROLLED_BACK_S, "B (runs)", "The update to 0.1.2 was rolled back, because it could not hear"
            )
            await counted(box, A_OK="0", B_OK="1", B_TRY="0")

            silent = {VOICE_ACTIVITY: b"nothing", TIMER: SOON}
            await owner.updates(await bundle(tmp_path, "0.1.3", silent), "0.1.3")
            await owner.sees(ROLLED_BACK_S, "B (runs)", "The update to 0.1.3 was rolled back, because it did not get")
            await counted(box, A_OK="0", B_OK="1", B_TRY="0")
            assert "Rolled back" in await owner.sees(60, "0.1.1")
