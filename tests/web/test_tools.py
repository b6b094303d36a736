"""An agent asks a program of its owner's: declared and tried in a real browser, asked in a call through a real
Asterisk, by a language model's server that calls it; and the session says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from playwright.sync_api import Page, expect

from app.control import views
from app.control.connectivity import ConnectivityView
from app.engines import ConnectivityDraft, ModelServer
from app.settings import Knowledge
from provisioning.client import Box
from tests.contract.test_http_tools import sends
from tests.fakes.model_server import ModelServer as Server
from tests.fakes.model_server import Script, call_of, model_server
from tests.fakes.webhook_receiver import FAILED, Receiver, receiver
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PBX_RTP, Appliance, appliance, browser, first_boot, shown
from tests.web.test_keeping import furnished
from tests.wire.test_box import ask

pytestmark = pytest.mark.web

KEY = "Bearer canary-of-the-tool"
STATE = b'{"state": "on its way"}'


async def test_an_agent_asks_a_program(tmp_path: Path) -> None:
    async with (
        office_pbx(rtp_ports=PBX_RTP) as pbx,
        receiver() as shop,
        model_server() as server,
        appliance(tmp_path) as box,
    ):
        server.respond = _asks_once
        shop.answers(FAILED, sends(STATE))
        broken = await trio.to_thread.run_sync(_the_story, box, pbx, shop, server, tmp_path)
        assert broken == []
        logged = await trio.Path(box.log).read_text()
        assert [word for word in ("canary", "on its way", "A-1034") if word in logged] == []
    assert {each.headers["authorization"] for each in shop.told} == {KEY}


def _asks_once(question: dict[str, Any]) -> Script:
    if any(each["role"] == "tool" for each in question["messages"]):
        return Script(["It is on its way."])
    return Script([], calls=call_of("order_status", '{"order": "B-7"}'))


def _the_story(box: Appliance, pbx: Pbx, shop: Receiver, server: Server, folder: Path) -> list[str]:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        trio.from_thread.run(furnished, box, pbx)
        trio.from_thread.run(_thinking, box, server)
        broken = _declared(page, box, shop)
        broken += _tried(page)
        broken += _typed(page, box, shop)
        broken += _asked(page, box, pbx, shop, folder)
    return broken


async def _thinking(box: Appliance, server: Server) -> None:
    """The agent gets a language model; past the page, whose forms have tests of their own."""
    control = Box(box.data / "control.sock")
    draft = ConnectivityDraft(name="Model", engine=ModelServer(base_url=server.base_url, model="small"))
    entry = await control.ask("create_connectivity", ConnectivityView, draft=draft)
    agents = await control.ask("list_agents", views.Agents)
    assert isinstance(entry, ConnectivityView)
    assert isinstance(agents, views.Agents)
    which = agents.items[0].id
    agent = await control.ask("get_agent", views.AgentDetail, id=which)
    assert isinstance(agent, views.AgentDetail)
    # Ears that are taught nothing but good-byes hear one in whatever a caller says.
    parking = Knowledge(questions=("where can i park", "is there parking"), answer="Behind the house.")
    settings = agent.plan.settings.model_copy(update={"knowledge": (parking,)})
    plan = agent.plan.model_copy(update={"language_model": entry.id, "settings": settings})
    saved = await control.ask("update_agent", views.AgentDetail, id=which, if_version=agent.view.version, plan=plan)
    assert isinstance(saved, views.AgentDetail)
    await control.close()


def _declared(page: Page, box: Appliance, shop: Receiver) -> list[str]:
    page.goto(f"{box.address}/agents")
    page.get_by_role("link", name="Reception").first.click()
    page.get_by_role("link", name="Add a tool").click()
    _fill(page, {"Name": "Order status", "When to use it": "Where is my order?", "Address": f"{shop.url}/{{order}}"})
    page.locator("#f1").fill("order number")
    page.locator("#e1").fill("A-1034")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#f1-error")).to_contain_text("cannot stand here")
    broken = shown(page, "agent-tool-wrong")
    page.locator("#f1").fill("order")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#address-error")).to_contain_text("Must begin with https://")
    page.get_by_label("Allow http:// in your own network").check()
    page.locator("#h1").fill("Authorization")
    page.locator("#s1").fill(KEY)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Order status” is saved. Try it below.")).to_be_visible()
    assert KEY not in page.content()
    return broken


def _tried(page: Page) -> list[str]:
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("It met an error of its own (500). Look into the program's log.")).to_be_visible()
    broken = shown(page, "agent-tool-fails")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("It works")).to_be_visible()
    expect(page.get_by_text('{"state": "on its way"}')).to_be_visible()
    return broken + shown(page, "agent-tool-works")


def _typed(page: Page, box: Appliance, shop: Receiver) -> list[str]:
    """The same without a call: the saved settings count, before any restart."""
    page.goto(f"{box.address}/agents")
    page.get_by_role("link", name="Reception").first.click()
    page.get_by_role("button", name="Chat with it").click()
    expect(page.get_by_role("heading", name="Chat with Reception")).to_be_visible()
    page.get_by_label("You say").fill("Where is my order?")
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_text("It is on its way.", exact=True)).to_be_visible()
    expect(page.get_by_text("The tool “Order status” answered in")).to_be_visible()
    assert shop.told[-1].path == "/calls/B-7"
    broken = shown(page, "chat")
    page.goto(f"{box.address}/sessions")
    expect(page.get_by_role("table")).to_have_count(0)
    return broken


def _asked(page: Page, box: Appliance, pbx: Pbx, shop: Receiver, folder: Path) -> list[str]:
    page.goto(f"{box.address}/agents")
    page.get_by_role("link", name="Reception").first.click()
    expect(page.get_by_text("its tools were changed").first).to_be_visible()
    page.get_by_role("button", name="Restart agent").click()
    expect(page.get_by_text("Registered", exact=True).first).to_be_visible()
    trio.from_thread.run(ask, pbx, folder)
    trio.from_thread.run(shop.is_told, 4)
    assert shop.told[-1].path == "/calls/B-7"
    trio.from_thread.run(_hung_up, pbx)
    page.goto(f"{box.address}/sessions")
    page.get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_text("The tool “Order status” answered in")).to_be_visible()
    return shown(page, "session-with-a-tool")


async def _hung_up(pbx: Pbx) -> None:
    await trio.sleep(3)  # the answer is heard before
    with trio.fail_after(PATIENCE_S):
        await pbx.rx("channel request hangup all")


def _fill(page: Page, values: dict[str, str]) -> None:
    for label, value in values.items():
        page.get_by_label(label).first.fill(value)
