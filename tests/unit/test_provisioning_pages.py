"""What the pages ask the box, and what they make of its answers: a box with canned answers behind the real routes."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.control import views
from app.control.call_views import DialPreview
from app.control.connectivity import ConnectivityList
from app.control.documents import Documents
from app.control.http_tools import HttpToolList
from app.control.refusals import Refusal, Why
from app.control.updating import Stage, UpdateView
from app.control.verbs import VERBS
from app.settings import Account, Agent, Settings
from app.settings import Box as BoxSettings
from provisioning.api.bearers import Bearers
from provisioning.client import A, Box
from provisioning.life import Life
from provisioning.list_sending import Sender
from provisioning.passwords import Passwords
from provisioning.settings import Process
from provisioning.shelf import Shelf
from provisioning.sign_ins import SignIns
from provisioning.slate import Slate
from provisioning.throttle import Throttle
from provisioning.web.application import application
from provisioning.web.guard import COOKIE
from provisioning.web.rendering import Door

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOST = "deskbell.local"


class CannedBox(Box):
    """Answers each verb with what is laid out for it, last one first, and keeps the questions, validated as always."""

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.answers: dict[str, list[Settings]] = {}
        self.asked: list[tuple[str, Settings]] = []

    async def ask(self, verb: str, answer: type[A], **question: object) -> A | Refusal:
        self.asked.append((verb, VERBS[verb].asks.model_validate(question)))
        laid_out = self.answers.get(verb) or _EVERYWHERE[verb]
        given = laid_out.pop() if len(laid_out) > 1 else laid_out[0]
        assert isinstance(given, answer | Refusal)
        return given

    def questions(self, verb: str) -> list[Settings]:
        return [question for asked, question in self.asked if asked == verb]


@asynccontextmanager
async def signed_in(folder: Path) -> AsyncGenerator[tuple[httpx.AsyncClient, CannedBox, str], None]:
    """A browser that is signed in, the box, and the token for forms."""
    box = CannedBox(folder / "nobody.sock")
    async with visiting(folder, box) as (client, csrf, _):
        yield client, box, csrf
    await box.close()


@asynccontextmanager
async def visiting(folder: Path, box: Box) -> AsyncGenerator[tuple[httpx.AsyncClient, str, Door], None]:
    """The same in front of any box, and the door."""
    slate = Slate.fresh()
    bearers, process = Bearers(box, slate), Process(admin_folder=folder)
    shelf, life = Shelf.fresh(slate), Life()
    sender = Sender(box, shelf, life)
    door = Door(box, Passwords(folder), SignIns(slate), Throttle(slate), bearers, life, process, shelf, sender)
    token = door.sign_ins.begin(time.monotonic())
    transport = httpx.ASGITransport(application(door, frozenset({HOST}), 8443))
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
        client.cookies.set(COOKIE, token, domain=HOST)
        found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/password")).text)
        assert found
        yield client, found[1], door


def _agent(version: int = 1, name: str = "Reception") -> views.AgentDetail:
    view = views.AgentView(
        id="a1",
        version=version,
        name=name,
        description="",
        kind="Inbound",
        state=views.AgentState.STOPPED,
        calls=0,
        max_opened_sessions=2,
        modified_at=NOW,
        connections=(),
    )
    return views.AgentDetail(view=view, plan=views.AgentPlan(settings=Agent(name=name)))


def _entry(number: int, text: str = "registered") -> views.LogEntry:
    return views.LogEntry(id=number, at=NOW, level="INFO", source="account", text=text, fields={"connection": "c1"})


OVERTAKEN = Refusal(why=Why.CHANGED_MEANWHILE, text="Somebody changed it after you opened it.")


async def test_the_later_of_two_tabs_is_told_keeps_its_text_and_can_save_again(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "get_agent": [_agent(version=7)],
            "update_agent": [_agent(version=8), OVERTAKEN],
            "list_connections": [views.Connections(items=())],
            "list_connectivity": [ConnectivityList(items=())],
        }
        form = {"csrf": csrf, "version": "6", "name": "Reception", "greeting": "Typed in the second tab."}
        told = await client.post("/agents/a1", data=form)
        assert told.status_code == 409
        assert OVERTAKEN.text in told.text
        assert "Typed in the second tab." in told.text
        version = hidden(told.text, "version")
        again = await client.post("/agents/a1", data=form | {"version": version})
        assert again.status_code == 303
    assert [question.model_dump()["if_version"] for question in box.questions("update_agent")] == [6, 7]


async def test_what_was_saved_is_said_to_whoever_looks_not_to_the_page_behind(tmp_path: Path) -> None:
    """A live page looks again by itself, and would take it."""
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "update_agent": [_agent(version=8)],
            "get_agent": [_agent(version=7)],
            "list_agents": [views.Agents(items=(_agent().view,))],
            "list_connections": [views.Connections(items=())],
            "list_connectivity": [ConnectivityList(items=())],
        }
        form = {"csrf": csrf, "version": "7", "name": "Reception"}
        assert (await client.post("/agents/a1", data=form)).status_code == 303
        looks = [{"sec-fetch-mode": "cors"}, {"sec-fetch-mode": "navigate"}, {"sec-fetch-mode": "navigate"}]
        shown = [(await client.get("/agents", headers=each)).text for each in looks]
    assert ["is saved." in each for each in shown] == [False, True, False]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": ""}, "Must be filled in."),
        ({"name": "x" * 81}, "Must have at most 80 characters."),
        ({"pause_ms": "soon"}, "Must be a whole number, in digits."),
        ({"pause_ms": "1"}, "Must be 200 or more."),
        ({"silence_s": "601"}, "Must be 600 or less."),
        ({"questions": ["", "where"], "answer": ["", ""]}, '<a href="#a1">Entry 1, answer</a>: Must be filled in.'),
        (
            {"questions": ["a", ""], "answer": ["b", "c"]},
            '<a href="#q2">Entry 2, ways to ask</a>: Must have at least 1.',
        ),
        (
            {"person": ["Anna", "Anna"], "extension": ["1", "2"], "also": ["", ""]},
            '<a href="#people">Whom callers may ask for</a>: ',
        ),
        ({"vocabulary": "x" * 201}, "Must have at most 200 characters."),
    ],
)
async def test_what_is_wrong_is_told_in_plain_english(
    tmp_path: Path, typed: dict[str, str | list[str]], told: str
) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "list_connections": [views.Connections(items=())],
            "list_connectivity": [ConnectivityList(items=())],
        }
        answer = await client.post("/agents/new", data={"name": "Reception", "csrf": csrf} | typed)
    assert answer.status_code == 422
    assert told in answer.text
    assert box.questions("create_agent") == []


async def test_filled_rows_come_first_and_more_rows_come_on_demand(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "list_connections": [views.Connections(items=())],
            "list_connectivity": [ConnectivityList(items=())],
        }
        form = {"csrf": csrf, "questions": ["", "where"], "answer": ["", "Here."], "more": "knowledge"}
        text = (await client.post("/agents/new", data=form)).text
    assert re.findall(r'name="questions" rows="3">([^<]*)<', text) == ["where", "", "", ""]


async def test_a_wrongly_typed_box_keeps_the_version_it_was_based_on(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_box": [_box(version=9)]}
        form = {"csrf": csrf, "version": "8", "name": "Not A Host", "time_zone": "UTC", "retention_days": "90"}
        told = await client.post("/box", data=form)
    assert told.status_code == 422
    assert hidden(told.text, "version") == "8"
    assert "small letters" in told.text


async def test_an_exported_agent_comes_back_under_another_name(tmp_path: Path) -> None:
    file = views.AgentFile(settings=Agent(name="Reception", greeting="Good day."), connections=("Office PBX",))
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "export_agent": [file],
            "import_agent": [_agent(name="Night desk")],
            "get_agent": [_agent()],
            "list_connections": [views.Connections(items=())],
            "list_connectivity": [ConnectivityList(items=())],
        }
        exported = await client.get("/agents/a1/export")
        assert exported.headers["content-disposition"] == 'attachment; filename="agent.json"'
        sent = {"csrf": csrf, "file": exported.text, "name": "Night desk"}
        answer = await client.post("/agents/import", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/agents/a1")
        assert "no connection named Office PBX" in (await client.get("/agents/a1")).text
    (asked,) = box.questions("import_agent")
    renamed = file.settings.model_copy(update={"name": "Night desk"})
    assert asked.model_dump()["file"] == file.model_copy(update={"settings": renamed}).model_dump()


@pytest.mark.parametrize(
    ("file", "name", "told"),
    [
        ("", "", "this is not the file of an agent"),
        ("<script>alert(1)</script>", "", "this is not the file of an agent"),
        ('{"deskbell_agent": 2, "settings": {"name": "x"}}', "", "a newer Deskbell made it"),
        ('{"settings": {"name": "x", "password": "y"}}', "", "settings.password"),
        ('{"settings": {"name": "Reception"}}', "x" * 81, "at most 80 characters"),
    ],
)
async def test_a_file_that_cannot_be_used_is_told_and_kept(tmp_path: Path, file: str, name: str, told: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        answer = await client.post("/agents/import", data={"csrf": csrf, "file": file, "name": name})
    assert answer.status_code == 422
    assert told in answer.text
    assert "<script>alert" not in answer.text
    assert box.questions("import_agent") == []


async def test_a_name_that_is_taken_is_told_beside_the_field(tmp_path: Path) -> None:
    taken = Refusal(why=Why.TAKEN, text="There is one.", fields={"name": "Choose another name."})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"import_agent": [taken]}
        file = views.AgentFile(settings=Agent(name="Reception")).model_dump_json()
        answer = await client.post("/agents/import", data={"csrf": csrf, "file": file})
    assert answer.status_code == 409
    assert '<p class="error" id="name-error">Choose another name.</p>' in answer.text


async def test_a_log_is_downloaded_oldest_first_over_all_its_pages(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        older = views.LogPage(items=(_entry(1, "agent started"), _entry(2)), earlier=None)
        newer = views.LogPage(items=(_entry(3), _entry(4, "agent stopped")), earlier=3)
        box.answers = {"list_log": [older, newer]}
        answer = await client.get("/agents/a1/log.txt")
    assert answer.headers["content-disposition"] == 'attachment; filename="agent.log"'
    lines = answer.text.splitlines()
    assert [line.split(" ", 2)[2] for line in lines[::3]] == [
        "agent started connection=c1",
        "agent stopped connection=c1",
    ]
    assert lines[0].startswith("2026-11-25T09:00:00.000+00:00 INFO ")
    assert [question.model_dump()["before"] for question in box.questions("list_log")] == [None, 3]


async def test_the_log_page_leads_to_earlier_lines_with_its_filter(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"get_agent": [_agent()], "list_log": [views.LogPage(items=(_entry(5),), earlier=5)]}
        first = await client.get("/agents/a1/log", params={"level": "WARNING", "text": "a&b"})
        assert "/agents/a1/log?level=WARNING&amp;text=a%26b&amp;before=5" in first.text
        await client.get("/agents/a1/log", params={"before": "5"})
        await client.get("/agents/a1/log", params={"before": "9" * 100})
    befores = [question.model_dump()["before"] for question in box.questions("list_log")]
    assert befores == [None, 5, 999_999_999_999_999]


async def test_the_road_leads_back_to_itself_and_nowhere_else(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"create_connection": [connection(version=1)], "get_box": [_box(1)], "update_box": [_box(2)]}
        assert hidden((await client.get("/channels/new?next=/set-up")).text, "next") == "/set-up"
        assert hidden((await client.get("/box?next=//evil.example")).text, "next") == ""
        account = {"name": "Office", "domain": "pbx.lan", "user": "200", "password": "x", "csrf": csrf}
        settings = {"name": "deskbell", "time_zone": "UTC", "retention_days": "90", "csrf": csrf}
        went = [
            (await client.post("/channels/new", data=account | {"next": next_})).headers["location"]
            for next_ in ("/set-up", "", "//evil.example")
        ]
        went += [
            (await client.post("/box", data=settings | {"next": next_})).headers["location"]
            for next_ in ("/set-up", "https://evil.example")
        ]
    assert went == ["/set-up", "/channels", "/channels", "/set-up", "/box"]


def hidden(text: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', text)
    assert found
    return found[1]


def connection(version: int) -> views.ConnectionView:
    return views.ConnectionView(
        id="c1",
        version=version,
        modified_at=NOW,
        account=Account(name="Office", domain="pbx.lan", user="200"),
        has_password=True,
        has_login=False,
        unreadable=False,
        agents=(),
        registration=None,
    )


def _box(version: int) -> views.BoxView:
    health = views.Health(
        temperature_c=None,
        memory_used_mb=1,
        memory_total_mb=2,
        disk_free_mb=1,
        disk_total_mb=2,
        load_1min=0,
        uptime_s=1,
        tick_gap_p999_ms=0,
        tick_gap_max_ms=0,
        clock_ok=True,
    )
    return views.BoxView(
        version=version,
        settings=BoxSettings(),
        software="0",
        host_name="deskbell",
        now=NOW,
        network=(),
        secrets_bound_by="a key file",
        health=health,
    )


_EVERYWHERE: dict[str, list[Settings]] = {
    "get_box": [_box(1)],
    "list_connections": [views.Connections(items=(connection(1),))],
    "list_documents": [Documents(items=())],
    "list_http_tools": [HttpToolList(items=())],
    "get_update": [UpdateView(stage=Stage.IDLE, version="1.0.0")],
    "preview_dialling": [DialPreview(dialled="0301234", how="a number")],
}
"""What pages ask for beside what they are about: the time zone, an agent's files, whether the box is updated here, and
what dial rules make of a number."""
