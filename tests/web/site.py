"""The page of a small office's box, as somebody sees it who is signed in: its forms, found by following its links."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from app.control import views
from app.control.campaigns import CampaignView
from app.control.http_tools import HttpToolView
from app.control.refusals import Refusal
from app.control.verbs import VERBS
from app.engines import BoxVoice, ConnectivityDraft
from app.ports import Line
from app.settings import Agent, ConnectionDraft, Workflow
from firmware.storage import ledger
from provisioning.client import Box
from provisioning.web.application import _ROUTES
from provisioning.web.yaml_text import Read, read
from tests.fakes.ledger import TALKED
from tests.web.appliance import PASSWORD, Appliance, appliance
from tests.web.forms import Form, forms_of
from tests.web.hostile import ATTRIBUTE, MARKS, SCRIPT
from tests.web.visitor import Visitor, visitor

GOOD = {
    "domain": "127.0.0.1:9",
    "transport": "tcp",
    "user": "200",
    "password": "canary password",
    "questions": "where can I park",
    "answer": "Behind the house.",
    "person": "Ada Byron",
    "extension": "12",
    "person_hours": "Mon-Fri 8-17",
    "result": "order",
    "box_name": "not its name",
    "text": "Good day.",
    "voice": "slt",
    "base_url": "http://127.0.0.1:9/v1",
    "model": "small",
    "when": "Where is my order?",
    "address": "https://127.0.0.1:9/orders",
    "field": "order",
    "example": "A-1",
}
"""Fields that must be there for a form to be taken, beside a name of its own."""

WYOMING = {"address": "127.0.0.1:9"}
"""Where a server's address is no web address."""

UNTOUCHED = frozenset({"csrf"})

_LINK = re.compile(r'href="(/[^"#]*)')
_ID = re.compile(r"/(?:[0-9a-f]{12}|\d{8}T\w+-\w+|\d+)(?=/|$)")
_BUILT_IN = re.compile(r"/box-[a-z-]+(?=/|$)")
_HIDDEN = ("/static/", "/events", "/api/")
_RECORDS = ("campaigns", "connections", "agents", "connectivity", "tokens")


STATES = Workflow.model_validate({"first": "welcome", "states": [{"name": "welcome", "says": SCRIPT, "last": True}]})


class Site:
    """The page, as somebody sees it who signed in, and the box behind it."""

    def __init__(self, browser: Visitor, box: Box, appliance: Appliance) -> None:
        self.browser, self.box, self.appliance = browser, box, appliance
        self.wrong: list[str] = []
        self.sent = 0
        self.kept: set[str] = set()

    def judge(self, what: str, answer: httpx.Response) -> None:
        """No fault of ours, no markup, no header, no other site."""
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            self.wrong.append(f"{what}: {answer.status_code}")
        if answer.headers.get("content-type", "").startswith("text/html") and any(m in answer.text for m in MARKS):
            self.wrong.append(f"{what}: comes back as markup")
        where = answer.headers.get("location", "/").removeprefix(str(self.browser.client.base_url).rstrip("/"))
        if not where.startswith("/") or where.startswith("//") or "planted" in str(answer.headers.multi_items()):
            self.wrong.append(f"{what}: leads to {answer.headers.multi_items()}")

    async def tidy_up(self, kinds: Sequence[str] = _RECORDS) -> None:
        """What was made goes again, so that pages stay as short as they are in an office."""
        for kind in kinds:
            for record_id in await self.ids(kind) - self.kept:
                await self._delete(kind, record_id)

    async def keep(self) -> None:
        """What is there now stays."""
        for kind in _RECORDS:
            self.kept |= await self.ids(kind)

    async def ids(self, kind: str) -> set[str]:
        verb = f"list_{kind}"
        listed = await self.box.ask(verb, VERBS[verb].answers)
        return {item["id"] for item in listed.model_dump()["items"]}

    async def _delete(self, kind: str, record_id: str) -> None:
        verb = f"delete_{kind.removesuffix('s')}"
        more = {"confirmed": True} if "confirmed" in VERBS[verb].asks.model_fields else {}
        answer = await self.box.ask(verb, views.Nothing, id=record_id, **more)
        assert not isinstance(answer, Refusal), answer

    async def crawl(self) -> dict[str, Form]:
        """One form of each kind, by where it is sent and what is in it."""
        todo, seen, found = ["/", *_pages_without_ids()], set[str](), dict[str, Form]()
        for path in todo:
            answer = await self.browser.client.get(path)
            self.judge(path, answer)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for form in forms_of(answer.text, path):
                names = {name for name, _ in form.fields} - UNTOUCHED
                where = _pattern(form.action).partition("?")[0]
                found.setdefault(f"{form.method} {where} ({len(names)} fields)", form)
            for link in _LINK.findall(answer.text):
                if _pattern(link) not in seen and not link.startswith(_HIDDEN):
                    seen.add(_pattern(link))
                    todo.append(link.replace("&amp;", "&"))
        return found


def filled_well(form: Form, name: str) -> Form:
    """As somebody would fill it, who names the record so; of rows, only the first."""
    return form.filled_first(GOOD | {"name": name} | (WYOMING if ("kind", "wyoming") in _beginnings(form) else {}))


def _beginnings(form: Form) -> set[tuple[str, str]]:
    """Of fields' values, to their first hyphen."""
    return {(field, shown.partition("-")[0]) for field, shown in form.fields}


def _pages_without_ids() -> list[str]:
    paths = [route.path for route in _ROUTES if "GET" in (route.methods or ())]
    return [path for path in paths if "{" not in path and not path.startswith(_HIDDEN)]


def _pattern(link: str) -> str:
    """Without ids and the values of the query, but for the kind of thing that a page is about."""
    parts = urlsplit(link)
    path = _BUILT_IN.sub("/{built-in}", _ID.sub("/{id}", parts.path))
    return path + "?" + ",".join(re.findall(r"kind=[\w-]+|\w+(?==)", parts.query))


@asynccontextmanager
async def site(folder: Path) -> AsyncGenerator[Site, None]:
    """A box with a hostile caller's session, a connection, and an agent attached to it."""
    await _remember_a_call(folder / "data")
    async with appliance(folder) as page:
        box = Box(page.data / "control.sock")
        try:
            async with visitor(page.address, folder / "admin" / "certificate.pem") as browser:
                await browser.first_boot(page.set_up_code, PASSWORD)
                await _furnish(box)
                made = Site(browser, box, page)
                await made.keep()
                yield made
        finally:
            await box.close()
        assert "a page failed" not in page.log.read_text()


async def _remember_a_call(data: Path) -> None:
    async with ledger(data / "deskbell.sqlite") as store:
        for hostile in MARKS:
            log = store.open_session(call_id=hostile, agent=hostile, direction="inbound", remote=hostile)
            log.connected(hostile)
            log.line(Line("caller", hostile, 0, 1000))
            log.close(TALKED, hostile, {hostile: hostile})


async def _furnish(box: Box) -> None:
    values = {"name": "Office", **{name: GOOD[name] for name in ("domain", "user", "password")}}
    draft = ConnectionDraft.model_validate(values)
    line = await box.ask("create_connection", views.ConnectionView, draft=draft)
    assert isinstance(line, views.ConnectionView), line
    voice = ConnectivityDraft(name="Slow voice", engine=BoxVoice(speed_percent=80))
    assert not isinstance(
        await box.ask("create_connectivity", VERBS["create_connectivity"].answers, draft=voice), Refusal
    )
    attached = (views.Attachment(connection_id=line.id, inbound=True),)
    plan = views.AgentPlan(settings=Agent(name="Reception", workflow=STATES), attachments=attached)
    agent = await box.ask("create_agent", views.AgentDetail, plan=plan)
    assert isinstance(agent, views.AgentDetail), agent
    await _tool(box, agent.view.id)
    await _campaign(box, agent.view.id)


async def _tool(box: Box, agent_id: str) -> None:
    tool = {"name": "Order status", "when": GOOD["when"], "url": GOOD["address"], "headers": ["Authorization"]}
    draft = {"tool": tool | {"fields": [{"name": "order", "example": "A-1"}]}, "values": {"Authorization": "canary"}}
    made = await box.ask("create_http_tool", HttpToolView, id=agent_id, draft=draft)
    assert isinstance(made, HttpToolView), made


async def _campaign(box: Box, agent_id: str) -> None:
    """With a step of each kind, a participant, a list, and a number that nobody calls."""
    settings = {"name": "Reminders", "agent_id": agent_id, "flow": flow_of(EVERY_STEP)}
    made = await box.ask("create_campaign", CampaignView, settings=settings)
    assert isinstance(made, CampaignView), made
    values = {"number": "101", "name": ATTRIBUTE}
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        ("create_participant", {"campaign_id": made.id, "values": values}),
        ("begin_import", {"campaign_id": made.id, "file_name": SCRIPT}),
        ("add_do_not_call", {"numbers": ["102"], "note": SCRIPT}),
    )
    for verb, question in asked:
        answer = await box.ask(verb, VERBS[verb].answers, **question)
        assert not isinstance(answer, Refusal), answer


def flow_of(text: str) -> object:
    """As the page reads it: "on" is a word, not a yes."""
    found = read(text)
    assert isinstance(found, Read), found
    return found.value


EVERY_STEP = """
triggers:
- {on: participant created, then: call}
- {on: participant updated, fields: [name], then: call}
steps:
- {id: call, do: call, greeting: Hello, on_machine: leave message, message: Call us, then: check}
- {id: check, do: check, of: result answer, value: sure, match: tell, otherwise: pause}
- {id: pause, do: wait, minutes: 60, then: write}
- {id: write, do: set, field: name, value: nobody, then: end}
- {id: tell, do: webhook, event: confirmed, then: hand}
- {id: hand, do: other flow, campaign: Letters}
"""
