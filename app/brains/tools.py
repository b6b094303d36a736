"""What a language model may ask for besides talking, and the wall around it. Pure.

Whatever a model writes is checked here as if a caller had written it, for in a way they did: names that stand in the
agent's own settings, arguments that were declared, values that fit. What is refused is told to the model, in words of
ours, and noted without a word of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from pydantic import JsonValue

from app.brains.course import allows
from app.brains.intents import Intent, Kind
from app.brains.prompt import kind_of, knowledge_left_out, known, person_line
from app.brains.results import as_text
from app.brains.words import words
from app.http_tools import MOST_CALLS, HttpTool, Value, function_name, schema_of, values_of
from app.language_models import Tool, ToolCall
from app.settings import Agent, Person, State
from app.transfers import number_of

LONGEST_ARGUMENTS = 2_000
"""Characters. The longest that is of use is a text of 500."""


MOST_AT_ONCE = 4
"""What callers want in one sentence, and more."""

MOST_WORDS, LONGEST_WORDS = 12, 200
"""Of one search, in words and in characters: a word that nobody wrote is compared with each that somebody did."""

MOST_FOUND = 3
"""Entries of one search: more is no answer."""


@dataclass(frozen=True, slots=True)
class EndCall:
    pass


@dataclass(frozen=True, slots=True)
class PutThrough:
    """`person` stands in the directory, and has an extension."""

    person: str


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """`person` of the directory, or empty."""

    person: str


@dataclass(frozen=True, slots=True)
class GoTo:
    """`state` is one that the conversation may go on to."""

    state: str


@dataclass(frozen=True, slots=True)
class SetResult:
    """`name` is declared, and `value` fits it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """`entries`: the names of what was found; `told`: all of it."""

    entries: tuple[str, ...]
    told: str


@dataclass(frozen=True, slots=True)
class AskTool:
    """One of the owner's HTTP tools, and what fits its fields."""

    tool: HttpTool
    values: Mapping[str, Value]


Last = EndCall | PutThrough | TakeMessage
"""What takes the floor: the receptionist goes on."""

Wish = Last | GoTo | SetResult | LookUp | AskTool


class Cause(Enum):
    """Why a call of a tool was refused: for the session and the log."""

    UNKNOWN = "there is no such tool"
    MALFORMED = "its arguments could not be read"
    NOT_DECLARED = "its arguments are not those of the tool"
    NOBODY = "nobody of the directory was named who can be put through to"
    FOR_NOBODY = "nobody of the directory was named to take a message for"
    NO_RESULT = "no result of that name is declared"
    NOT_FITTING = "the value does not fit the result"
    NO_WAY = "the conversation does not go on there from here"
    NO_WORDS = "it looked for no words, or for too many"
    NO_VALUE = "a value does not fit the field of the tool"
    TOO_OFTEN = "it asked tools too often in one turn"
    TOO_MANY = "too many tools at once"


@dataclass(frozen=True, slots=True)
class Refused:
    """`told`: to the model."""

    cause: Cause
    told: str


class Toolbox:
    """Of one agent: what its owner's settings allow, and nothing else. `find`: what it knows of some words, best
    first. `declared`: its HTTP tools. `state`: of the conversation, where it has any, and which others it may go on
    to."""

    def __init__(
        self,
        agent: Agent,
        find: Callable[[str], Sequence[Intent]],
        declared: Sequence[HttpTool] = (),
        state: State | None = None,
        onward: Sequence[str] = (),
    ) -> None:
        self._agent, self._find, self._onward = agent, find, onward
        self._declared = {function_name(each.name): each for each in declared}
        every = (*_tools(agent), *(_http_tool(each) for each in declared))
        ways = (_go_to(onward),) if onward else ()
        self.tools = (*(each for each in every if state is None or allows(state, each.name)), *ways)
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
            case "take_message":
                return self._take_message(arguments)
            case "go_to":
                return self._go_to(arguments["state"])
            case "set_result":
                return self._set_result(arguments)
            case "look_up":
                return self._look_up(arguments["words"])
            case name:
                return _ask(self._declared[name], arguments)

    def as_recorded(self, call: ToolCall) -> ToolCall:
        """`call` for the history: servers stumble over what is no JSON, and read all of it again and again."""
        arguments = _arguments(call.arguments)
        name = call.name if call.name in self._by_name else "unknown"
        return ToolCall(name, json.dumps(arguments or {}))

    def _transfer(self, arguments: Mapping[str, object]) -> PutThrough | Refused:
        reachable = [each for each in self._agent.directory if number_of(self._agent, each.name)]
        if person := _named(reachable, arguments["person"]):
            return PutThrough(person.name)
        names = ", ".join(each.name for each in reachable)
        told = f"Nobody was called. Callers can be put through to these only: {names}. Offer to take a message."
        return Refused(Cause.NOBODY, told)

    def _take_message(self, arguments: Mapping[str, object]) -> TakeMessage | Refused:
        name = arguments.get("person", "")
        if name == "":
            return TakeMessage("")
        if person := _named(self._agent.directory, name):
            return TakeMessage(person.name)
        return Refused(Cause.FOR_NOBODY, "There is nobody of that name. Call it without a person.")

    def _go_to(self, state: object) -> GoTo | Refused:
        if isinstance(state, str) and state in self._onward:
            return GoTo(state)
        return Refused(Cause.NO_WAY, f"You stay where you are. From here it goes on to: {', '.join(self._onward)}.")

    def _set_result(self, arguments: Mapping[str, object]) -> SetResult | Refused:
        declared = next((each for each in self._agent.result_fields if each.name == arguments["name"]), None)
        if declared is None:
            names = ", ".join(each.name for each in self._agent.result_fields)
            return Refused(Cause.NO_RESULT, f"Nothing was noted. There are: {names}.")
        value = as_text(declared, arguments["value"])
        if value is None:
            return Refused(Cause.NOT_FITTING, f"Nothing was noted: {declared.name} must be {kind_of(declared)}.")
        return SetResult(declared.name, value)

    def _look_up(self, text: object) -> LookUp | Refused:
        if not isinstance(text, str) or not 0 < len(words(text)) <= MOST_WORDS or len(text) > LONGEST_WORDS:
            return Refused(Cause.NO_WORDS, f"Nothing was looked up: give one to {MOST_WORDS} words.")
        found = self._find(text)[:MOST_FOUND]
        if not found:
            return LookUp((), "Nothing is known of that. Say so, and offer to take a message.")
        return LookUp(tuple(each.key for each in found), "\n".join(map(self._entry, found)))

    def _entry(self, intent: Intent) -> str:
        if intent.kind is Kind.KNOWLEDGE:
            return known(self._agent.knowledge[intent.place])
        can = "can be put through to" if number_of(self._agent, intent.key) else "takes messages only"
        return f"{person_line(self._agent.directory[intent.place])}: {can}"


@dataclass(slots=True)
class Work:
    """What becomes of all that a model asked for at once. `calls` and what the model is `told` of each are for the
    history; `last` is what takes the floor, after all else."""

    calls: list[ToolCall] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    refused: list[Cause] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    asks: list[tuple[int, AskTool]] = field(default_factory=list)  # and the place of their answer in `told`
    last: Last | None = None
    goes_to: str = ""
    has_news: bool = False  # something that the model should learn

    def take(self, call: ToolCall, wish: Wish | Refused) -> None:
        self.calls.append(call)
        self.told.append(self._done(wish))

    def _done(self, wish: Wish | Refused) -> str:
        self.has_news = self.has_news or not isinstance(wish, SetResult | GoTo)
        match wish:
            case Refused(cause, told):
                self.refused.append(cause)
                return told
            case SetResult(name, value):
                self.results[name] = value
                return "Noted."
            case LookUp(entries, told):
                self.looked_up += entries
                return told
            case GoTo(state) if not self.goes_to:
                self.goes_to = state
                return f"You are in “{state}” now. What holds there stands at the end of your instructions."
            case AskTool():
                self.asks.append((len(self.told), wish))
                return ""
            case EndCall() | PutThrough() | TakeMessage() if self.last is None:
                self.last = wish
                return "The caller is told so now. It is done unless they interrupt."
            case _:
                return "Not done: only one at a time."


def work_of(toolbox: Toolbox, calls: Sequence[ToolCall], asks_left: int = MOST_CALLS) -> Work:
    """The first of those that take the floor counts. `asks_left`: so many HTTP tools may still be asked."""
    work = Work(refused=[Cause.TOO_MANY] if len(calls) > MOST_AT_ONCE else [])
    for call in calls[:MOST_AT_ONCE]:
        wish = toolbox.read(call)
        if isinstance(wish, AskTool) and len(work.asks) >= asks_left:
            wish = _TOO_OFTEN
        work.take(toolbox.as_recorded(call), wish)
    return work


_TOO_OFTEN = Refused(
    Cause.TOO_OFTEN, f"Not done: at most {MOST_CALLS} of these in one turn. Answer with what you know by now."
)


def _ask(tool: HttpTool, arguments: Mapping[str, object]) -> AskTool | Refused:
    values = values_of(tool, arguments)
    if isinstance(values, str):
        return Refused(Cause.NO_VALUE, f"Nothing was done: the value of {values} does not fit. Ask the caller for it.")
    return AskTool(tool, values)


def says(text: str, wish: Last) -> bool:
    """Whether a model that said `text` has told the caller already what comes. A message begins with the receptionist's
    question, whatever the model has said."""
    match wish:
        case EndCall():
            return not {"bye", "goodbye"}.isdisjoint(words(text))
        case PutThrough(person):
            return person.casefold() in text.casefold()
        case TakeMessage():
            return False


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
    if knowledge_left_out(agent):
        yield Tool(
            "look_up",
            "Look up what the office knows, and whom, where it does not stand above. Do so before you say that you do "
            "not know.",
            _object({"words": {"type": "string", "description": f"at most {MOST_WORDS}"}}, required=("words",)),
        )


def _go_to(onward: Sequence[str]) -> Tool:
    return Tool(
        "go_to",
        "Go on to another part of the conversation, as soon as what your instructions say of it is so. The caller "
        "hears nothing of it.",
        _object({"state": _one_of(onward, "which")}, required=("state",)),
    )


def _http_tool(tool: HttpTool) -> Tool:
    return Tool(function_name(tool.name), tool.when, schema_of(tool))


def _one_of(names: Sequence[str], description: str) -> JsonValue:
    return {"type": "string", "enum": [*names], "description": description}


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
