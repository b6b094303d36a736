"""A workflow, made by somebody with forms, mended where it was wrong, changed as text, and tried in a chat."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.control import views
from tests.web.forms import Form, form_to, text_of
from tests.web.site import Site, site

pytestmark = pytest.mark.web

TEXT = """\
first: welcome
states:
- name: welcome
  then:
  - to: tables
    said:
    - a table
- name: tables
  says: For how many people?
  last: true
"""


async def test_a_workflow_is_made_mended_and_tried(tmp_path: Path) -> None:
    async with site(tmp_path) as page:
        made = await page.box.ask("create_agent", views.AgentDetail, plan=_plan())
        assert isinstance(made, views.AgentDetail)
        agent = f"/agents/{made.view.id}"
        assert "None: one conversation without states." in (await page.browser.client.get(agent)).text
        await _made_by_form(page, f"{agent}/workflow")
        await _changed_as_text(page, f"{agent}/workflow/text")
        await _kept_by_the_agents_own_page(page, agent)
        await _tried(page, agent)
        assert page.wrong == []


def _plan() -> views.AgentPlan:
    settings = {"name": "Inn", "greeting": "Good day."}
    return views.AgentPlan.model_validate(
        {"settings": settings, "speech_to_text": "box-ears", "text_to_speech": "box-voice-slt"}
    )


async def _made_by_form(page: Site, path: str) -> None:
    form = await page.browser.form(path)
    for _ in range(2):
        form = form_to((await page.browser.send(form.ticked(change="add"))).text, path)
    form = form.filled(**{"s0.name": "welcome", "first": "state-1", "s0.t0.to": "state-2"})
    refused = await page.browser.send(form)
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "It says not when: fill in when, result or said." in text_of(refused.text)
    mended = form_to(refused.text, path).filled(**{"s0.t0.said": "a table"})
    assert mended.shown("first") == "welcome", "what leads to a state follows its name"
    saved = await page.browser.send(mended)
    assert saved.is_redirect, text_of(saved.text)
    assert (await page.browser.form(path)).shown("s0.t0.to") == "state-2"


async def _changed_as_text(page: Site, path: str) -> None:
    form = await page.browser.form(path)
    assert "- name: state-2" in form.shown("text")
    wrong = await page.browser.send(form.filled(text=TEXT.replace("to: tables", "to: chairs")))
    assert wrong.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "Line 5: There is no state “chairs”" in text_of(wrong.text)
    unread = await page.browser.send(form_to(wrong.text, path).filled(text=TEXT.replace("says", "sings")))
    assert "Line 9: “sings”: is not known here." in text_of(unread.text)
    assert (await page.browser.send(form_to(unread.text, path).filled(text=TEXT))).is_redirect
    assert (await page.browser.form(path)).shown("text").split() == TEXT.split()


async def _kept_by_the_agents_own_page(page: Site, agent: str) -> None:
    form = await page.browser.form(agent)
    assert (await page.browser.send(form.filled(description="An inn"))).is_redirect
    assert "2 states: welcome, tables" in text_of((await page.browser.client.get(agent)).text)


async def _tried(page: Site, agent: str) -> None:
    token = (await page.browser.form(agent)).shown("csrf")
    begun = await page.browser.send(Form("post", f"{agent}/chats", (("csrf", token),)))
    chat = begun.headers["location"].partition("#")[0]
    form = await page.browser.form(chat)
    assert (await page.browser.send(form.filled(spoken="I want a table please"))).is_redirect
    told = text_of((await page.browser.client.get(chat)).text)
    assert "For how many people?" in told
    assert "The conversation went on to “tables”: the caller said so." in told
