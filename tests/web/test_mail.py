"""Somebody is told of a call by e-mail: entered in a real browser, called through a real Asterisk, carried by a real
mail server."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from playwright.sync_api import Page, expect

from tests.fakes.mail_server import Post, mail_server
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PBX_RTP, Appliance, appliance, browser, first_boot, shown
from tests.web.test_keeping import furnished
from tests.wire.test_box import ask

pytestmark = pytest.mark.web

OWNER = "owner@office.example"


async def test_a_call_is_told_by_e_mail(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, mail_server() as post, appliance(tmp_path) as box:
        broken = await trio.to_thread.run_sync(_the_story, box, pbx, post, tmp_path)
        assert broken == []
        logged = await trio.Path(box.log).read_text()
        assert [word for word in ("office.example", "canary") if word in logged] == []


def _the_story(box: Appliance, pbx: Pbx, post: Post, folder: Path) -> list[str]:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        trio.from_thread.run(furnished, box, pbx)
        broken = _wrongly_entered(page, box)
        broken += _entered(page, box, post)
        broken += _addresses(page, box)
        broken += _told(page, box, pbx, post, folder)
    return broken


def _wrongly_entered(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/box")
    page.get_by_role("link", name="Mail server").click()
    _fill(page, {"Server": "https://mail.office.example", "User": "box", "Password": "canary", "Sender": ""})
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#host-error")).to_contain_text("Must be the name or address of a mail server")
    assert page.get_by_label("Server", exact=True).input_value() == "https://mail.office.example"
    broken = shown(page, "mail-server-wrong")
    _fill(page, {"Server": "127.0.0.1", "Port": "9", "User": "", "Password": "", "Sender": "box@office.example"})
    page.get_by_label("Encryption").select_option("None")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The mail server is saved.")).to_be_visible()
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text("Nothing answers at the mail server's address")).to_be_visible()
    return broken


def _entered(page: Page, box: Appliance, post: Post) -> list[str]:
    page.goto(f"{box.address}/box/mail")
    _fill(page, {"Port": str(post.port)})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The mail server is saved.")).to_be_visible()
    _fill(page, {"Send it to": OWNER})
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text(f"The mail server took it for {OWNER}.")).to_be_visible()
    assert [each["Subject"] for each in post.got] == ["Test of the mail server, from deskbell"]
    return shown(page, "mail-server-test")


def _addresses(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/agents")
    page.get_by_role("link", name="Reception").first.click()
    _fill(page, {"E-mail addresses": f"{OWNER}\nAnna"})
    page.get_by_label("Send it", exact=True).select_option("After every call")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#mail_to-error")).to_contain_text("Must be an e-mail address")
    broken = shown(page, "agent-mail-wrong")
    _fill(page, {"E-mail addresses": OWNER})
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“Reception” is saved.")).to_be_visible()
    expect(page.get_by_text("Restart to apply")).to_have_count(0)
    return broken


def _told(page: Page, box: Appliance, pbx: Pbx, post: Post, folder: Path) -> list[str]:
    expect(page.get_by_text("Registered", exact=True).first).to_be_visible()
    trio.from_thread.run(ask, pbx, folder)
    trio.from_thread.run(_hung_up, pbx)
    trio.from_thread.run(post.has, 2)
    message = post.got[1]
    assert message["Subject"].startswith("Reception: call from ")
    page.goto(f"{box.address}/box/mail")
    expect(page.get_by_text("Sent", exact=True)).to_be_visible()
    broken = shown(page, "mail-server-sent")
    page.get_by_role("link", name="Call ended").click()
    session = page.url.rpartition("/")[2]
    assert f"https://deskbell.local/sessions/{session}" in message.get_content()
    return broken


async def _hung_up(pbx: Pbx) -> None:
    with trio.fail_after(PATIENCE_S):
        await pbx.rx("channel request hangup all")


def _fill(page: Page, values: dict[str, str]) -> None:
    for label, value in values.items():
        page.get_by_label(label, exact=label != "Send it to").first.fill(value)
