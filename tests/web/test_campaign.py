"""A campaign from its first page to its results, in a real browser, with the real box, a real Asterisk whose
extensions answer or are busy; then the same pages without script."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from playwright.sync_api import BrowserContext, Page, expect

from app.control import views
from firmware.appliance import CONTROL_SOCKET
from provisioning.client import Box
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PASSWORD, PBX_RTP, Appliance, appliance, browser, shown, weight
from tests.web.showroom import _told
from tests.wire.box import until

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]

LARGEST_PAGE = 100 * 1024

ANSWERS, BUSY = "602", "603"
"""Extensions of the office's PBX. The first one answers, and says nothing."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Look = Callable[[Page, str], list[str]]


async def test_from_a_list_with_errors_to_results(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as page:
        box = Box(page.data / CONTROL_SOCKET)
        try:
            await _an_agent(box, pbx)
        finally:
            await box.close()
        broken = await trio.to_thread.run_sync(_the_road, page, tmp_path)
    assert broken == []


async def _an_agent(box: Box, pbx: Pbx) -> None:
    """It runs, and says good-bye after 5 s of silence."""
    account = pbx.accounts["200"]
    draft = {"name": "Office PBX", "domain": pbx.address, "user": "200", "password": account.password}
    line = await _told(box, "create_connection", views.ConnectionView, draft=draft)
    plan = {
        "settings": {"name": "Reminders", "greeting": "Hello {name}.", "silence_s": 5},
        "attachments": [{"connection_id": line.id, "inbound": True}],
        "speech_to_text": "box-ears",
        "text_to_speech": "box-voice-slt",
    }
    agent = await _told(box, "create_agent", views.AgentDetail, plan=plan)
    await _told(box, "start_agent", views.AgentView, id=agent.view.id)

    async def registered() -> bool:
        return "200" in await pbx.contacts()

    await until(registered, PATIENCE_S)


def _the_road(box: Appliance, folder: Path) -> list[str]:
    with browser() as context:
        page = context.new_page()
        _first_boot(page, box)
        broken = _made(page, box, shown)
        broken += _flow(page, shown)
        broken += _list(page, ANSWERS, folder, shown)
        broken += _called(context, page, box, ANSWERS)
        broken += _do_not_call(page, box, ANSWERS)
        cookies = context.cookies()
    with browser(script=False) as context:
        context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gives, it takes
        _without_script(context.new_page(), box, folder)
    return broken


def _first_boot(page: Page, box: Appliance) -> None:
    page.goto(box.address)
    for label, value in {"Set-up code": box.set_up_code, "Your password": PASSWORD, "again": PASSWORD}.items():
        page.get_by_label(label).first.fill(value)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="From here to the first call")).to_be_visible()


def _made(page: Page, box: Appliance, look: Look) -> list[str]:
    page.goto(f"{box.address}/campaigns")
    broken = look(page, "campaigns-none")
    page.get_by_role("link", name="Add the first one").click()
    page.get_by_label("Name").fill("Spring <b>reminders</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Spring <b>reminders</b>” is saved.")).to_be_visible()
    broken += look(page, "campaign-data")
    page.get_by_role("link", name="Calling", exact=True).click()
    for day in _DAYS:
        page.get_by_label(day, exact=True).fill("0:00-24:00")
    page.get_by_label("Kept free for callers").fill("99")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_role("link", name="Kept free for callers").click()
    expect(page.get_by_label("Kept free for callers")).to_be_focused()
    page.get_by_label("Kept free for callers").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is saved.")).to_be_visible()
    return broken + look(page, "campaign-calling")


def _flow(page: Page, look: Look) -> list[str]:
    """A step is put behind the call, and both ways lead to the end."""
    page.get_by_role("link", name="Flow", exact=True).click()
    page.get_by_label("What it does").select_option("check")
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_text("This is not saved yet.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is saved.")).to_be_visible()
    expect(page.locator("svg.flow .check")).to_have_count(1)
    broken = look(page, "campaign-flow")
    page.get_by_role("link", name="Edit as text").click()
    typed = page.get_by_label("YAML")
    typed.fill(typed.input_value().replace("do: check", "do: check\n  colour: red"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile(r"Line \d+: “colour”: is not known here"))).to_be_visible()
    broken += look(page, "campaign-flow-text")
    page.get_by_role("link", name="Back to the drawing").click()
    return broken


def _list(page: Page, number: str, folder: Path, look: Look) -> list[str]:
    wrong = folder / "list.xlsx"
    wrong.write_bytes(b"PK\x03\x04 a workbook")
    rows = folder / "list.csv"
    rows.write_text(f"Telephone;First name\n{number};Ada\n{BUSY};=Ben\nnobody?;Cyd\n{BUSY};Ben again\n1;2;3\n")
    page.get_by_role("link", name="Lists", exact=True).click()
    page.get_by_label("The file").set_input_files(wrong)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("This is a workbook (XLSX or ODS), not CSV.")).to_be_visible()
    page.get_by_label("The file").set_input_files(rows)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("5 rows, UTF-8, separated by semicolon.")).to_be_visible()
    broken = look(page, "campaign-list-new")
    page.get_by_role("button", name="Check the list").click()
    expect(page.get_by_role("button", name="Take over 2")).to_be_visible()
    broken += look(page, "campaign-list")
    page.get_by_role("button", name="Take over 2").click()
    expect(page.get_by_text("2 added, 0 changed.")).to_be_visible()
    return broken


def _called(context: BrowserContext, page: Page, box: Appliance, number: str) -> list[str]:
    """The page shows by itself how far it is."""
    page.get_by_role("link", name="Analytics", exact=True).click()
    page.get_by_role("button", name="Start campaign").click()
    expect(page.get_by_text("1 of 2 done")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Answered 1"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Busy 1"))).to_be_visible()
    broken = shown(page, "campaign-analytics")
    with page.expect_download() as loading:
        page.get_by_role("link", name="Download as CSV").click()
    results = list(csv.DictReader(io.StringIO(loading.value.path().read_text(encoding="utf-8-sig"))))
    assert [(one["number"], one["name"], one["status"], one["outcome"]) for one in results] == [
        (number, "Ada", "Completed", "answered"),
        (BUSY, "'=Ben", "Started", "busy"),
    ]
    page.get_by_role("link", name="Participants", exact=True).click()
    broken += shown(page, "campaign-participants")
    page.get_by_role("link", name=number).click()
    broken += shown(page, "campaign-participant")
    address = page.url
    page.locator("ul.rows a").first.click()
    expect(page.get_by_role("heading", name=f"Call to {number}")).to_be_visible()
    campaign = address.partition("/participants")[0]
    for path in ("", "/flow", "/data", "/calling", "/participants"):
        assert weight(context, campaign + path) < LARGEST_PAGE, path
    page.goto(campaign)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("1 participant is not finished")).to_be_visible()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("is stopped.")).to_be_visible()
    page.goto(f"{box.address}/campaigns")
    return broken + shown(page, "campaigns")


def _do_not_call(page: Page, box: Appliance, number: str) -> list[str]:
    page.goto(f"{box.address}/do-not-call")
    page.get_by_label("Numbers", exact=True).fill(f"{number}\n+44 20 7946 0123")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("2 numbers are added")).to_be_visible()
    page.get_by_role("searchbox").fill("+44 (20) 7946-0123")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("+44 20 7946 0123").first).to_be_visible()
    return shown(page, "do-not-call")


def _without_script(page: Page, box: Appliance, folder: Path) -> None:
    """Another campaign, as far as a list goes that nobody starts."""
    page.goto(f"{box.address}/campaigns/new")
    page.get_by_label("Name").fill("By hand")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="More fields").click()
    page.get_by_role("button", name="Save").click()
    _flow(page, _unseen)
    (folder / "second").mkdir()
    _list(page, "0123456789", folder / "second", _unseen)
    page.get_by_role("link", name="Participants", exact=True).click()
    page.get_by_role("link", name="0123456789").click()
    page.get_by_role("button", name="Remove this participant").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The participant is removed.")).to_be_visible()


def _unseen(_: Page, __: str) -> list[str]:
    """The accessibility rules are a script, which this browser does not run."""
    return []
