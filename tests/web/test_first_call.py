"""From a new box to a call that can be read and heard, in a real browser, with the real box and the real Asterisk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import trio
from playwright.sync_api import BrowserContext, Page, expect

from app.control import views
from firmware.appliance import CONTROL_SOCKET
from provisioning.client import Box
from tests.bench.processes import tree_of
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PASSWORD, PBX_RTP, Appliance, appliance, browser, first_boot, played, shown, weight
from tests.web.canary import disguises, holding, in_start
from tests.wire.test_box import ask

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]  # the longest story: a minute on an idle machine

WRONG = "not the password of 200"
LARGEST_PAGE = 100 * 1024
QUESTIONS, ANSWER = (
    "where can I park\nis there parking\ndo you have a car park",
    "There is a car park behind the house.",
)


async def test_the_road_of_a_new_box(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as box:
        broken = await trio.to_thread.run_sync(_the_road, box, pbx, tmp_path)
        assert broken == []
        secret = pbx.accounts["200"].password
        assert holding(tmp_path, secret) == []
        assert [where for pid in tree_of(box.program.pid) for where in in_start(pid, disguises(secret))] == []


def _the_road(box: Appliance, pbx: Pbx, folder: Path) -> list[str]:
    with browser() as context:
        page = context.new_page()
        page.goto(box.address)
        broken = _first_boot(page, box)
        broken += _connection(page, pbx, shown)
        _agent(page, box)
        _call(page, box, pbx, folder)
        broken += _test_calls(page, box)
        broken += _edit_and_restart(page, box, pbx)
        _weigh(context, box)
        broken += _delete(page, box)
    return broken


def _first_boot(page: Page, box: Appliance) -> list[str]:
    _fill(page, {"Set-up code": "0000 0000", "Your password": PASSWORD, "The password again": PASSWORD})
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("This is not the code")).to_be_visible()
    broken = shown(page, "first-boot-wrong")
    first_boot(page, box)
    return broken


def _unseen(_: Page, __: str) -> list[str]:
    """The accessibility rules are a script, which this browser does not run."""
    return []


def _connection(page: Page, pbx: Pbx, look: Callable[[Page, str], list[str]]) -> list[str]:
    """Wrong password first: the cause is seen; then the right one."""
    page.get_by_role("link", name="Add the SIP connection").click()
    _fill(page, {"Name": "<b>Office</b> PBX", "Domain": "not a host!", "User": "200", "Password": WRONG})
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("alert").get_by_role("link", name="Domain").click()
    expect(page.get_by_label("Domain")).to_be_focused()
    expect(page.locator("#domain-error")).to_contain_text("Must be a host name or address")
    assert page.get_by_label("Name").input_value() == "<b>Office</b> PBX", "what was typed stays, as text"
    _fill(page, {"Name": "Office PBX", "Domain": pbx.address, "User": "200", "Password": WRONG})
    page.get_by_role("button", name="Try to register").click()
    expect(page.get_by_text("Wrong user, login or password")).to_be_visible()
    broken = look(page, "channel-trial-wrong")
    page.get_by_label("Password").fill(pbx.accounts["200"].password)
    page.get_by_role("button", name="Try to register").click()
    expect(page.get_by_text("It works")).to_be_visible()
    assert page.get_by_label("Password").input_value() == "••••••••", "it is kept, and did not travel back"
    broken += _dial_rules(page, look)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“Office PBX” is saved.")).to_be_visible()
    return broken


def _dial_rules(page: Page, look: Callable[[Page, str], list[str]]) -> list[str]:
    """What is dialled is shown while the rules are typed; without script, when asked."""
    page.get_by_text("Advanced", exact=True).click()
    page.get_by_label("Form of numbers").select_option("national")
    page.get_by_label("Country code").fill("49")
    page.get_by_label("Put before").fill("0")
    asks = page.get_by_role("button", name="Show what is dialled")
    if asks.is_visible():
        asks.click()
    expect(page.get_by_text("+49 30 1234 → 00301234")).to_be_visible()
    assert page.get_by_label("Password").input_value() == "••••••••", "still kept"
    return look(page, "channel-dial-rules")


def _agent(page: Page, box: Appliance) -> None:
    page.goto(f"{box.address}/agents/new")
    _fill(page, {"Name": "Reception", "Greeting": "Good day, this is the office."}, exact=False)
    page.get_by_label("Ways to ask").first.fill(QUESTIONS)
    page.get_by_label("Answer").first.fill(ANSWER)
    page.get_by_label("Attached").check()
    page.get_by_label("Inbound").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Start agent").click()
    expect(page.get_by_text("Registered", exact=True)).to_be_visible()
    expect(page.get_by_text("Running", exact=True)).to_be_visible()


def _call(page: Page, box: Appliance, pbx: Pbx, folder: Path) -> None:
    trio.from_thread.run(ask, pbx, folder)
    page.goto(f"{box.address}/sessions")
    page.get_by_role("table").get_by_role("link").first.click()
    # live: the page was open before it was said
    expect(page.get_by_role("listitem").get_by_text(ANSWER)).to_be_visible()
    trio.from_thread.run(_hung_up, pbx)
    expect(page.locator("#live-session").get_by_text("Answered", exact=True)).to_be_visible()
    page.reload()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    sound, rate_hz = soundfile.read(downloading.value.path(), always_2d=True)
    assert sound.shape[1] == 2
    assert len(sound) / rate_hz > 5
    assert abs(sound[:, 1]).max() > 0.05, "the agent is on the right"
    played(page)


def _test_calls(page: Page, box: Appliance) -> list[str]:
    """To somebody who is busy, to somebody who answers, and an echo test; each says how it went."""
    broken = _webhook(page, box)
    page.goto(f"{box.address}/test")
    page.get_by_role("textbox", name="Number").fill("603")
    page.get_by_role("button", name="Call now").click()
    expect(page.get_by_text("486")).to_be_visible()
    page.get_by_role("textbox", name="Number").fill("602")
    page.get_by_role("button", name="Call now").click()
    expect(page.get_by_text("Talking")).to_be_visible()
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("Answered", exact=True)).to_be_visible()
    page.get_by_role("textbox", name="Number").fill("601")
    page.get_by_label("Echo test").check()
    page.get_by_role("button", name="Call now").click()
    expect(page.get_by_text("We hear you at")).to_be_visible()
    broken += shown(page, "test")
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("Talking")).to_be_hidden()
    page.goto(f"{box.address}/box/webhook")
    expect(page.get_by_role("button", name="Send again now")).to_have_count(2)  # an echo test is not told
    expect(page.get_by_text("Nothing answers at its address").first).to_be_visible()
    page.get_by_text("Attempts").first.click()
    return broken + shown(page, "webhook-not-taken")


def _webhook(page: Page, box: Appliance) -> list[str]:
    """To nobody: the page says so, for the test and for each call."""
    page.goto(f"{box.address}/box")
    page.get_by_role("link", name="Webhook").click()
    _fill(page, {"Address": "http://8.8.8.8/calls", "Secret": "a secret of this test"})
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#url-error")).to_contain_text("Must begin with https://")
    _fill(page, {"Address": "http://127.0.0.1:9/calls", "Secret": "a secret of this test"})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The webhook is saved.")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Nothing answers at its address")).to_be_visible()
    return shown(page, "webhook-test")


async def _hung_up(pbx: Pbx) -> None:
    await pbx.rx("channel request hangup all")


def _edit_and_restart(page: Page, box: Appliance, pbx: Pbx) -> list[str]:
    """Another password is stored, and counts from the restart on."""
    page.goto(f"{box.address}/channels")
    page.get_by_role("link", name="Office PBX").click()
    assert page.get_by_label("Password").input_value() == "••••••••"
    page.get_by_label("Password").fill(WRONG)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Restart to apply: Reception.")).to_be_visible()
    expect(page.get_by_text("Registered", exact=True)).to_be_visible()
    page.goto(f"{box.address}/agents")
    expect(page.get_by_text("Restart to apply")).to_be_visible()
    broken = shown(page, "agents-restart-pending")
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_text("Wrong user, login or password", exact=True)).to_be_visible()
    page.goto(f"{box.address}/diagnosis")
    expect(page.get_by_text("Calls to 200 never arrive")).to_be_visible()
    page.goto(f"{box.address}/channels")
    page.get_by_role("link", name="Office PBX").click()
    page.get_by_label("Password").fill(pbx.accounts["200"].password)
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{box.address}/agents")
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_text("Registered", exact=True)).to_be_visible()
    page.get_by_label("More for Reception").click()
    page.get_by_role("link", name="Show logs").click()
    expect(page.get_by_text("Not registered: wrong user, login or password (401 Unauthorized)").first).to_be_visible()
    expect(page.get_by_text("Registered with the PBX for").first).to_be_visible()
    return broken + shown(page, "agent-log")


def _weigh(context: BrowserContext, box: Appliance) -> None:
    for path in ("/", "/sessions", "/connectivity", "/agents/import", "/box", "/password"):
        assert 10_000 < weight(context, box.address + path) < LARGEST_PAGE


def _delete(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/channels")
    page.get_by_role("link", name="Office PBX").click()
    page.get_by_role("button", name="Delete this connection").click()
    expect(page.get_by_text("Calls to 200 no longer reach Reception.")).to_be_visible()
    broken = shown(page, "confirm-delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The connection is deleted.")).to_be_visible()
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    return broken + shown(page, "sign-in")


async def test_without_script_in_the_dark_and_after_a_power_cut(tmp_path: Path) -> None:
    """Forms need no script; what was acknowledged is there after kill -9, and agents that ran run again."""
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as box:
        await trio.to_thread.run_sync(_set_up_without_script, box, pbx)
        for _ in range(3):
            [telephone] = box.pids("firmware")
            os.kill(telephone, signal.SIGKILL)
            await _comes_back(box, telephone)
        await trio.to_thread.run_sync(_looks_again, box)


async def _comes_back(box: Appliance, before: int) -> None:
    """Another telephone has registered: the PBX still knows the one before, so the box is asked."""
    control = Box(box.data / CONTROL_SOCKET)
    with trio.fail_after(PATIENCE_S):
        while before in box.pids("firmware") or not await _is_registered(control):  # noqa: ASYNC110
            await trio.sleep(0.2)  # another process does not announce itself
    await control.close()


async def _is_registered(control: Box) -> bool:
    found = await control.ask("list_connections", views.Connections)
    lines = found.items if isinstance(found, views.Connections) else ()
    return any(each.registration and each.registration.registered for each in lines)


def _set_up_without_script(box: Appliance, pbx: Pbx) -> None:
    with browser(script=False, dark=True) as context:
        page = context.new_page()
        first_boot(page, box)
        _connection(page, pbx, _unseen)
        page.goto(f"{box.address}/agents/new")
        page.get_by_role("button", name="More entries").click()
        expect(page.get_by_label("Ways to ask")).to_have_count(4)
        page.get_by_label("Attached").check()
        page.get_by_label("Inbound").check()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Start agent").click()


def _looks_again(box: Appliance) -> None:
    with browser() as context:
        page = context.new_page()
        page.goto(box.address)
        page.get_by_label("Password of this box").fill("wrong password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("That is not the password")).to_be_visible()
        page.get_by_label("Password of this box").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Running", exact=True)).to_be_visible()
        expect(page.get_by_text("Registered", exact=True)).to_be_visible()


def _fill(page: Page, fields: dict[str, str], *, exact: bool = False) -> None:
    for label, value in fields.items():
        page.get_by_label(label, exact=exact).first.fill(value)
