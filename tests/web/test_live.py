"""Pages that change under one's eyes: typed text and focus stay, the news is said, restarts are outlived."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio
from playwright.sync_api import Page, expect

from app.control import views
from app.control.refusals import Refusal
from firmware.appliance import CONTROL_SOCKET
from provisioning.client import A, Box
from tests.web.appliance import Appliance, appliance, browser, first_boot

pytestmark = pytest.mark.web

SPEECH = {"speech_to_text": "box-ears", "text_to_speech": "box-voice-slt"}


async def test_a_live_page_disturbs_nobody(tmp_path: Path) -> None:
    async with appliance(tmp_path) as box:
        asked = Box(box.data / CONTROL_SOCKET)
        agent = await _told(
            asked, "create_agent", views.AgentDetail, plan={"settings": {"name": "Night desk"}} | SPEECH
        )
        await trio.to_thread.run_sync(_looked_at, box, asked, agent.view.id)
        await asked.close()


def _looked_at(box: Appliance, asked: Box, agent_id: str) -> None:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        page.goto(f"{box.address}/agents")
        page.get_by_label("Search agents").fill("half a wo")
        page.get_by_label("More for Night desk").click()
        page.get_by_role("link", name="Edit").focus()
        trio.from_thread.run(_ask, asked, "start_agent", agent_id)
        expect(page.get_by_text("Running", exact=True).and_(page.locator(".badge"))).to_be_visible()
        _undisturbed(page)
        expect(page.get_by_role("status").filter(has_text="1 of 1 agents run.")).to_have_count(1)
        os.kill(box.pids("firmware")[0], signal.SIGKILL)
        expect(page.get_by_text("The box does not answer.")).to_be_visible()
        expect(page.get_by_text("The box does not answer.")).to_be_hidden()
        _undisturbed(page)
        trio.from_thread.run(_ask, asked, "stop_agent", agent_id)
        expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
        _undisturbed(page)
        _signed_out_elsewhere(page, box)


def _undisturbed(page: Page) -> None:
    expect(page.get_by_role("link", name="Edit")).to_be_focused()
    expect(page.get_by_label("Search agents")).to_have_value("half a wo")


def _signed_out_elsewhere(page: Page, box: Appliance) -> None:
    other = page.context.new_page()
    other.goto(box.address)
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    other.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("You are signed out.")).to_be_visible()


async def _ask(box: Box, verb: str, agent_id: str) -> None:
    await _told(box, verb, views.AgentView, id=agent_id)


async def _told(box: Box, verb: str, answer: type[A], **question: object) -> A:
    told = await box.ask(verb, answer, **question)
    assert not isinstance(told, Refusal), told.text
    return told
