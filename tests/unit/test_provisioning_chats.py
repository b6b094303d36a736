"""The page on which somebody chats with an agent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.control.chat import ChatLine, ChatView
from app.control.refusals import Refusal, Why
from app.settings import Settings
from tests.unit.test_provisioning_documents import ANSWERS as AGENT
from tests.unit.test_provisioning_pages import signed_in

pytestmark = pytest.mark.unit

CHAT = ChatView(
    id="c1",
    lines=(
        ChatLine(speaker="agent", text="Good <day>."),
        ChatLine(speaker="caller", text="Hello."),
        ChatLine(speaker="box", text="The agent hangs up."),
    ),
    ended=False,
    results={"message_name": "Zoe"},
)
ANSWERS: dict[str, list[Settings]] = {"get_agent": AGENT["get_agent"], "get_chat": [CHAT], "say_in_chat": [CHAT]}
PATH = "/agents/a/chats/c1"


async def test_it_is_begun_from_the_agents_page(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = AGENT | {"start_chat": [CHAT]}
        assert 'action="/agents/a/chats"' in (await client.get("/agents/a")).text
        told = await client.post("/agents/a/chats", data={"csrf": csrf})
    assert told.headers["location"].endswith(f"{PATH}#say")


async def test_an_agent_that_cannot_run_is_told(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = AGENT | {"start_chat": [Refusal(why=Why.NOT_NOW, text="It has no voice.")]}
        told = await client.post("/agents/a/chats", data={"csrf": csrf})
    assert (told.status_code, "It has no voice." in told.text) == (409, True)


async def test_what_was_said_is_shown(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = dict(ANSWERS)
        text = (await client.get(PATH)).text
    assert "Good &lt;day&gt;." in text
    assert "The receptionist on the box answers" in text
    assert "Zoe" in text
    assert 'name="spoken"' in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert sorted(ids) == sorted(set(ids)), "or a label names something else"


async def test_what_is_typed_is_said(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(ANSWERS)
        told = await client.post(PATH, data={"csrf": csrf, "spoken": " Where can I park? "})
        nothing = await client.post(PATH, data={"csrf": csrf, "spoken": " "})
        much = await client.post(PATH, data={"csrf": csrf, "spoken": "x" * 201})
    assert told.headers["location"].endswith(f"{PATH}#say")
    [asked] = box.questions("say_in_chat")
    assert asked.model_dump() == {"id": "a", "chat_id": "c1", "text": "Where can I park?"}
    assert 'id="spoken-error">Must be filled in.' in nothing.text
    assert 'id="spoken-error">Must have at most 200 characters.' in much.text


async def test_one_that_is_over_takes_no_more(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"get_chat": [CHAT.model_copy(update={"ended": True})]}
        text = (await client.get(PATH)).text
        gone = Refusal(why=Why.NOT_FOUND, text="This chat is over.")
        box.answers = ANSWERS | {"get_chat": [gone], "say_in_chat": [gone]}
        assert (await client.get(PATH)).status_code == 404
        assert "This chat is over." in (await client.post(PATH, data={"csrf": csrf, "spoken": "Hello."})).text
    assert 'name="spoken"' not in text
    assert "The call would be over" in text
