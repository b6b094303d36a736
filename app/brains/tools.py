"""What a language model may ask for besides talking, and the wall around it. Pure.

Whatever a model writes is checked here as if a caller had written it, for in a way they did: names that stand in the
agent's own settings, arguments that were declared, values that fit. What is refused is told to the model, in words of
ours, and noted without a word of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from pydantic import JsonValue

from app.brains.course import allows
from app.brains.intents import Intent, Kind
from app.brains.prompt import kind_of, known, person_line
from app.brains.results import as_text
from app.brains.tool_declarations import MOST_WORDS, go_to, http_tool, tools_of
from app.brains.words import words
from app.http_tools import MOST_CALLS, HttpTool, Value, function_name, values_of
from app.language_models import ToolCall
from app.pressing import keys_in
from app.settings import Agent, Person, State
from app.transfers import is_away, reachable, reached

LONGEST_ARGUMENTS = 2_000
"""Characters. The longest that is of use is a text of 500."""


MOST_AT_ONCE = 4
"""What callers want in one sentence, and more."""

LONGEST_WORDS = 200
"""Characters of one search."""

MOST_FOUND = 3
"""Entries of one search: more is no answer."""


@dataclass(frozen=True, slots=True)
class EndCall:
    pass


@dataclass(frozen=True, slots=True)
class PutThrough:
    """`person` stands in the directory, and they, or who stands in for them, can be reached."""

    person: str
    stands_in: bool = False


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


@dataclass(frozen=True, slots=True)
class SendDigits:
    """`keys` are some that can be pressed; see app.pressing."""

    keys: str


Floor = EndCall | PutThrough | TakeMessage
"""What the receptionist goes on with."""

Last = Floor | SendDigits
"""What takes the floor: nothing is said after it."""

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
    NO_KEYS = "there are no such keys, or too many of them"
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
        every = (*tools_of(agent), *(http_tool(each) for each in declared))
        ways = (go_to(onward),) if onward else ()
        self.tools = (*(each for each in every if state is None or allows(state, each.name)), *ways)
        self._by_name = {tool.name: tool for tool in self.tools}
        self._readers: Mapping[str, Callable[[Mapping[str, object]], Wish | Refused]] = {
            "end_call": lambda _: EndCall(),
            "transfer": self._transfer,
            "take_message": self._take_message,
            "go_to": lambda arguments: self._go_to(arguments["state"]),
            "set_result": self._set_result,
            "send_digits": lambda arguments: _send_digits(arguments["keys"]),
            "look_up": lambda arguments: self._look_up(arguments["words"]),
        }

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
        if tool.name in self._declared:
            return _ask(self._declared[tool.name], arguments)
        return self._readers[tool.name](arguments)

    def as_recorded(self, call: ToolCall) -> ToolCall:
        """`call` for the history: servers stumble over what is no JSON, and read all of it again and again."""
        arguments = _arguments(call.arguments)
        name = call.name if call.name in self._by_name else "unknown"
        return ToolCall(name, json.dumps(arguments or {}))

    def _transfer(self, arguments: Mapping[str, object]) -> PutThrough | Refused:
        people = reachable(self._agent)
        if person := _named(people, arguments["person"]):
            return PutThrough(person.name, stands_in=is_away(self._agent, person.name))
        names = ", ".join(each.name for each in people)
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
        can = "can be put through to" if reached(self._agent, intent.key) else "takes messages only"
        away = "is not here now, " if is_away(self._agent, intent.key) else ""
        return f"{person_line(self._agent.directory[intent.place])}: {away}{can}"


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
            case SendDigits() if self.last is None:
                self.last = wish
                return "They are pressed now. Wait for what the other side says."
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


def _send_digits(written: object) -> SendDigits | Refused:
    if keys := keys_in(written) if isinstance(written, str) else "":
        return SendDigits(keys)
    return Refused(Cause.NO_KEYS, "Nothing was pressed: give keys of 0-9 * # A-D as text, with commas for pauses.")


def _ask(tool: HttpTool, arguments: Mapping[str, object]) -> AskTool | Refused:
    values = values_of(tool, arguments)
    if isinstance(values, str):
        return Refused(Cause.NO_VALUE, f"Nothing was done: the value of {values} does not fit. Ask the caller for it.")
    return AskTool(tool, values)


def says(text: str, wish: Floor) -> bool:
    """Whether a model that said `text` has told the caller already what comes. A message begins with the receptionist's
    question, whatever the model has said."""
    match wish:
        case EndCall():
            return not {"bye", "goodbye"}.isdisjoint(words(text))
        case PutThrough(person, stands_in):
            return not stands_in and person.casefold() in text.casefold()
        case TakeMessage():
            return False


def _arguments(written: str) -> dict[str, object] | None:
    """None where it is no JSON object, or a novel. Servers send nothing at all for no arguments."""
    if len(written) > LONGEST_ARGUMENTS:
        return None
    try:
        found = json.loads(written, parse_constant=_number, parse_float=_number) if written.strip() else {}
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(written: str) -> float:
    """Python reads NaN, Infinity, and 1e999 as the latter; it would write them again, and they are no JSON. Raises:
    ValueError."""
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(written)
    return number


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
