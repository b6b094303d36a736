"""A box that updates: proves itself, takes a good bundle and stays with it, and goes back from two that are no good:
one that cannot hear, and says so, and one of whose telephone nothing runs. The first of these has a newer schema, and
what it did to the database keeps nobody from reading and changing settings afterwards."""

from __future__ import annotations

import py_compile
import re
from pathlib import Path

import pytest

from tests.image.cards import Card, has_table
from tests.image.machine import machine, trusted
from tests.image.owner import BOOT_S, PROVEN_S, Owner, bundle, counted
from tests.image.subject import ROOT
from tests.web.appliance import PASSWORD
from tests.web.site import filled_well
from tests.web.visitor import Visitor, visitor

# The box goes while it is being asked, again and again; httpx then leaves what it was sending to the collector.
_LEFT_BEHIND = "ignore:Async generator 'httpx._content.ByteStream:ResourceWarning"
pytestmark = [pytest.mark.image, pytest.mark.timeout(7200), pytest.mark.filterwarnings(_LEFT_BEHIND)]

ROLLED_BACK_S = 2400.0  # a start, what the version does with its time, and the start of the one before

EARS = "usr/lib/deskbell/models/stt/mllr_phone"
SCHEMA = "usr/lib/deskbell/firmware/storage/schema.py"
COMPILED = "usr/lib/deskbell/firmware/storage/__pycache__/schema.cpython-311.pyc"
VOICE_ACTIVITY = "usr/lib/deskbell/models/vad/silero16k_f32.tflite"
TIMER = "etc/systemd/system/deskbell-overdue.timer"
LATER = "of_a_later_version"
SOON = b"[Timer]\nOnBootSec=5min\n\n[Install]\nWantedBy=timers.target\n"


async def test_updates_prove_themselves_or_go(tmp_path: Path) -> None:
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            await browser.first_boot(code, PASSWORD)
            await _has_connection(browser, "Before")
            owner = Owner(browser, box)
            await owner.sees(PROVEN_S, "A (runs)", "0.1.0")
            await counted(box, A_OK="1", A_TRY="0")

            await owner.updates(await bundle(tmp_path, "0.1.1", {}), "0.1.1")
            await owner.sees(PROVEN_S, "B (runs)", "The box was updated from 0.1.0 to 0.1.1, which works.")
            await counted(box, B_OK="1", B_TRY="0")

            deaf = {EARS: b"deaf", **_newer_schema(tmp_path)}
            await owner.updates(await bundle(tmp_path, "0.1.2", deaf), "0.1.2")
            await owner.sees(
                ROLLED_BACK_S, "B (runs)", "The update to 0.1.2 was rolled back, because it could not hear"
            )
            await counted(box, A_OK="0", B_OK="1", B_TRY="0")

            assert "Before" in await owner.sees(60, path="/channels")
            await _has_connection(browser, "Afterwards")

            silent = {VOICE_ACTIVITY: b"nothing", TIMER: SOON}
            await owner.updates(await bundle(tmp_path, "0.1.3", silent), "0.1.3")
            await owner.sees(ROLLED_BACK_S, "B (runs)", "The update to 0.1.3 was rolled back, because it did not get")
            await counted(box, A_OK="0", B_OK="1", B_TRY="0")
            assert "Rolled back" in await owner.sees(60, "0.1.1")
            await owner.sees(60, "Before", "Afterwards", path="/channels")
    with Card(tmp_path / "disk.img").data(tmp_path) as data:
        assert has_table(data, LATER), "the newer schema was there"


async def _has_connection(browser: Visitor, name: str) -> None:
    assert (await browser.send(filled_well(await browser.form("/channels/new"), name))).is_redirect


def _newer_schema(folder: Path) -> dict[str, bytes]:
    """One more migration than ours, as the image has it: compiled, and nobody compares it with its source."""
    source, compiled = folder / "schema.py", folder / "schema.pyc"
    more = f"CREATE TABLE {LATER} (id INTEGER); ALTER TABLE connections ADD COLUMN {LATER} TEXT NOT NULL DEFAULT ''"
    ours = (ROOT / SCHEMA).read_text()
    text, times = re.subn(r"(^MIGRATIONS = \([^)]*)\)", rf'\1    "{more}",\n)', ours, flags=re.MULTILINE)
    assert times == 1
    source.write_text(text)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(compiled), doraise=True, invalidation_mode=unchecked)
    return {SCHEMA: text.encode(), COMPILED: compiled.read_bytes()}
