"""The tools that a language model is told of, as it is told: made of an agent's settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from app.brains.prompt import knowledge_left_out
from app.http_tools import HttpTool, function_name, schema_of
from app.language_models import Tool
from app.pressing import MOST_KEYS
from app.settings import Agent
from app.transfers import reachable

MOST_WORDS = 12
"""Of one search: a word that nobody wrote is compared with each that somebody did."""


def tools_of(agent: Agent) -> Iterator[Tool]:
    yield Tool(
        "end_call",
        "Say good-bye and hang up, once the caller has nothing more to say. The good-bye is said for you.",
        _object({}),
    )
    if names := [each.name for each in reachable(agent)]:
        yield Tool(
            "transfer",
            "Put the caller through to somebody of the office, whom they asked for. They are told so for you.",
            _object({"person": _one_of(names, "whom")}, required=("person",)),
        )
    people = [each.name for each in agent.directory]
    yield Tool(
        "take_message",
        "Take a message, once the caller wants to leave one. Name, number and message are asked for and read back for "
        "you: ask for none of them, and go on once it is taken.",
        _object({"person": _one_of(people, "for whom, if they said so")} if people else {}),
    )
    if fields := [each.name for each in agent.result_fields]:
        value: JsonValue = {"type": "string", "description": "as its type has it"}
        yield Tool(
            "set_result",
            "Note what the caller said of something that you should find out, as soon as it is certain.",
            _object({"name": _one_of(fields, "which"), "value": value}, required=("name", "value")),
        )
    if agent.presses_keys:
        keys: JsonValue = {
            "type": "string",
            "description": f"of 0-9 * # A-D, at most {MOST_KEYS}; a comma is a pause of one second",
        }
        yield Tool(
            "send_digits",
            "Press keys on the telephone, where a machine at the other end asks for them (“press 1 for sales”). Say "
            "nothing with it: machines do not listen then.",
            _object({"keys": keys}, required=("keys",)),
        )
    if knowledge_left_out(agent):
        yield Tool(
            "look_up",
            "Look up what the office knows, and whom, where it does not stand above. Do so before you say that you do "
            "not know.",
            _object({"words": {"type": "string", "description": f"at most {MOST_WORDS}"}}, required=("words",)),
        )


def go_to(onward: Sequence[str]) -> Tool:
    return Tool(
        "go_to",
        "Go on to another part of the conversation, as soon as what your instructions say of it is so. The caller "
        "hears nothing of it.",
        _object({"state": _one_of(onward, "which")}, required=("state",)),
    )


def http_tool(tool: HttpTool) -> Tool:
    return Tool(function_name(tool.name), tool.when, schema_of(tool))


def _one_of(names: Sequence[str], description: str) -> JsonValue:
    return {"type": "string", "enum": [*names], "description": description}


def _object(properties: dict[str, JsonValue], required: Sequence[str] = ()) -> dict[str, JsonValue]:
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}
