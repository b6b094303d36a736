"""A box is backed up, made new, and gets its settings back: in a real browser, with the real box and Asterisk."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
import trio
from playwright.sync_api import Page, expect

from app.control import views
from app.settings import Agent, ConnectionDraft
from provisioning.client import Box
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PASSWORD, PBX_RTP, Appliance, appliance, browser, first_boot, shown

pytestmark = pytest.mark.web

PASSPHRASE = "three good words"
GREETING = "Good day, this is the canary office."


async def test_a_box_is_backed_up_reset_and_restored(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as box:
        broken = await trio.to_thread.run_sync(_the_story, box, pbx, tmp_path)
        assert broken == []


def _the_story(box: Appliance, pbx: Pbx, folder: Path) -> list[str]:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        trio.from_thread.run(furnished, box, pbx)
        _registered(page, box)
        _backed_up(page, box, folder / "kept.backup")
        _supported(page, box, folder / "bundle.zip", pbx)
        broken = _reset(page, box)
        code = trio.from_thread.run(_next_code, box)
        _nothing_left(folder, pbx)
        first_boot(page, box, code)
        broken += _restored(page, box, folder / "kept.backup")
        _registered(page, box)
    return broken


async def furnished(box: Appliance, pbx: Pbx) -> None:
    """A connection, and an agent that runs on it; past the page, whose forms have tests of their own."""
    control = Box(box.data / "control.sock")
    account = {"name": "Office PBX", "domain": pbx.address, "user": "200", "password": pbx.accounts["200"].password}
    draft = ConnectionDraft.model_validate(account)
    connection = await control.ask("create_connection", views.ConnectionView, draft=draft)
    assert isinstance(connection, views.ConnectionView)
    plan = views.AgentPlan(
        settings=Agent(name="Reception", greeting=GREETING),
        attachments=(views.Attachment(connection_id=connection.id, inbound=True),),
        speech_to_text="box-ears",
        text_to_speech="box-voice-slt",
    )
    agent = await control.ask("create_agent", views.AgentDetail, plan=plan)
    assert isinstance(agent, views.AgentDetail)
    await control.ask("start_agent", views.AgentView, id=agent.view.id)
    await control.close()


def _registered(page: Page, box: Appliance) -> None:
    page.goto(f"{box.address}/agents")
    expect(page.get_by_text("Registered", exact=True).first).to_be_visible()
    expect(page.get_by_text("Running", exact=True).first).to_be_visible()


def _backed_up(page: Page, box: Appliance, file: Path) -> None:
    page.goto(f"{box.address}/box")
    page.get_by_role("link", name="Make a backup").click()
    page.get_by_label("Password of this box").fill(PASSWORD)
    page.get_by_label("Passphrase", exact=False).first.fill(PASSPHRASE)
    page.get_by_label("The passphrase again").fill(PASSPHRASE)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download the backup").click()
    assert re.fullmatch(r"deskbell-deskbell-\d{4}-\d\d-\d\d\.backup", downloading.value.suggested_filename)
    downloading.value.save_as(file)
    assert GREETING.encode() not in file.read_bytes()


def _supported(page: Page, box: Appliance, file: Path, pbx: Pbx) -> None:
    page.goto(f"{box.address}/box")
    page.get_by_role("link", name="Support bundle").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the bundle").click()
    downloading.value.save_as(file)
    with zipfile.ZipFile(file) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert "Registered with the PBX" in texts["registrations.json"]
    planted = ("Office PBX", "Reception", "canary", pbx.address, pbx.accounts["200"].password)
    assert [(name, word) for name, text in texts.items() for word in planted if word in text] == []


def _reset(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/box")
    page.get_by_role("link", name="Factory reset").click()
    page.get_by_label("Everything:").check()
    page.get_by_label("Type the name of this box").fill("another box")
    page.get_by_role("button", name="Reset this box").click()
    expect(page.get_by_text("Nothing was reset.")).to_be_visible()
    broken = shown(page, "box-reset")
    page.get_by_label("Type the name of this box").fill("deskbell")
    page.get_by_role("button", name="Reset this box").click()
    expect(page.get_by_role("heading", name="The box is being reset")).to_be_visible()
    return broken + shown(page, "box-reset-done")


async def _next_code(box: Appliance) -> str:
    with trio.fail_after(PATIENCE_S):
        while True:
            codes = re.findall(r"Set-up code: (\d{4} \d{4})", await trio.Path(box.log).read_text())
            if codes[-1] != box.set_up_code:
                return str(codes[-1])
            await trio.sleep(0.1)  # another process's file does not announce itself


def _nothing_left(folder: Path, pbx: Pbx) -> None:
    """Neither of the settings nor of who was signed in; the log of the launcher is not the box's."""
    files = [file for part in ("data", "admin") for file in (folder / part).rglob("*") if file.is_file()]
    planted = (GREETING.encode(), b"Office PBX", pbx.accounts["200"].password.encode())
    assert [(file.name, word) for file in files for word in planted if word in file.read_bytes()] == []
    assert not (folder / "admin" / "password").exists()


def _restored(page: Page, box: Appliance, file: Path) -> list[str]:
    page.goto(f"{box.address}/box/restore")
    page.get_by_label("Backup file").set_input_files(file)
    page.get_by_label("Passphrase").fill("three bad words")
    page.get_by_role("button", name="Open the backup").click()
    expect(page.get_by_text("does not open the backup").first).to_be_visible()
    broken = shown(page, "box-restore-wrong")
    page.get_by_label("Backup file").set_input_files(file)
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Open the backup").click()
    expect(page.get_by_text("1: Office PBX")).to_be_visible()
    broken += shown(page, "box-restore-preview")
    page.get_by_role("button", name="Replace all settings by this backup").click()
    expect(page.get_by_text("The backup is restored.")).to_be_visible()
    return broken
