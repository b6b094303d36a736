"""A box that updates: proves itself, takes a good bundle and stays with it, and goes back from two that are no good:
one that cannot hear, and says so, and one of whose telephone nothing runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio

from tests.image.bundles import bundle_with
from tests.image.machine import LOOK_S, Machine, machine, trusted
from tests.web.appliance import PASSWORD
from tests.web.visitor import Visitor, visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(5400)]

BOOT_S = 600.0  # a machine in software takes two minutes when nothing else runs
PROVEN_S = 900.0  # the version's own limit, and the start before it
MINUTES_S = 1200.0  # sending, checking or installing half a gigabyte in such a machine
ROLLED_BACK_S = 2400.0  # a start, what the version does with its time, and the start of the one before

EARS = "usr/lib/deskbell/models/stt/mllr_phone"
VOICE_ACTIVITY = "usr/lib/deskbell/models/vad/silero16k_f32.tflite"
TIMER = "etc/systemd/system/deskbell-overdue.timer"
SOON = b"[Timer]\nOnBootSec=5min\n\n[Install]\nWantedBy=timers.target\n"


class Owner:
    """Somebody at Box > Update, who waits."""

    def __init__(self, browser: Visitor, box: Machine) -> None:
        self.browser, self.box = browser, box

    async def sees(self, patience_s: float, *words: str) -> str:
        """The page, once it says all of it."""
        text = ""
        with trio.move_on_after(patience_s):
            while True:
                text = await self.browser.read("/box/update", PASSWORD) or text
                if all(word in text for word in words):
                    return text
                assert self.box.process.poll() is None, "the machine has ended"
                await trio.sleep(2)
        raise AssertionError(f"not within {patience_s:g} s: {words}\n{text}\n{self.box.spoken()[-2000:]}")

    async def presses(self, action: str, **typed: str) -> None:
        form = await self.browser.form("/box/update", action)
        answer = await self.browser.send(form.filled(**typed) if typed else form)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text

    async def updates(self, bundle: bytes, version: str) -> None:
        """Until the box restarts."""
        self.browser.client.timeout = httpx.Timeout(MINUTES_S)
        answer = await self.browser.send(await self.browser.form("/box/update", "/box/update"), chosen=bundle)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        await self.sees(MINUTES_S, f"Install {version}")
        await self.presses("/box/update/install")
        await self.sees(MINUTES_S, "Restart the box")
        await self.presses("/box/update/restart", when="now")


async def counted(box: Machine, wanted: Callable[[dict[str, str]], bool]) -> None:
    """What the boot loader reads next; the box writes its disk when it likes."""
    with trio.move_on_after(60):
        while True:
            if wanted(box.boot_counts()):
                return
            await trio.sleep(LOOK_S)
    raise AssertionError(box.boot_counts())


async def test_updates_prove_themselves_or_go(tmp_path: Path) -> None:
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            await browser.first_boot(code, PASSWORD)
            owner = Owner(browser, box)
            await owner.sees(PROVEN_S, "A (runs)", "0.1.0")
            await counted(box, lambda counts: (counts["A_OK"], counts["A_TRY"]) == ("1", "0"))

            await owner.updates(await _bundle(tmp_path, "0.1.1", {}), "0.1.1")
            await owner.sees(PROVEN_S, "B (runs)", "The box was updated from 0.1.0 to 0.1.1, which works.")
            await counted(box, lambda counts: (counts["B_OK"], counts["B_TRY"]) == ("1", "0"))

            await owner.updates(await _bundle(tmp_path, "0.1.2", {EARS: b"deaf"}), "0.1.2")
            await owner.sees(
                ROLLED_BACK_S, "B (runs)", "The update to 0.1.2 was rolled back, because it could not hear"
            )

            silent = {VOICE_ACTIVITY: b"nothing", TIMER: SOON}
            await owner.updates(await _bundle(tmp_path, "0.1.3", silent), "0.1.3")
            await owner.sees(ROLLED_BACK_S, "B (runs)", "The update to 0.1.3 was rolled back, because it did not get")
            assert "Rolled back" in await owner.sees(60, "0.1.1")


async def _bundle(folder: Path, version: str, changes: dict[str, bytes]) -> bytes:
    return await trio.to_thread.run_sync(bundle_with, folder, version, changes)
