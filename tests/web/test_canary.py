"""Secrets that were typed into every field for one on the page: afterwards they are nowhere but in the memory of the
telephone, which uses them. The search is tested in tests/unit/test_web_canary.py, and here it finds what is there."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import trio

from app.control import views
from app.settings import Agent
from provisioning.client import Box
from tests.bench.processes import tree_of
from tests.patience import PATIENCE_S
from tests.web.appliance import Appliance, appliance
from tests.web.canary import in_bytes, in_files, in_memory, in_start, secret
from tests.web.forms import Form
from tests.web.site import Site, filled_well
from tests.web.visitor import visitor

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]

PAGE, NEXT = secret("of the page"), secret("of the page from now on")
ASK_FOR_THE_PAGES = ("/box/tokens", "/box/backup", "/box/reset")
"""Forms whose "password" is that of the page. A new certificate would end the test: there it is a wrong one."""

_REPLACED_S = 3 * PATIENCE_S
"""Workers that have seen a secret are replaced one after the other, at least 10 s apart."""


async def test_no_planted_secret_is_anywhere(tmp_path: Path) -> None:
    async with appliance(tmp_path) as page:
        box = Box(page.data / "control.sock")
        try:
            async with visitor(page.address, tmp_path / "admin" / "certificate.pem") as browser:
                await browser.first_boot(page.set_up_code, PAGE)
                assert any(map(in_memory, _page_processes(page))), "the search finds what is there"
                site = Site(browser, box, page)
                assert await _plant(site) >= {"channels", "connectivity", "box", "password", "sign-in"}
                await _run_an_agent(box)
                taken = await _taken_away(site)
            assert _found(page, tmp_path, taken) == []
            [telephone] = page.pids("firmware")
            assert in_memory(telephone), "the telephone uses the password, and the search finds it"
            await _forgotten(page)
        finally:
            await box.close()


def _found(page: Appliance, folder: Path, taken: dict[str, bytes]) -> list[str]:
    started = (where for pid in tree_of(page.program.pid) for where in in_start(pid))
    return [*in_files(folder), *started, *(each for name, data in taken.items() for each in in_bytes(name, data))]


async def _plant(site: Site) -> set[str]:
    """In every form with a field for a secret, the page's own password last; the parts of the page that have one."""
    forms = [form for form in (await site.crawl()).values() if form.secrets]
    for form in sorted(forms, key=lambda each: each.action == "/password"):
        for button in {"", *(name for name, _ in form.buttons)}:
            answer = await site.browser.send(_with_secrets(form), button)
            assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, f"{form.action}: {answer.status_code}"
            assert in_bytes(form.action, answer.content) == [], "no secret travels back"
    await site.browser.sign_in(NEXT)
    return {form.action.split("/")[1].partition("?")[0] for form in forms}


def _with_secrets(form: Form) -> Form:
    planted = {name: secret(f"of {form.action} {name}"[:80]) for name in form.secrets}
    if form.action == "/password":
        planted = {"old": PAGE, "password": NEXT, "again": NEXT}
    elif form.action in ASK_FOR_THE_PAGES:
        planted["password"] = PAGE
    if "passphrase" in planted and "again" in planted:
        planted["again"] = planted["passphrase"]
    return filled_well(form, f"Planted {form.action}"[:40]).filled(**{n: v for n, v in planted.items() if form.has(n)})


async def _run_an_agent(box: Box) -> None:
    """Its connections' passwords are opened, used, and of no use: nobody listens there."""
    lines = await box.ask("list_connections", views.Connections)
    assert isinstance(lines, views.Connections)
    attached = tuple(views.Attachment(connection_id=each.id) for each in lines.items)
    assert attached
    speech = {"speech_to_text": "box-ears", "text_to_speech": "box-voice-slt"}
    plan = views.AgentPlan(settings=Agent(name="Canary office"), attachments=attached, **speech)
    made = await box.ask("create_agent", views.AgentDetail, plan=plan)
    assert isinstance(made, views.AgentDetail), made
    await box.ask("start_agent", views.AgentView, id=made.view.id)
    with trio.fail_after(PATIENCE_S):
        while not await _has_tried(box, made.view.id):  # noqa: ASYNC110 - another process does not call us
            await trio.sleep(0.1)


async def _has_tried(box: Box, agent_id: str) -> bool:
    agent = await box.ask("get_agent", views.AgentDetail, id=agent_id)
    assert isinstance(agent, views.AgentDetail)
    return any(each.registration and each.registration.next_try for each in agent.view.connections)


async def _taken_away(site: Site) -> dict[str, bytes]:
    """What leaves the box as a file, and pages that tell of secrets: by name."""
    phrase = secret("of a backup")
    form = filled_well(await site.browser.form("/box/backup"), "")
    backup = await site.browser.send(form.filled(passphrase=phrase, again=phrase, password=NEXT))
    assert backup.content.startswith(b"DBBACKUP")
    taken = {"the backup": backup.content}
    agents = [f"/agents/{each}/{what}" for each in await site.ids("agents") for what in ("export", "log.txt", "log")]
    files = ("/box/support/bundle.zip", "/sessions/export", "/box/api/openapi.json")
    for path in (*files, *agents, "/", "/channels", "/agents", "/connectivity", "/diagnosis", "/box"):
        answer = await site.browser.client.get(path)
        assert answer.is_success, path
        taken[path] = answer.content
    return taken


def _page_processes(page: Appliance) -> list[int]:
    [admin] = page.pids("provisioning")
    return tree_of(admin)


async def _forgotten(page: Appliance) -> None:
    with trio.fail_after(_REPLACED_S):
        while await trio.to_thread.run_sync(lambda: any(map(in_memory, _page_processes(page)))):  # noqa: ASYNC110
            await trio.sleep(0.5)  # another process does not announce itself
