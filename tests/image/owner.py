"""Whoever looks after the box at Box > Update, and waits."""

from __future__ import annotations

from pathlib import Path

import httpx
import trio

from tests.image.bundles import bundle_with
from tests.image.machine import LOOK_S, Machine
from tests.web.appliance import PASSWORD
from tests.web.visitor import Visitor

BOOT_S = 600.0  # a machine in software takes two minutes when nothing else runs
PROVEN_S = 900.0  # the version's own limit, and the start before it
MINUTES_S = 1200.0  # sending, checking or installing half a gigabyte in such a machine
UPDATE = "/box/update"


class Owner:
    def __init__(self, browser: Visitor, box: Machine) -> None:
        self.browser, self.box = browser, box

    async def sees(self, patience_s: float, *words: str, path: str = UPDATE, gone: str = "") -> str:
        """The page, once it says all of it, and no longer what is to be `gone`."""
        text = ""
        with trio.move_on_after(patience_s):
            while True:
                text = await self.browser.read(path, PASSWORD) or text
                if all(word in text for word in words) and not (gone and gone in text):
                    return text
                assert self.box.process.poll() is None, "the machine has ended"
                await trio.sleep(2)
        raise AssertionError(f"not within {patience_s:g} s: {words}\n{text}\n{self.box.spoken()[-2000:]}")

    async def presses(self, action: str, page: str = UPDATE, **typed: str) -> None:
        form = await self.browser.form(page, action)
        answer = await self.browser.send(form.filled(**typed) if typed else form)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text

    async def uploads(self, bundle: bytes, version: str) -> None:
        """Until it was checked."""
        self.browser.client.timeout = httpx.Timeout(MINUTES_S)
        answer = await self.browser.send(await self.browser.form(UPDATE), chosen=bundle)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        await self.sees(MINUTES_S, f"Install {version}")

    async def updates(self, bundle: bytes, version: str) -> None:
        """Until the box restarts."""
        await self.uploads(bundle, version)
        await self.presses(f"{UPDATE}/install")
        await self.sees(MINUTES_S, "Restart the box")
        await self.presses(f"{UPDATE}/restart", when="now")


async def counted(box: Machine, patience_s: float = PROVEN_S, **wanted: str) -> None:
    """What the boot loader reads next, once that is so: a version that starts is marked good when it has proven itself,
    and takes no update before."""
    with trio.move_on_after(patience_s):
        while True:
            if wanted.items() <= box.boot_counts().items():
                return
            await trio.sleep(LOOK_S)
    raise AssertionError(f"{box.boot_counts()}\n{box.spoken()[-2000:]}")


async def bundle(folder: Path, version: str, changes: dict[str, bytes]) -> bytes:
    return await trio.to_thread.run_sync(bundle_with, folder, version, changes)
