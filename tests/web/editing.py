"""Somebody who keeps changing things, over the control socket and on the page, and remembers what the box acknowledged.

Each change writes one number into several fields of a record, so that a record that was written by halves shows: its
fields do not agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import httpx
import trio

from app.control import views
from app.control.refusals import Refusal, Why
from app.settings import Agent, ConnectionDraft
from provisioning.client import Box
from tests.web.forms import Form, form_to
from tests.web.visitor import Visitor

ABSENT = 0
"""The number of a record that is not there."""
HALF = -1
"""The number of one whose fields do not agree, or whose password cannot be read."""

_AWAY_S = 0.05  # between two tries while the box is away
_DELETED_OF_TEN = 2


@dataclass(slots=True)
class Fact:
    """Of one record: the number that the box acknowledged last, and that of a change whose answer never came."""

    acknowledged: int = ABSENT
    unanswered: int | None = None

    def take(self, found: int) -> bool:
        """Whether the record may stand so; from here on it has to."""
        fits = found in (self.acknowledged, self.unanswered)
        self.acknowledged, self.unanswered = found, None
        return fits


@dataclass(slots=True)
class Notebook:
    """All facts, by record, and what did not agree with them."""

    facts: dict[str, Fact] = field(default_factory=dict)
    tried: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def trying(self, record: str, number: int | None = None) -> int:
        """The number of a change that is about to be asked for."""
        self.tried += 1
        fact = self.facts.setdefault(record, Fact())
        fact.unanswered = self.tried if number is None else number
        return fact.unanswered

    def done(self, record: str) -> None:
        fact = self.facts[record]
        if fact.unanswered is not None:
            fact.acknowledged, fact.unanswered = fact.unanswered, None
        self.acknowledged += 1

    def compare(self, record: str, found: int) -> None:
        fact = self.facts.setdefault(record, Fact())
        expected = f"{record}: {found}, not {fact.acknowledged} or {fact.unanswered}"
        if found == HALF:
            self.half.append(expected)
        if not fact.take(found):
            self.lost.append(expected)


class Editor(Protocol):
    @property
    def records(self) -> tuple[str, ...]:
        """By name, each this editor's alone."""

    async def found(self) -> dict[str, int] | None:
        """The number of each record that is there; None while the box does not answer."""

    async def write(self, record: str, number: int) -> Answer:
        """Make the record, change it, or for ABSENT delete it, as `found` saw it last."""


Answer = bool | str
"""Whether it was acknowledged; a text is a refusal that nobody expected."""


async def keep_editing(editor: Editor, notebook: Notebook, rng: Random, stop: trio.Event) -> None:
    """One change after the other, until `stop`; the last one is answered, or its box is gone."""
    while not stop.is_set():
        if not await _edited(editor, notebook, rng):
            await trio.sleep(_AWAY_S)


async def look(editor: Editor, notebook: Notebook) -> bool:
    """Compare all that is there with what it should be; False if nobody answered."""
    found = await editor.found()
    if found is None:
        return False
    for record in editor.records:
        notebook.compare(record, found.get(record, ABSENT))
    return True


async def _edited(editor: Editor, notebook: Notebook, rng: Random) -> bool:
    if not await look(editor, notebook):
        return False
    record = rng.choice(editor.records)
    is_there = notebook.facts[record].acknowledged != ABSENT
    number = notebook.trying(record, ABSENT if is_there and rng.randrange(10) < _DELETED_OF_TEN else None)
    answer = await editor.write(record, number)
    if answer is True:
        notebook.done(record)
    elif answer:
        notebook.refused.append(f"{record}: {answer}")
    return answer is True


# -- over the control socket ---------------------------------------------------------------------------------------


def draft(record: str, number: int) -> ConnectionDraft:
    return ConnectionDraft.model_validate(_connection_fields(record, number))


def _connection_fields(record: str, number: int) -> dict[str, str]:
    return {
        "name": record,
        "description": str(number),
        "domain": "pbx.lan",
        "user": "900",
        "password": f"password {number}",
        "caller_id": str(number),
        "expiry_s": str(_expiry_s(number)),
    }


def _expiry_s(number: int) -> int:
    return 60 + number % 7000


def _number(description: str, caller_id: str, expiry_s: int, *, readable: bool) -> int:
    whole = readable and description == caller_id and description.isdigit() and expiry_s == _expiry_s(int(description))
    return int(description) if whole else HALF


class SocketConnections:
    def __init__(self, box: Box, records: tuple[str, ...]) -> None:
        self.records = records
        self._box = box
        self._seen: dict[str, views.ConnectionView] = {}

    async def found(self) -> dict[str, int] | None:
        answer = await self._box.ask("list_connections", views.Connections)
        if isinstance(answer, Refusal):
            return None
        self._seen = {each.account.name: each for each in answer.items if each.account.name in self.records}
        return {name: self._number_of(each) for name, each in self._seen.items()}

    async def write(self, record: str, number: int) -> Answer:
        seen = self._seen.get(record)
        if seen is None:
            return _answer(await self._box.ask("create_connection", views.ConnectionView, draft=draft(record, number)))
        if number == ABSENT:
            return _answer(await self._box.ask("delete_connection", views.Nothing, id=seen.id, confirmed=True))
        question = {"id": seen.id, "if_version": seen.version, "draft": draft(record, number)}
        return _answer(await self._box.ask("update_connection", views.ConnectionView, **question))

    def _number_of(self, view: views.ConnectionView) -> int:
        account = view.account
        readable = view.has_password and not view.unreadable
        return _number(account.description, account.caller_id, account.expiry_s, readable=readable)


class SocketAgents:
    """Agents that do not run: their settings, and which of `lines` (ids of connections) they are attached to."""

    def __init__(self, box: Box, records: tuple[str, ...], lines: tuple[str, ...]) -> None:
        self.records = records
        self._box, self._lines = box, lines
        self._seen: dict[str, views.AgentView] = {}

    async def found(self) -> dict[str, int] | None:
        answer = await self._box.ask("list_agents", views.Agents)
        if isinstance(answer, Refusal):
            return None
        self._seen = {each.name: each for each in answer.items if each.name in self.records}
        numbers = {}
        for name, view in self._seen.items():
            detail = await self._box.ask("get_agent", views.AgentDetail, id=view.id)
            if isinstance(detail, Refusal):
                return None
            numbers[name] = self._number_of(detail.plan)
        return numbers

    async def write(self, record: str, number: int) -> Answer:
        seen = self._seen.get(record)
        if seen is None:
            return _answer(await self._box.ask("create_agent", views.AgentDetail, plan=self._plan(record, number)))
        if number == ABSENT:
            return _answer(await self._box.ask("delete_agent", views.Nothing, id=seen.id, confirmed=True))
        question = {"id": seen.id, "if_version": seen.version, "plan": self._plan(record, number)}
        return _answer(await self._box.ask("update_agent", views.AgentDetail, **question))

    def _plan(self, record: str, number: int) -> views.AgentPlan:
        text = str(number)
        settings = Agent(name=record, description=text, greeting=text, hours=text)
        attached = tuple(views.Attachment(connection_id=line) for line in self._attached(number))
        return views.AgentPlan(settings=settings, attachments=attached, speech_to_text="box-ears")

    def _attached(self, number: int) -> set[str]:
        return {line for place, line in enumerate(self._lines) if number >> place & 1}

    def _number_of(self, plan: views.AgentPlan) -> int:
        texts = {plan.settings.description, plan.settings.greeting, plan.settings.hours}
        attached = {each.connection_id for each in plan.attachments}
        text = texts.pop()
        return int(text) if not texts and text.isdigit() and attached == self._attached(int(text)) else HALF


class Life:
    """One agent, started and stopped: its number is odd when it should be up, and even when it should not."""

    def __init__(self, box: Box, agent_id: str, notebook: Notebook) -> None:
        self.records = (agent_id,)
        self._box, self._notebook = box, notebook

    async def found(self) -> dict[str, int] | None:
        [agent_id] = self.records
        answer = await self._box.ask("get_agent", views.AgentDetail, id=agent_id)
        if isinstance(answer, Refusal):
            return None
        is_up = answer.view.state is not views.AgentState.STOPPED
        fact = self._notebook.facts.setdefault(agent_id, Fact())
        fitting = (each for each in (fact.acknowledged, fact.unanswered) if each is not None and each % 2 == is_up)
        return {agent_id: next(fitting, HALF)}

    async def write(self, record: str, number: int) -> Answer:
        verb = "start_agent" if number % 2 else "stop_agent"
        return _answer(await self._box.ask(verb, views.AgentView, id=record))


def _answer(answer: object) -> Answer:
    if not isinstance(answer, Refusal):
        return True
    return "" if answer.why is Why.BOX_FAULT else answer.text


# -- on the page ---------------------------------------------------------------------------------------------------

_LINK = re.compile(r'<a href="/channels/([0-9a-f]+)(?:#details)?">([^<]+)</a>')
_CANNOT_READ = "cannot be read on this box"


class PageConnections:
    """The forms of Settings > Channels, sent as a browser does; signed in again when the page has forgotten us."""

    def __init__(self, browser: Visitor, password: str, records: tuple[str, ...]) -> None:
        self.records = records
        self._browser, self._password = browser, password
        self._seen: dict[str, Form] = {}

    async def found(self) -> dict[str, int] | None:
        listed = await self._page("/channels")
        if listed is None:
            return None
        self._seen, numbers = {}, {}
        for connection_id, name in _LINK.findall(listed):
            if name in self.records:
                html = await self._page(f"/channels/{connection_id}")
                if html is None:
                    return None
                form = self._seen[name] = form_to(html, f"/channels/{connection_id}")
                shown = (form.shown("description"), form.shown("caller_id"), int(form.shown("expiry_s")))
                numbers[name] = _number(*shown, readable=_CANNOT_READ not in html)
        return numbers

    async def write(self, record: str, number: int) -> Answer:
        try:
            return await self._written(record, number)
        except httpx.TransportError:
            return False

    async def _page(self, path: str) -> str | None:
        return await self._browser.read(path, self._password)

    async def _written(self, record: str, number: int) -> Answer:
        seen = self._seen.get(record)
        if number == ABSENT and seen:
            return await self._sent(Form("post", f"{seen.action}/delete", (("csrf", seen.shown("csrf")), _CONFIRMED)))
        if seen is None:
            html = await self._page("/channels/new")
            if html is None:
                return False
            seen = form_to(html, "/channels/new")
        return await self._sent(seen.filled(**_connection_fields(record, number)))

    async def _sent(self, form: Form) -> Answer:
        answer = await self._browser.send(form)
        if answer.is_redirect:
            return answer.headers["location"].startswith("/channels")
        return False if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else f"{answer.status_code}"


_CONFIRMED = ("confirmed", "yes")
