"""Calls of tools, as servers stream them in their dialects, and servers that take none."""

from __future__ import annotations

import json

import pytest

from app.language_models import ChatMessage, ModelFailed, ToolCall, ToolsRefused
from firmware.language_model import open_language_model
from tests.contract.test_language_model import QUESTION, TOOL, real, settings, whole
from tests.fakes.model_server import HTML, JSON, Script, call_of, model_server

pytestmark = pytest.mark.contract

PARKING, PRICES = ToolCall("look_up", '{"words": "parking"}'), ToolCall("look_up", '{"words": "prices"}')


async def test_tools_and_what_came_of_them_are_as_the_protocol_has_them() -> None:
    call = ToolCall("look_up", '{"words": "parking"}', "call00000")
    said = [
        *QUESTION,
        ChatMessage("assistant", "", (call,)),
        ChatMessage("tool", "Behind the house.", answers="call00000"),
        ChatMessage("assistant", "One moment.", (call,)),
    ]
    async with model_server() as server, open_language_model(settings(server.base_url), None) as model:
        assert await whole(model.ask(said, [TOOL])) == "Hello."
    function = {"name": "look_up", "arguments": '{"words": "parking"}'}
    calls = [{"id": "call00000", "type": "function", "function": function}]
    [question] = server.questions
    assert question["messages"][2:] == [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call00000", "content": "Behind the house."},
        {"role": "assistant", "content": "One moment.", "tool_calls": calls},
    ]
    told = {"name": "look_up", "description": "Look something up.", "parameters": TOOL.parameters}
    assert question["tools"] == [{"type": "function", "function": told}]


@pytest.mark.parametrize(
    "script",
    [
        Script(status=400, kind=JSON, body=b'{"error": {"message": "tiny does not support tools"}}'),
        Script(status=400, kind=HTML, body=b"Bad Request"),
        Script(status=422, kind=JSON, body=b'{"detail": "extra fields not permitted"}'),
        Script(status=500, kind=JSON, body=b'{"error": {"message": "tools param requires --jinja flag"}}'),
        Script(status=404, kind=JSON, body=b'{"error": {"message": "No endpoints found that support tool use"}}'),
    ],
    ids=["400", "400 without a word", "422", "500", "404"],
)
async def test_a_server_that_takes_no_tools_is_known_by_that(script: Script) -> None:
    async with model_server(script) as server, open_language_model(settings(server.base_url), None) as model:
        with pytest.raises(ToolsRefused) as caught:
            await whole(model.ask(QUESTION, [TOOL]))
        assert "takes no tools" in str(caught.value)
        with pytest.raises(ModelFailed) as caught_without:
            await whole(model.ask(QUESTION))
        assert type(caught_without.value) is ModelFailed


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_other_refusals_are_none_of_tools(status: int) -> None:
    script = Script(status=status, kind=JSON, body=b'{"error": {"message": "no"}}')
    async with model_server(script) as server, open_language_model(settings(server.base_url), None) as model:
        with pytest.raises(ModelFailed) as caught:
            await whole(model.ask(QUESTION, [TOOL]))
        assert type(caught.value) is ModelFailed


def written(call: ToolCall, **more: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": call.name, "arguments": call.arguments}} | more


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([*call_of("look_up", PARKING.arguments), *call_of("look_up", PRICES.arguments, index=1)], (PARKING, PRICES)),
        ([[written(PARKING, index=0, id="a"), written(PRICES, index=1, id="b")]], (PARKING, PRICES)),
        ([[written(PARKING, id="a"), written(PRICES, id="b")]], (PARKING, PRICES)),
        ([[written(PARKING, id="a")], [written(PRICES, id="b")]], (PARKING, PRICES)),
        ([[written(PARKING)], [written(PRICES)]], (PARKING, PRICES)),
        ([[written(PARKING, index=0, id="a")], [written(PRICES, index=0, id="b")]], (PARKING, PRICES)),
        ([[{"index": 0, "function": {"name": "look_up", "arguments": {"words": "parking"}}}]], (PARKING,)),
        (
            [
                [{"index": 0, "id": "a", "function": {"name": "look_up", "arguments": '{"words"'}}],
                [{"index": 0, "id": "b", "function": {"name": None, "arguments": ': "parking"}'}}],
            ],
            (PARKING,),
        ),
        (
            [[written(ToolCall("look_up", each), index=0, id="a")] for each in ('{"words": ', '"parking"}')],
            (PARKING,),
        ),
        ([[{"id": "a", "function": {"name": "end_call"}}]], (ToolCall("end_call", ""),)),
        ([[5, None, {"function": 7}, {"function": {"name": 5, "arguments": []}}]], (ToolCall("", ""),)),
    ],
    ids=[
        *("openai", "whole", "not numbered", "not numbered, one by one", "neither", "all of them 0", "an object"),
        *("another id with each piece", "the name again", "no arguments", "garbage"),
    ],
)
async def test_the_dialects_in_which_tools_are_called(pieces: list[list[object]], calls: tuple[ToolCall, ...]) -> None:
    async with real(Script([], calls=pieces)) as model:
        answer = model.ask(QUESTION, [TOOL])
        assert await whole(answer) == ""
        assert answer.calls == calls


async def test_a_server_that_does_not_stream_calls_tools_too() -> None:
    message = {"content": None, "tool_calls": [written(PARKING, id="a")]}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()
    async with real(Script(kind=JSON, body=body)) as model:
        answer = model.ask(QUESTION, [TOOL])
        assert await whole(answer) == ""
        assert answer.calls == (PARKING,)


async def test_calls_that_broke_off_are_none() -> None:
    async with real(Script([], calls=call_of("end_call"), ends="cut")) as model:
        answer = model.ask(QUESTION, [TOOL])
        with pytest.raises(ModelFailed):
            await whole(answer)
        assert answer.calls == ()
