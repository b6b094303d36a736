"""A turn with everything real but the telephone: a language model's server that calls a tool, and a program that
answers, dies, is slow or talks nonsense. The caller always hears something sensible, and the session has the reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing

import pytest
import trio
from pydantic import SecretStr

from app.brains.language_model import ModelBrain
from app.brains.patience import FILLER
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist
from app.ports import Heard, Noted, Say
from firmware.http_tools import OpenedTool, open_http_tools
from firmware.language_model import open_language_model
from tests.contract.test_http_tools import KEY, declared, sends
from tests.contract.test_language_model import settings
from tests.fakes.model_server import Script, call_of, model_server
from tests.fakes.webhook_receiver import DRIPS, FAILED, GARBAGE, Receiver, moved, receiver
from tests.scene.test_model_tools import AGENT, MATCHER, NOW

pytestmark = pytest.mark.contract

CALLS = Script([], calls=call_of("order_status", '{"order": "A 1"}'))
SAYS = "It is on its way."
_LOUDEST_SILENCE_S = 3.0


async def turn(there: Receiver) -> tuple[list[str], list[str], dict[str, object], float]:
    """What is said and noted, what the model was told of the tool, and the longest wait."""
    opened = OpenedTool(declared(there.url), {"Authorization": SecretStr(KEY)})
    said, noted, longest_s = list[str](), list[str](), 0.0
    async with (
        model_server(CALLS, Script([SAYS])) as server,
        open_language_model(settings(server.base_url), None) as model,
        open_http_tools([opened]) as tools,
    ):
        receptionist, prompt = Receptionist(AGENT, MATCHER, asks=False), system_prompt(AGENT)
        brain = ModelBrain(AGENT, receptionist, model, prompt=prompt, first_word_s=3.0, now=NOW, http=tools)
        last_s = trio.current_time()
        async with aclosing(brain.reply(Heard("where is my order", "where is my order"))) as actions:
            async for action in actions:
                if isinstance(action, Noted):
                    noted.append(action.text)
                if isinstance(action, Say):
                    longest_s, last_s = max(longest_s, trio.current_time() - last_s), trio.current_time()
                    said.append(action.text)
        return said, noted, _told(server.questions[-1]["messages"]), longest_s


def _told(messages: Sequence[dict[str, object]]) -> dict[str, object]:
    return next(each for each in messages if each["role"] == "tool")


async def test_the_answer_of_a_program_reaches_the_model(caplog: pytest.LogCaptureFixture) -> None:
    async with receiver() as there:
        there.answers(sends(json.dumps({"state": "on its way"}).encode()))
        said, noted, told, _ = await turn(there)
    assert said == [SAYS]
    assert "answered in" in noted[0]
    assert str(told["content"]).endswith('{"state": "on its way"}')
    assert there.told[0].path == "/calls?order=A%201"
    assert KEY not in caplog.text + str(told) + str(noted)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (FAILED, "an error of its own (500). Look into the program's log"),
        (GARBAGE, "no whole answer"),
        (sends(b"<html>", "text/html"), "a web page"),
        (moved("http://127.0.0.1:9/"), "it has moved (302)"),
        (DRIPS, "it did not answer in time"),
        (None, "it did not answer in time"),
    ],
    ids=["500", "garbage", "page", "moved", "drips", "silent"],
)
async def test_a_program_that_fails_costs_nobody_three_seconds_of_silence(answer: bytes | None, why: str) -> None:
    async with receiver() as there:
        there.answers(answer)
        said, noted, told, longest_s = await turn(there)
    assert said[-1] == SAYS
    assert why in noted[0]
    assert str(told["content"]).startswith("The tool failed: ")
    assert longest_s < _LOUDEST_SILENCE_S
    assert (FILLER in said) is (why == "it did not answer in time")


async def test_a_program_that_is_killed_in_the_middle() -> None:
    async with receiver() as there, trio.open_nursery() as nursery:
        there.answers(None)

        async def kill() -> None:
            await there.is_told(1)
            there.dies()

        nursery.start_soon(kill)
        said, noted, _, _ = await turn(there)
    assert said[-1] == SAYS
    assert "it gave no whole answer" in noted[0]
