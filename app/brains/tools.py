"""What a language model may ask for besides talking, and the wall around it. Pure.

Whatever a model writes is checked here as if a caller had written it, for in a way they did: names that stand in the
agent's own settings, arguments that were declared, values that fit. What is refused is told to the model, in words of
ours, and noted without a word of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pydantic import JsonValue

from app.brains.words import words
from app.language_models import Tool, ToolCall
from app.settings import Agent, Person
from app.transfers import number_of

LONGEST_ARGUMENTS = 2_000
"""Characters. The longest that is of use is a text of 500."""


MOST_AT_ONCE = 4
"""What callers want in one sentence, and more."""


@dataclass(frozen=True, slots=True)
class EndCall:
    pass


@dataclass(frozen=True, slots=True)
class PutThrough:
    """`person` stands in the directory, and has an extension."""

    person: str


Wish = EndCall | PutThrough


class Cause(Enum):
    """Why a call of a tool was refused: for the session and the log."""

    UNKNOWN = "there is no such tool"
    MALFORMED = "its arguments could not be read"
    NOT_DECLARED = "its arguments are not those of the tool"
    NOBODY = "nobody of the directory was named who can be put through to"
    TOO_MANY = "too many tools at once"


@dataclass(frozen=True, slots=True)
class Refused:
    """`told`: to the model."""

    cause: Cause
    told: str


class Toolbox:
    """Of one agent: what its owner's settings allow, and nothing else."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.tools = tuple(_tools(agent))
        self._by_name = {tool.name: tool for tool in self.tools}

    def read(self, call: ToolCall) -> Wish | Refused:
        tool = self._by_name.get(call.name)
        if tool is None:
            there_are = ", ".join(self._by_name)
            return Refused(Cause.UNKNOWN, f"There is no such tool. There are: {there_are}.")
        arguments = _arguments(call.arguments)
        if arguments is None:
            return Refused(Cause.MALFORMED, "The arguments are not a JSON object of reasonable size.")
        if not _are_declared(arguments, tool.parameters):
            return Refused(Cause.NOT_DECLARED, "These are not the arguments of the tool: nothing was done.")
        match tool.name:
            case "end_call":
                return EndCall()
            case "transfer":
                return self._transfer(arguments)
            case _:
                raise AssertionError(tool.name)

    def as_recorded(self, call: ToolCall) -> ToolCall:
        """`call` for the history: servers stumble over what is no JSON, and read all of it again and again."""
        arguments = _arguments(call.arguments)
        name = call.name if call.name in self._by_name else "unknown"
        return ToolCall(name, json.dumps(arguments or {}))

    def _transfer(self, arguments: Mapping[str, object]) -> Wish | Refused:
        reachable = [each for each in self._agent.directory if number_of(self._agent, each.name)]
        if person := _named(reachable, arguments["person"]):
            return PutThrough(person.name)
        names = ", ".join(each.name for each in reachable)
        told = f"Nobody was called. Callers can be put through to these only: {names}. Offer to take a message."
        return Refused(Cause.NOBODY, told)


@dataclass(frozen=True, slots=True)
class Work:
    """What becomes of all that a model asked for at once. `calls` and what the model is `told` of each are for the
    history; `last` is what takes the floor, after all else."""

    calls: tuple[ToolCall, ...]
    told: tuple[str, ...]
    refused: tuple[Cause, ...]
    last: Wish | None


def work_of(toolbox: Toolbox, calls: Sequence[ToolCall]) -> Work:
    """The first of those that take the floor counts."""
    made, told, last = [], [], None
    refused = [Cause.TOO_MANY] if len(calls) > MOST_AT_ONCE else []
    for call in calls[:MOST_AT_ONCE]:
        match toolbox.read(call):
            case Refused(cause, why):
                refused.append(cause)
                told.append(why)
            case wish if last is None:
                last = wish
                told.append("The caller is told so now. It is done unless they interrupt.")
            case _:
                told.append("Not done: only one at a time.")
        made.append(toolbox.as_recorded(call))
    return Work(tuple(made), tuple(told), tuple(refused), last)


def says(text: str, wish: Wish) -> bool:
    """Whether a model that said `text` has told the caller already what it does."""
    said = words(text)
    match wish:
        case EndCall():
            return "bye" in said or "goodbye" in said
        case PutThrough(person):
            return person.casefold() in text.casefold()


def _tools(agent: Agent) -> Iterator[Tool]:
    yield Tool(
        "end_call",
        "Say good-bye and hang up, once the caller has nothing more to say. The good-bye is said for you.",
        _object({}),
    )
    if names := [each.name for each in agent.directory if number_of(agent, each.name)]:
        yield Tool(
            "transfer",
            "Put the caller through to somebody of the office, whom they asked for. They are told so for you.",
            _object({"person": {"type": "string", "enum": [*names], "description": "whom"}}, required=("person",)),
        )


def _object(properties: dict[str, JsonValue], required: Sequence[str] = ()) -> dict[str, JsonValue]:
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def _arguments(written: str) -> dict[str, object] | None:
    """None where it is no JSON object, or a novel. Servers send nothing at all for no arguments."""
    if len(written) > LONGEST_ARGUMENTS:
        return None
    try:
        found = json.loads(written, parse_constant=_no_number) if written.strip() else {}
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_number(name: str) -> None:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(name)


def _are_declared(arguments: Mapping[str, object], parameters: Mapping[str, JsonValue]) -> bool:
    """All that are required, and no other."""
    match parameters:
        case {"properties": {**properties}, "required": [*required]}:
            return arguments.keys() <= properties.keys() and all(each in arguments for each in required)
        case _:
            return False


def _named(people: Sequence[Person], name: object) -> Person | None:
    """Whom `name` means: one of the names, or another word for one person only."""
    wanted = name.strip().casefold() if isinstance(name, str) else ""
    named = [each for each in people if each.name.casefold() == wanted]
    known = named or [each for each in people if wanted in map(str.casefold, each.also)]
    return known[0] if len(known) == 1 else None
