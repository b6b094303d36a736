"""The first hour with a box, in a real browser: on a telephone with one thing after the other, and from a file."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import trio
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.unit.test_set_up_file import EXAMPLE
from tests.web.appliance import PBX_RTP, Appliance, appliance, browser, first_boot, shown
from tests.web.canary import holding

pytestmark = pytest.mark.web

PHONE = ViewportSize(width=360, height=740)


async def test_an_office_manager_with_a_telephone(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as box:
        assert await trio.to_thread.run_sync(_walk, box, pbx) == []
        await _found_under_its_new_name(box)


def _walk(box: Appliance, pbx: Pbx) -> list[str]:
    with browser(zone="Europe/Berlin") as context:
        page = _opened(context, box)
        first_boot(page, box)
        broken = _name_and_zone(page)
        broken += _line(page, pbx)
        page.close()  # a telephone call comes in between
        page = _opened(context, box)
        page.get_by_role("link", name="Go on to the first call").click()
        broken += _agent(page)
        broken += _certificate(page, box)
    return broken


def _opened(context: BrowserContext, box: Appliance) -> Page:
    page = context.new_page()
    page.set_viewport_size(PHONE)
    page.goto(box.address)
    return page


def _looked(page: Page, name: str) -> list[str]:
    found = shown(page, name)
    page.set_viewport_size(PHONE)
    return found


def _name_and_zone(page: Page) -> list[str]:
    """The zone is the browser's; a wrong name is told, and leads back to the road once it is right."""
    assert page.get_by_label("Time zone").input_value() == "Europe/Berlin"
    expect(page.get_by_text("Taken from this browser.")).to_be_visible()
    broken = _looked(page, "road-new")
    page.get_by_label("Name").fill("Front Desk")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Use small letters, digits and hyphens only").first).to_be_visible()
    assert page.get_by_label("Time zone").input_value() == "Europe/Berlin"
    page.get_by_label("Name").fill("front-desk")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This box is called “front-desk”, in the zone Europe/Berlin.")).to_be_visible()
    return broken


def _line(page: Page, pbx: Pbx) -> list[str]:
    """The password is typed once, though the domain was wrong at first, and it was tried before it was saved."""
    page.get_by_role("link", name="Add the SIP connection").click()
    page.get_by_label("Name").fill("Office PBX")
    page.get_by_label("Domain").fill("not a host!")
    page.get_by_label("User").fill("200")
    page.get_by_label("Password").fill(pbx.accounts["200"].password)
    page.get_by_role("button", name="Try to register").click()
    expect(page.get_by_text("must be a host name or address").first).to_be_visible()
    page.get_by_label("Domain").fill(pbx.address)
    page.get_by_role("button", name="Try to register").click()
    expect(page.get_by_text("It works")).to_be_visible()
    broken = _looked(page, "road-line-works")
    page.get_by_role("button", name="Save this connection").click()
    expect(page.get_by_role("link", name="Write the agent")).to_be_visible()
    return broken


def _agent(page: Page) -> list[str]:
    """The only line is attached already. Saved, it is started from the road, which then says what to dial."""
    page.get_by_role("link", name="Write the agent").click()
    assert page.get_by_label("Attached").is_checked()
    assert page.get_by_label("Inbound").is_checked()
    page.get_by_label("Greeting", exact=True).fill("Good day, this is the office.")
    page.get_by_role("button", name="Save", exact=True).click()
    broken = _looked(page, "road-agent")
    page.get_by_role("button", name="Start “Reception”").click()
    expect(page.get_by_text("Registered", exact=True)).to_be_visible()
    expect(page.get_by_text("Call 200 from any phone")).to_be_visible()
    broken += _looked(page, "road-dial")
    page.get_by_role("link", name="Leave it for later").click()
    expect(page.get_by_text("Nobody has called yet")).to_be_visible()
    return broken


def _certificate(page: Page, box: Appliance) -> list[str]:
    fingerprint = re.findall(r"^  ([0-9A-F:]{95})$", box.log.read_text(), re.MULTILINE)[0]
    page.goto(f"{box.address}/box/certificate")
    expect(page.get_by_text(fingerprint)).to_be_visible()
    expect(page.get_by_text("It does not name front-desk.local and front-desk")).to_be_visible()
    return _looked(page, "certificate")


async def _found_under_its_new_name(box: Appliance) -> None:
    async with httpx.AsyncClient(
        verify=False,  # noqa: S501 - its own certificate
        base_url=box.address,
        timeout=PATIENCE_S,
    ) as client:
        port = box.address.rpartition(":")[2]
        answer = await client.get("/sign-in", headers={"host": f"front-desk.local:{port}"})
        stranger = await client.get("/sign-in", headers={"host": f"evil.example:{port}"})
    assert (answer.status_code, stranger.status_code) == (200, 421)


async def test_from_a_file_on_the_card(tmp_path: Path) -> None:
    """Nobody does anything but put the card in: the agent is registered, and the password is the file's."""
    boot = tmp_path / "boot"
    boot.mkdir()
    async with office_pbx(rtp_ports=PBX_RTP) as pbx:
        text = EXAMPLE.read_text().replace("pbx.office.lan", pbx.address)
        secret = pbx.accounts["200"].password
        (boot / "deskbell-setup.toml").write_text(text.replace("the password of extension 200", secret))
        async with appliance(tmp_path, boot=boot) as box:
            with trio.fail_after(PATIENCE_S):
                while not await pbx.contacts():  # noqa: ASYNC110 - the PBX tells nobody
                    await trio.sleep(0.2)
            await trio.to_thread.run_sync(_sign_in, box)
            assert list(boot.iterdir()) == []
            assert holding(tmp_path, secret) == []


def _sign_in(box: Appliance) -> None:
    with browser() as context:
        page = _opened(context, box)
        page.get_by_label("Password of this box").fill("three green frogs")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Running", exact=True).first).to_be_visible()
        page.goto(f"{box.address}/set-up")
        expect(page.get_by_text("Call 200 from any phone")).to_be_visible()
