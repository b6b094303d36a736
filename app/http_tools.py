"""HTTP tools that an agent's owner declares: programs of the office that a language model may ask in a call, and what
it may ask them.

Closed unless declared open: the address, the fields and the headers stand here, and a model fills in values of fields.
What it writes is checked as a stranger's words; what a program answers is data, never instructions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, StringConstraints, ValidationInfo, field_validator, model_validator

from app.settings import Name, OneLine, Settings, Text, VariableName, Words
from app.web_addresses import NEEDS_TLS, is_public

MOST_TOOLS = 8
"""Of one agent: each is read again with every question, and small models choose badly among many."""

MOST_FIELDS = 8
"""Of one tool: callers say two or three things; a program that needs more is asked better by a form."""

MOST_HEADERS = 4
"""Of one tool: a key, and what some firms want beside it."""

MOST_CALLS = 3
"""In one turn of the caller: look up, look up what that led to, do. Whoever needs more goes in circles."""

ANSWER_S = 5.0
"""For one answer, all in all: a caller is waiting on the telephone."""

TURN_S = 8.0
"""For all answers of one turn: then the caller hears that it cannot be done now."""

LONGEST_VALUE = 200
"""Characters of one value: what somebody can say in a breath."""

BUILT_IN: Final = frozenset({"end_call", "transfer", "take_message", "set_result", "look_up", "send_digits", "go_to"})

_URL = re.compile(r"https?://[!-~]+")
_PLACE = re.compile(r"\{([^{}]*)\}")
_NO_URL = (
    "must be the address of a program that answers over HTTP, e.g. https://shop.example/orders/{order}, without a "
    "password; {order} is a field below"
)
_UNSAFE_IN_PATH = re.compile(r"[/\\%?#;]|\.\.|^\.$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_OUR_HEADERS = frozenset(
    {"host", "connection", "content-length", "content-type", "transfer-encoding", "accept", "accept-encoding"}
    | {"upgrade", "te", "trailer", "expect", "keep-alive", "user-agent"}
)
_YES_NO = {"yes": True, "no": False, "true": True, "false": False}

Value = str | int | float | bool

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]


class ToolField(Settings):
    """Something that is filled in before a tool is asked. `choices`: of a choice, and of nothing else. `example`: for
    a try; no caller's agent sees it."""

    name: VariableName
    description: OneLine = Field(default="", max_length=200)
    type: Literal["text", "number", "yes-no", "choice"] = "text"
    choices: tuple[Words, ...] = Field(default=(), max_length=20)
    required: bool = True
    example: OneLine = Field(default="", max_length=LONGEST_VALUE)

    @model_validator(mode="after")
    def _fits_its_type(self) -> ToolField:
        if self.type == "choice" and len(self.choices) < 2:
            raise ValueError("a choice needs two values or more to choose from")
        if self.type != "choice" and self.choices:
            raise ValueError("only a choice has values to choose from: remove them, or make the type a choice")
        if self.example and value_of(self, self.example) is None:
            raise ValueError("the example does not fit the type: change one of them")
        return self


class HttpTool(Settings):
    """`when`: in which case a model should call it. Fields named in the address go there, the others into its query
    (GET, DELETE) or, as a JSON object, into the body. `plain_http`: http:// is allowed, to hosts of the own network.
    `headers`: the names of those that are sent along; their values are secrets."""

    name: Name = Field(max_length=40, examples=["order status"], json_schema_extra={"pattern": "[A-Za-z]"})
    when: Text = Field(examples=["The caller asks where their order is"])
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    fields: tuple[ToolField, ...] = Field(default=(), max_length=MOST_FIELDS)
    headers: tuple[HeaderName, ...] = Field(default=(), max_length=MOST_HEADERS)
    plain_http: bool = False
    url: OneLine = Field(max_length=500, examples=["https://shop.example/orders/{order}"])

    @field_validator("name")
    @classmethod
    def _callable(cls, value: str) -> str:
        name = function_name(value)
        if not name:
            raise ValueError("must hold letters from A to Z: a language model calls it by them")
        if name in BUILT_IN:
            raise ValueError("is what the agent itself can do already: choose another name")
        return value

    @field_validator("fields")
    @classmethod
    def _no_doubles(cls, fields: tuple[ToolField, ...]) -> tuple[ToolField, ...]:
        if _has_doubles(each.name for each in fields):
            raise ValueError("names a field twice: give each a name of its own")
        return fields

    @field_validator("headers")
    @classmethod
    def _theirs(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if _has_doubles(names):
            raise ValueError("names a header twice: give each one value")
        if ours := next((each for each in names if each.casefold() in _OUR_HEADERS), ""):
            raise ValueError(f"“{ours}” is set by the box: remove it")
        return names

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str, info: ValidationInfo) -> str:
        if "fields" in info.data:  # or else it is told what is wrong with them
            _check_fields(value, {each.name: each for each in info.data["fields"]})
        _check_place(value, plain_http=bool(info.data.get("plain_http")))
        return value


def _check_fields(url: str, fields: Mapping[str, ToolField]) -> None:
    """Raises: ValueError."""
    for place in _PLACE.findall(url):
        if place not in fields:
            raise ValueError(f"{{{place}}} in it is no field: add a field of this name below, or correct it")
        if not fields[place].required:
            raise ValueError(f"{{{place}}} in it is not always filled in: make this field required")


def _check_place(value: str, *, plain_http: bool) -> None:
    """Raises: ValueError."""
    try:
        parts = urlsplit(_PLACE.sub("x", value))
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_NO_URL) from None
    begin, slash, rest = value.partition("://")
    if not _URL.fullmatch(value) or not slash or not host or "@" in parts.netloc or parts.fragment:
        raise ValueError(_NO_URL)
    if "{" in rest.partition("/")[0].partition("?")[0] or "{" in begin:
        raise ValueError("must say itself which host is asked: fields stand after it only")
    if "{" in _PLACE.sub("", value) or "}" in _PLACE.sub("", value):
        raise ValueError(_NO_URL)
    if parts.scheme == "http" and not plain_http:
        raise ValueError("must begin with https://, or “http:// in your own network” has to be ticked")
    if parts.scheme == "http" and is_public(host):
        raise ValueError(f"must begin with https:// since {NEEDS_TLS}")


def origin_of(tool: HttpTool) -> tuple[str, str, int | None]:
    """Whom its secrets are sent to."""
    parts = urlsplit(tool.url)
    return parts.scheme, (parts.hostname or "").casefold(), parts.port


def function_name(name: str) -> str:
    """By what a language model calls it: "Order status" is order_status."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") if re.search("[A-Za-z]", name) else ""


def schema_of(tool: HttpTool) -> dict[str, JsonValue]:
    """The JSON schema of its arguments."""
    return {
        "type": "object",
        "properties": {each.name: _schema(each) for each in tool.fields},
        "required": [each.name for each in tool.fields if each.required],
        "additionalProperties": False,
    }


def _schema(each: ToolField) -> JsonValue:
    kind = {"number": "number", "yes-no": "boolean"}.get(each.type, "string")
    told: dict[str, JsonValue] = {"type": kind}
    if each.choices:
        told["enum"] = [*each.choices]
    if each.description:
        told["description"] = each.description
    return told


# -- what is filled in -------------------------------------------------------------------------------------------


def values_of(tool: HttpTool, arguments: Mapping[str, object]) -> dict[str, Value] | str:
    """What is sent for `arguments`, whose names are declared and complete; or the name of the first field whose value
    does not fit. An optional field without a value is left out."""
    found: dict[str, Value] = {}
    places = set(_PLACE.findall(urlsplit(tool.url).path))
    for each in tool.fields:
        given = arguments.get(each.name)
        if given in (None, "") and not each.required:
            continue
        value = value_of(each, given)
        if value is None or (each.name in places and _UNSAFE_IN_PATH.search(str(value))):
            return each.name
        found[each.name] = value
    return found


def value_of(declared: ToolField, given: object) -> Value | None:
    """`given` as the field's type has it; None where it does not fit."""
    if not isinstance(given, str | int | float) or (isinstance(given, str) and len(given) > LONGEST_VALUE):
        return None
    if declared.type == "yes-no":
        return given if isinstance(given, bool) else _YES_NO.get(str(given).strip().casefold())
    if declared.type == "number":
        return None if isinstance(given, bool) else _number(given)
    text = str(given).strip()
    if not text or _CONTROL.search(text) or isinstance(given, bool):
        return None
    if declared.type == "choice":
        return next((each for each in declared.choices if each.casefold() == text.casefold()), None)
    return text


def _number(given: str | float) -> int | float | None:
    try:
        number = float(given)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number if math.isfinite(number) else None
    except (ValueError, OverflowError):
        return None


# -- what comes of it --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """`text`: what was answered, with `status`. `why`: it failed, in a few words; `remedy`: what its owner can do.
    `sent`: the program may have done what it was asked, also where it failed."""

    took_s: float
    status: int = 0
    text: str = field(default="", repr=False)
    why: str = ""
    remedy: str = ""
    sent: bool = True


class ToolRun(Protocol):
    """One question to a tool, on its way."""

    async def answer(self) -> ToolAnswer:
        """Comes in time, whatever happens. May be cancelled, and asked again."""

    def stop(self) -> None:
        """Nobody waits any more. Synchronous: safe while being cancelled."""


class HttpTools(Protocol):
    """The tools of one agent."""

    @property
    def tools(self) -> Sequence[HttpTool]: ...

    def start(self, tool: HttpTool, values: Mapping[str, Value], within_s: float) -> ToolRun:
        """Ask at once. `values` fit."""


def _has_doubles(names: Iterable[str]) -> bool:
    found = [each.casefold() for each in names]
    return len(set(found)) < len(found)
