"""Test chats with agents as they are stored: a real database and vault, a real language model's server that calls a
real program. Only the telephone is absent."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import trio

from app.control import verbs, views
from app.control.chat import ChatView, SayInChat, WhichChat
from app.control.refusals import Refusal, Why
from app.engines import ModelServer
from app.ports import Ledger
from app.settings import Agent
from firmware.chatting import Chats
from firmware.control.chats import ChatVerbs
from firmware.employer import Employer
from firmware.equipment import Equipment
from firmware.storage import records
from firmware.switchboard import Switchboard
from models.vad.silero import SileroModel
from tests.contract.test_http_tool_verbs import NOW, Box, box
from tests.contract.test_http_tools import KEY, sends
from tests.contract.test_http_tools_in_a_turn import CALLS, SAYS
from tests.fakes.model_server import Script, model_server
from tests.fakes.webhook_receiver import receiver
from tests.office.llama import llama_server
from tests.office.recital import Recital, call_text
from tests.scene.test_workflow import AGENT as PRACTICE
from tests.scene.test_workflow import BY_MODEL, BY_RESULT, WENT

pytestmark = pytest.mark.contract


GREETS = Agent(name="Reception", greeting="Good day, {name}.")


@asynccontextmanager
async def chats(b: Box, folder: Path) -> AsyncGenerator[ChatVerbs, None]:
    equipment = Equipment(cast("SileroModel", None), folder)  # nobody listens
    employer = Employer(
        b.store,
        b.vault,
        cast("Switchboard", None),
        ledger=cast("Ledger", None),  # nothing is kept
        equipment=equipment,
        changed=lambda _: None,
    )
    async with trio.open_nursery() as nursery:
        yield ChatVerbs(b.store, Chats(nursery, employer.chat_partner))
        nursery.cancel_scope.cancel()


async def stored(b: Box, model_url: str = "", *, ears: bool = True, settings: Agent = GREETS) -> None:
    def write(db: records.Db) -> None:
        plan = views.AgentPlan(
            settings=settings,
            speech_to_text="box-ears" if ears else None,
            text_to_speech="box-voice-slt",
            language_model="m1" if model_url else None,
        )
        if model_url:
            engine = ModelServer(base_url=model_url, model="small")
            records.write_connectivity(db, records.ConnectivityRecord("m1", 1, "Model", "", engine, False))
        records.write_agent(db, records.AgentRecord("a1", 2, NOW, plan, should_run=False))

    await b.store.transact(write)


async def started(asked: ChatVerbs) -> ChatView:
    view = await asked.start_chat(verbs.ById(id="a1"))
    assert isinstance(view, ChatView), view
    return view


async def test_the_saved_model_and_its_tools_answer_and_nothing_is_kept(tmp_path: Path) -> None:
    async with (
        model_server(CALLS, Script([SAYS])) as server,
        receiver() as there,
        box(tmp_path) as b,
        chats(b, tmp_path) as asked,
    ):
        there.answers(sends(b"{}"))
        await stored(b, server.base_url)
        await b.adds(url=there.url)
        view = await started(asked)
        assert [each.text for each in view.lines] == ["Good day,."]
        answer = await asked.say_in_chat(SayInChat(id="a1", chat_id=view.id, text="where is my order"))
        assert isinstance(answer, ChatView)
        assert [each.speaker for each in answer.lines] == ["agent", "caller", "box", "agent"]
        assert answer.lines[-1].text == SAYS
        assert await asked.get_chat(WhichChat(id="a1", chat_id=view.id)) == answer
        sessions = await b.store.transact(lambda db: db.execute("SELECT count(*) FROM sessions").fetchone())
    assert sessions == (0,)
    assert there.told[0].headers["authorization"] == KEY


async def test_a_tool_whose_secret_cannot_be_read_is_not_offered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    async with model_server(Script([SAYS])) as server, box(tmp_path) as b, chats(b, tmp_path) as asked:
        await stored(b, server.base_url)
        await b.adds()
        await b.adds(name="Without", headers=[], values={})
        await b.store.transact(lambda db: db.execute("UPDATE http_tools SET headers = X'00' WHERE headers NOT NULL"))
        view = await started(asked)
        await asked.say_in_chat(SayInChat(id="a1", chat_id=view.id, text="hello there"))
        [question] = server.questions
    names = [each["function"]["name"] for each in question["tools"]]
    assert "without" in names
    assert "order_status" not in names
    assert "the headers of a tool cannot be read" in caplog.text


async def test_whoever_cannot_run_or_is_not_there_is_told_why(tmp_path: Path) -> None:
    async with box(tmp_path) as b, chats(b, tmp_path) as asked:
        await stored(b, ears=False)
        silent = await asked.start_chat(verbs.ById(id="a1"))
        nobody = await asked.start_chat(verbs.ById(id="a2"))
        gone = await asked.say_in_chat(SayInChat(id="a1", chat_id="c1", text="hello"))
    assert isinstance(silent, Refusal)
    assert (silent.why, "no Speech-To-Text connection is attached" in silent.text) == (Why.NOT_NOW, True)
    for each in (nobody, gone):
        assert isinstance(each, Refusal)
        assert each.why is Why.NOT_FOUND


async def said(asked: ChatVerbs, chat: ChatView, text: str) -> list[str]:
    """What came of it."""
    answer = await asked.say_in_chat(SayInChat(id="a1", chat_id=chat.id, text=text))
    assert isinstance(answer, ChatView)
    before = max(place for place, line in enumerate(answer.lines) if line.speaker == "caller")
    return [f"{each.speaker}: {each.text}" for each in answer.lines[before + 1 :]]


async def test_the_receptionist_goes_through_a_workflow(tmp_path: Path) -> None:
    async with box(tmp_path) as b, chats(b, tmp_path) as asked:
        await stored(b, settings=PRACTICE.model_copy(update={"greeting": "Good day."}))
        chat = await started(asked)
        assert [each.text for each in chat.lines] == ["Good day. What is it about?"]
        assert await said(asked, chat, "an appointment") == [
            f"box: {WENT.format('booking', BY_RESULT)}",
            "agent: Thank you. Let us find a day. Which day?",
        ]
        assert (await said(asked, chat, "tuesday"))[1].startswith("agent: Thank you. You are booked.")


async def test_a_real_llama_server_goes_through_a_workflow(tmp_path: Path) -> None:
    """It calls go_to, and recites what it is told to in the state where it then is."""
    wants = Recital("appointment", call_text("go_to", state="booking"))
    there = Recital("you are in “booking” now", "Monday or Tuesday?", after_tool=True)
    async with (
        llama_server([wants, there, Recital("", "What may I do for you?")]) as server,
        box(tmp_path) as b,
        chats(b, tmp_path) as asked,
    ):
        await stored(b, server.base_url, settings=PRACTICE)
        chat = await started(asked)
        assert await said(asked, chat, "hello") == ["agent: What may I do for you?"]
        assert await said(asked, chat, "I want an appointment") == [
            f"box: {WENT.format('booking', BY_MODEL)}",
            "agent: Monday or Tuesday?",
        ]
