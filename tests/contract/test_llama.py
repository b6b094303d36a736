"""What llama.cpp's own server does, and what our client makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import trio
from pydantic import SecretStr

from app.brains.language_model import ModelBrain
from app.brains.patience import FILLER
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist, matcher_of
from app.language_models import ChatMessage, LanguageModel, ModelFailed, ToolCall, ToolsRefused
from app.ports import Heard, Noted, Say
from app.settings import Agent, Knowledge
from firmware.language_model import open_language_model
from tests.contract.test_language_model import KEY, QUESTION, TOOL, settings, whole
from tests.office.llama import SLOW, LlamaServer, llama_server
from tests.office.recital import Recital, call_text
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.contract

HELLO = Recital("", "Good day.")
ENDLESS = Recital("", "We talk of this and that", again=True)


async def failure(model: LanguageModel, messages: Sequence[ChatMessage] = QUESTION) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await whole(model.ask(messages))
    return caught.value


async def test_what_it_recites_depends_on_what_is_said() -> None:
    parking = Recital("park", "You can park behind the house. You can stay for two hours.")
    async with llama_server([parking, HELLO]) as server, open_language_model(settings(server.base_url), None) as model:
        assert await whole(model.ask(QUESTION)) == parking.text
        assert await whole(model.ask([ChatMessage("user", "Hello?")])) == "Good day."


async def test_a_wrong_key_is_told_without_the_key() -> None:
    async with llama_server([HELLO], key="another") as server:
        async with open_language_model(settings(server.base_url), SecretStr(KEY)) as model:
            why = await failure(model)
        assert "refuses the key" in str(why)
        assert KEY not in repr(why) + why.detail
        async with open_language_model(settings(server.base_url), SecretStr("another")) as model:
            assert await whole(model.ask(QUESTION)) == "Good day."


async def test_it_answers_whatever_the_model_is_called() -> None:
    """With one model it has no other: the name only counts where it has several (test_language_model.py)."""
    async with (
        llama_server([HELLO]) as server,
        open_language_model(settings(server.base_url, "another"), None) as model,
    ):
        assert await whole(model.ask(QUESTION)) == "Good day."


async def test_a_question_that_it_has_no_room_for() -> None:
    async with (
        llama_server([HELLO], context=512) as server,
        open_language_model(settings(server.base_url), None) as model,
    ):
        long = await failure(model, QUESTION * 10)
        assert "longer than what it can read" in str(long)
        assert "exceeds the available context size" in long.detail
        assert await whole(model.ask([ChatMessage("user", "Hello?")])) == "Good day."


async def test_a_call_and_what_came_of_it() -> None:
    found = Recital("behind", "It is behind the house.", after_tool=True)
    asks = Recital("park", f"One moment. {call_text('look_up', words='parking')}")
    async with (
        llama_server([found, asks, HELLO]) as server,
        open_language_model(settings(server.base_url), None) as model,
    ):
        answer = model.ask(QUESTION, [TOOL])
        assert (await whole(answer)).strip() == "One moment."
        [call] = answer.calls
        assert call == ToolCall("look_up", '{"words": "parking"}')
        known = ToolCall(call.name, call.arguments, "call00000")
        said = [*QUESTION, ChatMessage("assistant", "One moment.", (known,))]
        told = ChatMessage("tool", "Parking is behind the house.", answers=known.id)
        assert await whole(model.ask([*said, told], [TOOL])) == found.text


async def test_without_its_templates_it_takes_no_tools_and_says_so() -> None:
    async with (
        llama_server([HELLO], more=("--no-jinja", "--chat-template", "chatml")) as server,
        open_language_model(settings(server.base_url), None) as model,
    ):
        with pytest.raises(ToolsRefused, match="--jinja"):
            await whole(model.ask(QUESTION, [TOOL]))
        assert await whole(model.ask(QUESTION)) == "Good day."


async def test_whoever_stops_listening_frees_its_slot() -> None:
    async with (
        llama_server([ENDLESS], layers=SLOW) as server,
        open_language_model(settings(server.base_url), None) as model,
    ):
        answer = model.ask(QUESTION)
        assert await answer.more()
        assert await server.busy_slots() == 1
        answer.stop()
        await server.has_busy_slots(0)


async def test_a_server_that_freezes_answers_once_it_goes_on() -> None:
    async with llama_server([HELLO]) as server, open_language_model(settings(server.base_url), None) as model:
        server.freeze()
        answer = model.ask(QUESTION)
        with trio.move_on_after(0.5) as impatient:
            await answer.more()
        assert impatient.cancelled_caught
        server.thaw()
        assert await whole(answer) == "Good day."


async def test_one_that_dies_leaves_nobody_waiting() -> None:
    async with (
        llama_server([ENDLESS], layers=SLOW) as server,
        open_language_model(settings(server.base_url), None) as model,
    ):
        answer = model.ask(QUESTION)
        assert await answer.more()
        server.die()
        with pytest.raises(ModelFailed, match="broke off"):
            await whole(answer)
        assert "nothing answers" in str(await failure(model))


# -- a whole turn, as a brain has it -----------------------------------------------------------------------------

PARKING = "There is a car park behind the building."
AGENT = Agent(name="Reception", knowledge=(Knowledge(questions=("where can i park",), answer=PARKING),))
LONGEST_SILENCE_S = 3.0


async def turn(server: LlamaServer, *, first_word_s: float = 2.0) -> tuple[str, list[str], float]:
    """What is said and noted after a question about parking, and the seconds to its first word."""
    async with open_language_model(settings(server.base_url), None) as model:
        receptionist = Receptionist(AGENT, matcher_of(AGENT, Letters()), asks=False)
        prompt, now = system_prompt(AGENT), datetime(2026, 11, 27, tzinfo=UTC)
        brain = ModelBrain(AGENT, receptionist, model, prompt=prompt, first_word_s=first_word_s, now=now)
        began_s, first_s = trio.current_time(), 0.0
        said, notes = list[str](), list[str]()
        async for action in brain.reply(Heard("where can i park", "where can i park")):
            match action:
                case Say(text):
                    first_s = first_s or trio.current_time() - began_s
                    said.append(text)
                case Noted(text):
                    notes.append(text)
    return " ".join(said), notes, first_s


async def test_a_clause_is_spoken_before_the_next_one_is_written() -> None:
    async with llama_server([Recital("", "You can park behind the house. It is free for two hours.")]) as server:
        said, notes, first_s = await turn(server)
    assert said == "You can park behind the house. It is free for two hours."
    assert notes == []
    assert first_s < LONGEST_SILENCE_S


async def test_an_answer_without_an_end_is_cut_and_the_server_stops() -> None:
    async with llama_server([ENDLESS]) as server:
        said, _, first_s = await turn(server)
        assert said.removeprefix(f"{FILLER} ").startswith("We talk of this and that")
        assert len(said) < 2_000
        assert first_s < LONGEST_SILENCE_S
        await server.has_busy_slots(0)


async def test_a_frozen_server_is_covered_by_the_receptionist() -> None:
    async with llama_server([HELLO]) as server:
        server.freeze()
        said, notes, first_s = await turn(server)
    assert said == f"One moment, please. {PARKING}"
    assert notes == ["The receptionist answered: the language model was too slow: no word within 2 s."]
    assert first_s < LONGEST_SILENCE_S


async def test_a_dead_server_is_covered_by_the_receptionist() -> None:
    async with llama_server([HELLO]) as server:
        server.die()
        said, notes, first_s = await turn(server)
    assert said == PARKING
    assert "nothing answers at its address" in notes[0]
    assert first_s < LONGEST_SILENCE_S


async def test_a_server_without_templates_is_asked_once_more_without_tools() -> None:
    async with llama_server([HELLO], more=("--no-jinja", "--chat-template", "chatml")) as server:
        said, notes, _ = await turn(server)
    assert said == "Good day."
    assert [note.partition(":")[0] for note in notes] == ["The language model could only talk"]
