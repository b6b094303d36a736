"""Two tabs, the back button, forms that are sent twice: no change is overwritten unseen, nothing is made twice, and
whoever comes too late is told what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
import trio
from playwright.sync_api import Page, expect

from tests.web.appliance import PASSWORD, Appliance, browser
from tests.web.forms import Form, form_to
from tests.web.site import Site, filled_well, site

pytestmark = pytest.mark.web

CHANGED_MEANWHILE = "somebody changed it after you opened it"
GONE = "it may have been deleted meanwhile. Go back to the list and look again."
FLOW_TEXT = "triggers:\r\n- on: participant created\r\n  then: end\r\nsteps: []\r\n"
FIRST_STATES, SECOND_STATES = (
    f"first: a\r\nstates:\r\n- name: a\r\n  says: {text}\r\n  last: true\r\n" for text in "xy"
)
EDITS = {
    "/channels/{id}": ("description", "First", "Second"),
    "/agents/{id}": ("description", "First", "Second"),
    "/agents/{id}/tools/{id}": ("when", "First", "Second"),
    "/agents/{id}/workflow": ("s0.says", "First", "Second"),
    "/agents/{id}/workflow/text": ("text", FIRST_STATES, SECOND_STATES),
    "/connectivity/{id}": ("description", "First", "Second"),
    "/campaigns/{id}/data": ("description", "First", "Second"),
    "/campaigns/{id}/flow": ("s0.note", "First", "Second"),
    "/campaigns/{id}/flow/text": ("text", "triggers: []\r\nsteps: []\r\n", FLOW_TEXT),
    "/campaigns/{id}/calling": ("holidays", "2026-12-25", "2026-12-26"),
    "/campaigns/{id}/participants/{id}": ("value.name", "First", "Second"),
    "/box": ("retention_days", "31", "32"),
    "/box/webhook": ("url", "https://first.example/calls", "https://second.example/calls"),
    "/box/mail": ("sender", "first@office.example", "second@office.example"),
}
NEEDED = {"/box/webhook": {"secret": "a secret of this test"}, "/box/mail": {"host": "mail.office.example"}}
"""What must be typed as well, and is not shown again."""

MAKERS = {"/channels/new": "connections", "/agents/new": "agents", "/connectivity/new": "connectivity"}
DELETED = ("/channels/{id}", "/agents/{id}", "/connectivity/{id}", "/campaigns/{id}/participants/{id}")


async def test_no_change_is_overwritten_unseen_and_nothing_is_made_twice(tmp_path: Path) -> None:
    """One story, as one box is enough for all of it; what is deleted comes last."""
    async with site(tmp_path) as page:
        forms = await page.crawl()
        await _the_later_of_two_tabs_is_told_and_can_save_then(page, forms)
        await _what_is_sent_twice_is_made_once(page, forms)
        before = await page.ids("connections")
        await trio.to_thread.run_sync(_double_click_and_back, page.appliance)
        assert len(await page.ids("connections") - before) == 1
        await _what_is_deleted_is_gone_for_the_other_tab(page, forms)


async def _the_later_of_two_tabs_is_told_and_can_save_then(page: Site, forms: Mapping[str, Form]) -> None:
    edited = [(_pattern(kind), form) for kind, form in forms.items() if form.has("version")]
    assert {pattern for pattern, _ in edited} - MAKERS.keys() == EDITS.keys()
    for pattern, form in edited:
        if pattern in EDITS:
            await _in_two_tabs(page, form, *EDITS[pattern], NEEDED.get(pattern, {}))


def _pattern(kind: str) -> str:
    return kind.split()[1]


async def _in_two_tabs(page: Site, form: Form, field: str, first: str, second: str, needed: dict[str, str]) -> None:
    tabs = [await page.browser.form(form.action) for _ in range(2)]
    assert (await page.browser.send(tabs[0].filled(**{field: first}, **needed))).is_redirect
    told = await page.browser.send(tabs[1].filled(**{field: second}, **needed))
    assert told.status_code == httpx.codes.CONFLICT
    assert CHANGED_MEANWHILE in told.text
    assert (await page.browser.form(form.action)).shown(field) == first
    again = form_to(told.text, form.action)
    assert again.shown(field) == second, "what was typed is still there"
    assert (await page.browser.send(again.filled(**needed))).is_redirect
    assert (await page.browser.form(form.action)).shown(field) == second


async def _what_is_sent_twice_is_made_once(page: Site, forms: Mapping[str, Form]) -> None:
    makers = {_pattern(kind): form for kind, form in forms.items()}
    for pattern, kind in MAKERS.items():
        before = await page.ids(kind)
        answers = await _sent_twice_at_once(page, filled_well(makers[pattern], "Made twice"))
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        [late] = [answer.text for answer in answers if answer.status_code == httpx.codes.CONFLICT]
        assert "is named “Made twice” already. Choose another name." in late
        assert len(await page.ids(kind) - before) == 1


async def _sent_twice_at_once(page: Site, form: Form) -> list[httpx.Response]:
    answers: list[httpx.Response] = []

    async def send() -> None:
        answers.append(await page.browser.send(form))

    async with trio.open_nursery() as clicks:
        clicks.start_soon(send)
        clicks.start_soon(send)
    return answers


async def _what_is_deleted_is_gone_for_the_other_tab(page: Site, forms: Mapping[str, Form]) -> None:
    edited = [form for kind, form in forms.items() if _pattern(kind) in DELETED]
    assert len(edited) == len(DELETED)
    for form in edited:
        confirmed = Form("post", f"{form.action}/delete", (("csrf", form.shown("csrf")), ("confirmed", "yes")))
        assert (await page.browser.send(confirmed)).is_redirect
        for late in (confirmed, form):
            answer = await page.browser.send(late)
            assert answer.status_code == httpx.codes.NOT_FOUND
            assert GONE in answer.text


def _double_click_and_back(box: Appliance) -> None:
    with browser() as context:
        page = context.new_page()
        page.goto(box.address)
        page.get_by_label("Password of this box").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").dblclick()
        expect(page.get_by_role("link", name="Agents").first).to_be_visible()
        page.goto(f"{box.address}/channels/new")
        _fill(page)
        page.get_by_role("button", name="Save").dblclick()
        expect(page.get_by_text("“Clicked twice” is saved.")).to_be_visible()
        page.go_back()
        _fill(page)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("is named “Clicked twice” already.").first).to_be_visible()


def _fill(page: Page) -> None:
    for label, value in {"Name": "Clicked twice", "Domain": "127.0.0.1:9", "User": "200", "Password": "x"}.items():
        page.get_by_label(label).first.fill(value)
