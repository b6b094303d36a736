"""Test chats: an agent's brain with text in and text out. Nothing reaches anybody."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from app.agents.roster import AgentProblem
from app.brains.language_model import ModelBrain
from app.brains.patience import FILLER
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist
from app.http_tools import HttpTools, ToolAnswer
from firmware.chatting import ANSWER_S, IDLE_S, MOST_CHATS, MOST_LINES, Chats, Partner
from tests.fakes.http_tools import FakeTools
from tests.fakes.language_model import NEVER, FakeModel, Written, at_once, tool
from tests.scene.test_http_tools import BOOK, BOOKS, LOOKS, ORDER_STATUS, SENT
from tests.scene.test_model_tools import AGENT, MATCHER, NOW, PARKING

pytestmark = pytest.mark.scene

GREETED = AGENT.model_copy(update={"greeting": "Good day.", "mail_to": ("owner@office.example",)})


class Office:
    """Agents by id: "rec" is the receptionist alone, "llm" has a language model, "ill" cannot run."""

    def __init__(self, *answers: Written) -> None:
        self.model = FakeModel(list(answers))
        self.tools = FakeTools([ORDER_STATUS, BOOK], [(0.2, SENT)])
        self.open = 0

    @asynccontextmanager
    async def partner(self, agent_id: str, allowed: Callable[[HttpTools], HttpTools]) -> AsyncGenerator[Partner, None]:
        if agent_id == "ill":
            raise AgentProblem("The agent cannot run: it has no voice.")
        receptionist = Receptionist(GREETED, MATCHER, asks=False)
        self.open += 1
        try:
            if agent_id == "rec":
                yield Partner(GREETED, receptionist)
                return
            prompt, http = system_prompt(GREETED), allowed(self.tools)
            yield Partner(
                GREETED,
                ModelBrain(GREETED, receptionist, self.model, prompt=prompt, first_word_s=3.0, now=NOW, http=http),
            )
        finally:
            self.open -= 1


@asynccontextmanager
async def chats(office: Office) -> AsyncGenerator[Chats, None]:
    async with trio.open_nursery() as nursery:
        yield Chats(nursery, office.partner)
        nursery.cancel_scope.cancel()


async def talk(office: Office, agent_id: str, *said: str) -> tuple[list[str], bool]:
    """All lines, and whether it is over."""
    async with chats(office) as made:
        view = await made.start(agent_id)
        for text in said:
            answer = await made.say(agent_id, view.id, text)
            assert answer is not None
            view = answer
        return [f"{each.speaker}: {each.text}" for each in view.lines], view.ended


async def test_the_receptionist_answers_as_in_a_call(autojump_clock: MockClock) -> None:
    lines, ended = await talk(Office(), "rec", "Where can I park?")
    assert lines == ["agent: Good day.", "caller: Where can I park?", f"agent: {PARKING}"]
    assert not ended


async def test_who_would_be_put_through_or_told_is_only_told(autojump_clock: MockClock) -> None:
    lines, ended = await talk(Office(), "rec", "put me through to Anna Miller", "hello?")
    assert lines[2:] == [
        "agent: I am putting you through to Anna Miller.",
        "box: In a call, the box would put the caller through to Anna Miller, on 201, now.",
        "box: After a call, an e-mail would go to owner@office.example.",
    ]
    assert ended


async def test_a_good_bye_ends_it(autojump_clock: MockClock) -> None:
    lines, ended = await talk(Office(), "rec", "good-bye")
    assert lines[-1] == "box: The agent hangs up."
    assert ended


async def test_a_language_model_answers_and_its_look_ups_are_real(autojump_clock: MockClock) -> None:
    office = Office(at_once("", LOOKS), at_once("It is on its way."))
    lines, _ = await talk(office, "llm", "where is my order")
    assert lines[2:] == ["box: The tool “Order status” answered in 0.2 s.", "agent: It is on its way."]
    assert office.tools.asked == [("Order status", {"order": "A 1"})]


async def test_what_would_do_something_is_not_asked(autojump_clock: MockClock) -> None:
    office = Office(at_once("", BOOKS, tool("end_call")))
    lines, ended = await talk(office, "llm", "a table for four")
    assert office.tools.asked == []
    assert any("“Book a table” would really be asked" in each for each in lines)
    assert ended


async def test_a_model_that_is_down_leaves_the_receptionist_and_says_why(autojump_clock: MockClock) -> None:
    lines, _ = await talk(Office(NEVER), "llm", "where can i park")
    assert any(each.startswith("box: The receptionist answered: the language model was too slow") for each in lines)
    assert lines[-1].endswith(PARKING)


async def test_one_that_never_comes_to_an_end_is_cut(autojump_clock: MockClock) -> None:
    office = Office(Written([(2.0, "And so on. ")] * 30))
    began_s = trio.current_time()
    lines, ended = await talk(office, "llm", "tell me all")
    assert trio.current_time() - began_s <= ANSWER_S + 0.1
    assert lines[-2].startswith(f"agent: {FILLER} And so on.")
    assert lines[-1].startswith("box: The agent had nothing more to say")
    assert not ended


async def test_an_agent_that_cannot_run_says_so(autojump_clock: MockClock) -> None:
    async with chats(Office()) as made:
        with pytest.raises(AgentProblem, match="it has no voice"):
            await made.start("ill")


async def test_a_chat_that_nobody_types_in_is_forgotten_and_the_oldest_makes_room(autojump_clock: MockClock) -> None:
    office = Office()
    async with chats(office) as made:
        first, *others = [await made.start("rec") for _ in range(MOST_CHATS + 1)]
        await trio.testing.wait_all_tasks_blocked()
        assert (made.find("rec", first.id), office.open) == (None, MOST_CHATS)
        await trio.sleep(IDLE_S / 2)
        assert await made.say("rec", others[-1].id, "where can i park")
        await trio.sleep(IDLE_S * 0.6)
        assert [each.id for each in others if made.find("rec", each.id)] == [others[-1].id]
        assert await made.say("rec", others[0].id, "hello") is None
        assert made.find("llm", others[-1].id) is None
        assert await made.say("llm", others[-1].id, "hello") is None
        assert office.open == 1


async def test_a_long_one_ends(autojump_clock: MockClock) -> None:
    lines, ended = await talk(Office(), "rec", *["where can i park"] * (MOST_LINES // 2 + 1))
    assert ended
    assert len(lines) <= MOST_LINES + 2
    assert "too long" in lines[-1]


async def test_nothing_said_is_in_a_repr(autojump_clock: MockClock) -> None:
    async with chats(Office()) as made:
        view = await made.start("rec")
        answer = await made.say("rec", view.id, "my name is Zoe")
    assert "Zoe" not in repr(answer)
    assert "Zoe" not in repr(ToolAnswer(0.1, 200, "Zoe"))
