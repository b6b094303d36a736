"""Connectivity > Neural packs in a real browser: a file that is no pack, then a voice that is uploaded, heard, used."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from playwright.sync_api import Page, expect

from tests.office.neural_packs import tone_pack
from tests.patience import PATIENCE_S
from tests.web.appliance import Appliance, appliance, browser, first_boot, played, shown

pytestmark = pytest.mark.web


async def test_a_pack_is_uploaded_heard_and_in_use(tmp_path: Path) -> None:
    pack = await trio.to_thread.run_sync(tone_pack, tmp_path / "made")
    wrong = tmp_path / "holiday.deskbell-pack"
    await trio.Path(wrong).write_bytes(pack.read_bytes()[:-500])
    async with appliance(tmp_path) as box:
        assert await trio.to_thread.run_sync(_used, box, pack, wrong) == []


def _used(box: Appliance, pack: Path, wrong: Path) -> list[str]:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        page.goto(f"{box.address}/connectivity")
        page.get_by_role("link", name="Neural packs").click()
        broken = shown(page, "packs-none")
        _upload(page, wrong)
        expect(page.get_by_text("it is no pack, or not all of it arrived")).to_be_visible(timeout=PATIENCE_S * 1000)
        broken += shown(page, "packs-wrong")
        _upload(page, pack)
        expect(page.get_by_text("Taken", exact=True)).to_be_visible(timeout=PATIENCE_S * 1000)
        expect(page.get_by_text("it is no pack")).to_have_count(0)
        broken += shown(page, "packs")
        page.get_by_role("link", name="Use it").click()
        page.get_by_label("Name").fill("A tone")
        page.get_by_role("button", name="Save").click()
        page.get_by_label("Say this").fill("Good day.")
        page.get_by_role("button", name="Speak").click()
        expect(page.get_by_text("It spoke. The first sound came after")).to_be_visible(timeout=PATIENCE_S * 1000)
        assert played(page) > 0.5
        broken += shown(page, "packs-voice")
        page.goto(f"{box.address}/connectivity/packs")
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_text("A tone under Connectivity uses it")).to_be_visible()
    return broken


def _upload(page: Page, file: Path) -> None:
    page.get_by_label("Neural pack").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
