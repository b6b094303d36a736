"""A program that asks the REST API, of a box with canned answers."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import trio
import trio.testing

from app.control import views
from app.control.refusals import STATUS, Refusal
from app.control.verbs import Event
from app.control.views import Scope
from provisioning.api.answers import API
from provisioning.api.bearers import Bearers
from provisioning.api.operations import OPERATIONS, Operation
from provisioning.life import Life
from provisioning.list_sending import Sender
from provisioning.passwords import Passwords
from provisioning.settings import Process
from provisioning.shelf import Shelf
from provisioning.sign_ins import SignIns
from provisioning.slate import Slate
from provisioning.throttle import Throttle
from provisioning.web.application import application
from provisioning.web.rendering import Door
from tests.unit.test_provisioning_pages import CannedBox

HOST = "deskbell.local"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TOKEN = "deskbell_" + "t" * 43
NAMES = [operation.name for operation in OPERATIONS]


class TellingBox(CannedBox):
    """With events too."""

    told: tuple[Event | None, ...] = ()

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[AsyncGenerator[Event | None, None], None]:
        yield self._told()

    async def _told(self) -> AsyncGenerator[Event | None, None]:
        for event in self.told:
            yield event
            await trio.lowlevel.checkpoint()


@asynccontextmanager
async def program(folder: Path, *scopes: Scope) -> AsyncGenerator[tuple[httpx.AsyncClient, TellingBox, Door], None]:
    """A program with a token that has `scopes`, all of them if none is named."""
    slate, box = Slate.fresh(), TellingBox(folder / "nobody.sock")
    bearers, passwords = Bearers(box, slate), Passwords(folder)
    shelf, life = Shelf.fresh(slate), Life()
    sender = Sender(box, shelf, life)
    door = Door(
        box, passwords, SignIns(slate), Throttle(slate), bearers, life, Process(admin_folder=folder), shelf, sender
    )
    box.answers["check_token"] = [holder(*(scopes or Scope))]
    transport = httpx.ASGITransport(application(door, frozenset({HOST}), 8443), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}{API}", headers=headers) as client:
        yield client, box, door
    await box.close()


def holder(*scopes: Scope) -> views.TokenView:
    return views.TokenView(id="t1", name="Cron", scopes=scopes, created_at=NOW, last_used_at=None)


def refusal_in(answer: httpx.Response) -> Refusal:
    assert answer.headers["content-type"] == "application/json"
    refusal = Refusal.model_validate_json(answer.content)
    assert answer.status_code == STATUS[refusal.why]
    return refusal


def operation(name: str) -> Operation:
    (found,) = (each for each in OPERATIONS if each.name == name)
    return found


def path_of(name: str) -> str:
    return re.sub(r"\{\w+\}", "x1", operation(name).path)
