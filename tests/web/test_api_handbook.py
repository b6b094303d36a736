"""From the page to a program: a token is made in a browser, and the examples of docs/api.md do what they say."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from playwright.sync_api import Page, expect

from app.control import views
from app.control.call_views import CallView
from app.control.campaigns import CampaignView
from app.control.connectivity import ConnectivityView
from app.settings import Settings
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PASSWORD, PBX_RTP, Appliance, appliance, browser, first_boot, shown
from tests.web.visitor import visitor

pytestmark = pytest.mark.web

HANDBOOK = Path(__file__).parents[2] / "docs" / "api.md"
SILENT = "602"
"""An extension that answers and says nothing."""

_TOLD_S = 1.0  # an event takes milliseconds

A = TypeVar("A", bound=Settings)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shell:
    """A reader of the handbook: `folder` has the certificate, `words` are their own for the names in the examples."""

    folder: Path
    words: dict[str, str]

    def knowing(self, **words: str) -> Shell:
        return replace(self, words=self.words | words)

    def script(self, heading: str) -> list[str]:
        """The example below `heading`, with the handbook's `ask`, and the reader's own words."""
        settings, ask = _examples("A token")[0].split("\nask()")
        assert settings.split("\n") == ["BOX=https://deskbell.local:8443", "TOKEN=deskbell_..."]
        mine = "\n".join(f"{name}='{value}'" for name, value in self.words.items())
        return ["bash", "-euc", f"{mine}\nask(){ask}\n{_examples(heading)[0]}"]

    async def run(self, heading: str) -> list[Json]:
        """What an example prints, one JSON answer after the other."""
        ended = await trio.run_process(self.script(heading), cwd=self.folder, capture_stdout=True, capture_stderr=True)
        return list(_answers(ended.stdout.decode()))


def _examples(heading: str) -> list[str]:
    (section,) = re.findall(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", HANDBOOK.read_text(), re.MULTILINE | re.DOTALL
    )
    return re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)


def _answers(printed: str) -> list[Json]:
    found, rest, decoder = [], printed.strip(), json.JSONDecoder()
    while rest:
        answer, end = decoder.raw_decode(rest)
        found.append(answer)
        rest = rest[end:].strip()
    return found


async def test_the_examples_of_the_handbook(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as box:
        token, broken = await trio.to_thread.run_sync(_token_made, box)
        assert broken == []
        async with visitor(box.address, tmp_path / "admin" / "certificate.pem") as somebody:
            await somebody.sign_in(PASSWORD)
            certificate = await somebody.client.get("/box/certificate.crt")
            (tmp_path / "deskbell.crt").write_bytes(certificate.content)
        await _as_it_says(Shell(tmp_path, {"BOX": box.address, "TOKEN": token}), pbx)


def _token_made(box: Appliance) -> tuple[str, list[str]]:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        page.goto(f"{box.address}/box")
        page.get_by_role("link", name="What can be asked").click()
        expect(page.get_by_text("Call a number now")).to_be_visible()
        page.get_by_role("link", name="API tokens").click()
        token, broken = _made(page)
        _revoked(page)
        return token, broken


def _made(page: Page) -> tuple[str, list[str]]:
    """One that may do all, and one to be revoked."""
    page.get_by_label("Name").fill("To be revoked")
    page.get_by_label("Password of this box").fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    page.get_by_label("Name").fill("Nightly report")
    for label in ("Look", "Change settings", "Place calls"):
        page.get_by_label(label).check()
    page.get_by_label("Password of this box").fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="The token “Nightly report”")).to_be_visible()
    token = page.get_by_text(re.compile(r"^deskbell_[\w-]{43}$")).inner_text()
    return token, shown(page, "api-token-made")


def _revoked(page: Page) -> None:
    page.get_by_role("row", name="To be revoked").get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    expect(page.get_by_role("row", name="To be revoked")).to_have_count(0)


async def _as_it_says(shell: Shell, pbx: Pbx) -> None:
    shell = await _with_an_agent(shell, pbx)
    async with _followed(shell) as events:
        await _is_open(shell, events)
        listed, stopped, started = await shell.run("Start and stop an agent")
        assert [each["name"] for each in listed["items"]] == ["Reception"]
        assert (stopped["state"], started["state"]) == ("Stopped", "Starting")
        while await events.receive() != {"kind": "agent", "id": shell.words["AGENT"]}:
            pass
    await _until(shell, "connections", views.Connections, _is_registered)
    (call,) = await shell.knowing(NUMBER=SILENT, KEY="order 4711").run("Place a call")
    assert call["state"] == "ringing"
    (again,) = await shell.knowing(NUMBER=SILENT, KEY="order 4711").run("Place a call")
    assert again["id"] == call["id"]
    shell = shell.knowing(SESSION=call["session_id"], VERSION="1")
    await _until(shell, f"sessions/{call['session_id']}", views.SessionDetail, lambda it: bool(it.messages))
    await _asked(shell, "POST", f"calls/{call['id']}/hang-up", CallView)
    await _until(shell, f"calls/{call['id']}", CallView, lambda it: it.outcome == "answered")
    found, one = await shell.run("List sessions")
    assert [each["id"] for each in found["items"]] == [one["view"]["id"]] == [shell.words["SESSION"]]
    assert [each["text"].split(",")[0] for each in one["messages"]] == ["Good day"]
    assert "Anna" in one["messages"][0]["text"]
    await shell.run("Download a recording")
    assert (shell.folder / "call.flac").read_bytes()[:4] == b"fLaC"
    await _a_campaign_as_it_says(shell)
    before, after = await shell.run("Changing what somebody else may change too")
    assert (before["version"], after["version"], after["settings"]["name"]) == (1, 2, "front-desk")


async def _a_campaign_as_it_says(shell: Shell) -> None:
    (made,) = await shell.run("Make a campaign")
    assert (made["state"], made["problems"]) == ("inactive", [])
    added, started, seen, listed = await shell.knowing(CAMPAIGN=made["id"], NUMBER=SILENT).run(
        "Add participants, and start"
    )
    assert added["values"] == {"number": SILENT, "name": "Anna"}
    assert (started["state"], seen["progress"]["participants"]) == ("running", 1)
    assert [each["id"] for each in listed["items"]] == [added["id"]]
    await _asked(shell, "POST", f"campaigns/{made['id']}/stop", CampaignView)


def _is_registered(connections: views.Connections) -> bool:
    return all(each.registration and each.registration.registered for each in connections.items)


async def _with_an_agent(shell: Shell, pbx: Pbx) -> Shell:
    """That speaks first, on extension 200, and runs."""
    account = pbx.accounts["200"]
    draft = {"name": "Office", "domain": pbx.address, "user": "200", "password": account.password}
    connection = await _asked(shell, "POST", "connections", views.ConnectionView, draft=draft)
    plan = {
        "settings": {"name": "Reception", "greeting": "Good day, {name}, this is the office."},
        "attachments": [{"connection_id": connection.id}],
        "speech_to_text": "box-ears",
        "text_to_speech": "box-voice-slt",
    }
    agent = await _asked(shell, "POST", "agents", views.AgentDetail, plan=plan)
    await _asked(shell, "POST", f"agents/{agent.view.id}/start", views.AgentView)
    return shell.knowing(AGENT=agent.view.id)


async def _asked(shell: Shell, method: str, path: str, model: type[A], **body: object) -> A:
    async with visitor(shell.words["BOX"], shell.folder / "deskbell.crt") as program:
        headers = {"Authorization": f"Bearer {shell.words['TOKEN']}"}
        answer = await program.client.request(method, f"/api/v1/{path}", json=body or None, headers=headers)
    assert answer.is_success, answer.text
    return model.model_validate_json(answer.content)


async def _until(shell: Shell, path: str, model: type[A], fact: Callable[[A], bool]) -> A:
    with trio.fail_after(PATIENCE_S):
        while not fact(answer := await _asked(shell, "GET", path, model)):  # noqa: ASYNC110
            await trio.sleep(0.2)  # a box that is asked does not announce itself
    return answer


@asynccontextmanager
async def _followed(shell: Shell) -> AsyncGenerator[trio.MemoryReceiveChannel[Json], None]:
    """The events, as the example prints them."""
    tell, hear = trio.open_memory_channel[Json](100)
    process = await trio.lowlevel.open_process(
        shell.script("Follow events"), cwd=shell.folder, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_tell, process, tell)
                yield hear
                nursery.cancel_scope.cancel()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        with trio.move_on_after(PATIENCE_S, shield=True):
            await process.wait()


async def _is_open(shell: Shell, events: trio.MemoryReceiveChannel[Json]) -> None:
    """The stream tells of a change: from here on it misses none."""
    for number in count():
        voice = {"name": f"Voice {number}", "engine": {"kind": "text-to-speech"}}
        await _asked(shell, "POST", "connectivity", ConnectivityView, draft=voice)
        with trio.move_on_after(_TOLD_S):
            await events.receive()
            return


async def _tell(process: trio.Process, tell: trio.MemorySendChannel[Json]) -> None:
    assert process.stdout
    rest = b""
    async for part in process.stdout:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line:
                await tell.send(json.loads(line))
