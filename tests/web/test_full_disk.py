"""A disk that takes nothing more, as somebody in front of the page sees it: told with a remedy, nothing lost, and a
session can be deleted although there is no recording in it that would give room back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from app.control import views
from provisioning.client import Box
from tests.contract.test_ledger_full_disk import fill_up, small
from tests.web.appliance import PASSWORD, Appliance, appliance
from tests.web.content import remember_calls
from tests.web.forms import Form, form_to, text_of
from tests.web.site import filled_well
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.web

SESSIONS = 30
FULL = "because the disk is full"
PAGES = ("/", "/agents", "/sessions", "/channels", "/connectivity", "/diagnosis", "/box", "/test", "/box/tokens")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """With both processes' folders on it."""
    with small(tmp_path, "16m"):
        yield tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_a_full_disk_is_told_and_a_deletion_helps(small_disk: Path) -> None:
    await remember_calls(small_disk / "data", SESSIONS, recorded=False)
    async with appliance(small_disk) as page, _browser(page) as somebody:
        await somebody.first_boot(page.set_up_code, PASSWORD)
        line = await _made(somebody, "/channels/new", "Office", "/channels")
        agent = await _made(somebody, "/agents/new", "Reception", "/agents")
        fill_up(small_disk / "ballast")
        await _edits_are_refused(somebody, line, agent)
        await _all_can_be_read(somebody, page)
        fill_up(small_disk / "more ballast")  # whoever signed in may have given some room back
        await _another_password_is_refused(somebody)
        await _a_session_is_deleted(somebody)
        for ballast in ("ballast", "more ballast"):
            (small_disk / ballast).unlink()
        await _all_works_again(somebody, line, agent)
        box = Box(page.data / "control.sock")
        found = await box.ask("list_sessions", views.Sessions, limit=200)
        await box.close()
    assert isinstance(found, views.Sessions)
    assert len(found.items) == SESSIONS - 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_a_box_that_starts_on_a_full_disk_says_so(small_disk: Path) -> None:
    """Somebody took its power away, as one does with a box that misbehaves."""
    await remember_calls(small_disk / "data", SESSIONS, recorded=False)
    async with appliance(small_disk) as page, _browser(page) as somebody:
        await somebody.first_boot(page.set_up_code, PASSWORD)
    fill_up(small_disk / "ballast")
    async with appliance(small_disk, boot=small_disk / "no such partition") as page, _browser(page) as somebody:
        await somebody.sign_in(PASSWORD)
        await _all_can_be_read(somebody, page)
        fill_up(small_disk / "more ballast")
        await _a_session_is_deleted(somebody)


def _browser(page: Appliance) -> AbstractAsyncContextManager[Visitor]:
    return visitor(page.address, page.data.parent / "admin" / "certificate.pem")


async def _made(somebody: Visitor, form: str, name: str, listed: str) -> str:
    """Where the record is edited."""
    made = await somebody.send(filled_well(await somebody.form(form), name))
    assert made.is_redirect, text_of(made.text)
    [path] = re.findall(rf'href="({listed}/[0-9a-f]+)[^>]*>{name}<', (await somebody.client.get(listed)).text)
    return str(path)


async def _edits_are_refused(somebody: Visitor, line: str, agent: str) -> None:
    """What was typed is still there."""
    for form in (line, agent):
        refused = await somebody.send((await somebody.form(form)).filled(description="on a full disk"))
        _is_told(refused)
        assert form_to(refused.text, form).shown("description") == "on a full disk"
        assert (await somebody.form(form)).shown("description") == ""
    _is_told(await somebody.send(filled_well(await somebody.form("/channels/new"), "Another")))
    _is_told(await somebody.send(await somebody.form(agent, f"{agent}/start")))
    assert "Stopped" in (await somebody.client.get(agent)).text


def _is_told(answer: httpx.Response) -> None:
    assert answer.status_code == httpx.codes.INSUFFICIENT_STORAGE, text_of(answer.text)
    assert FULL in answer.text
    assert "Delete" in text_of(answer.text)


async def _all_can_be_read(somebody: Visitor, page: Appliance) -> None:
    """Also by somebody who signs in just now."""
    async with _browser(page) as another:
        await another.sign_in(PASSWORD)
        for path in PAGES:
            assert (await another.client.get(path)).status_code == httpx.codes.OK, path
        shown = text_of((await another.client.get("/diagnosis")).text)
        assert "The disk is full" in shown
        assert "keep sessions for fewer days" in shown
    assert (await somebody.client.get("/")).status_code == httpx.codes.OK


async def _another_password_is_refused(somebody: Visitor) -> None:
    form = (await somebody.form("/password")).filled(old=PASSWORD, password="another of them", again="another of them")
    refused = await somebody.send(form)
    _is_told(refused)
    await somebody.sign_in(PASSWORD)


async def _a_session_is_deleted(somebody: Visitor) -> None:
    listed = await somebody.client.get("/sessions")
    session = re.findall(r"/sessions/\d{8}T[\w-]+", listed.text)[0]
    csrf = (await somebody.form("/box")).shown("csrf")
    deleted = await somebody.send(Form("post", f"{session}/delete", (("csrf", csrf), ("confirmed", "yes"))))
    assert deleted.is_redirect, text_of(deleted.text)
    assert session not in (await somebody.client.get("/sessions")).text


async def _all_works_again(somebody: Visitor, line: str, agent: str) -> None:
    for form in (line, agent):
        assert (await somebody.send((await somebody.form(form)).filled(description="there is room"))).is_redirect
        assert (await somebody.form(form)).shown("description") == "there is room"
    assert (await somebody.send(await somebody.form(agent, f"{agent}/start"))).is_redirect
    assert "The disk is full" not in text_of((await somebody.client.get("/diagnosis")).text)
