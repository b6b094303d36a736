"""The set-up file of a new box, read: settings, or the faults in it by line, in words for whoever wrote it. Pure.

One way to write settings: tables and keys are those of deskbell.example.toml, and their models those of the page.
What was typed never stands in a fault: it may be a secret, wherever it was put.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import SecretStr, ValidationError, field_validator

from app.control.passwords import weakness
from app.control.setting_up import AgentToSetUp
from app.settings import Box, ConnectionDraft, Secret, Settings
from provisioning.plainly import BOX_NAME, plainly

LARGEST_BYTES = 1024 * 1024
"""Twenty agents with all that they know are less."""

Place = tuple[str | int, ...]
"""Of a setting: ("connection", 0, "domain")."""

_TABLE = re.compile(r"\s*\[(\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*([\w-]+)\s*=")
_LINE = re.compile(r"line (\d+)")
_NOT_TOML = (
    'this is not written as it must be. Texts stand in double quotes: name = "Office". A text with \\ or " in it, a '
    "password for example, stands in single quotes. Lists stand in [brackets], with commas between."
)
_TWICE = (
    "this stands here a second time. Several connections or agents stand in double brackets: [[connection]], [[agent]]."
)
_LISTS: tuple[Place, ...] = (("connection",), ("agent",))
"""Also where there is only one, in single brackets."""


class Page(Settings):
    password: Secret | None = None

    @field_validator("password")
    @classmethod
    def _hard_to_guess(cls, password: SecretStr | None) -> SecretStr | None:
        if password and (why := weakness(password.get_secret_value())):
            raise ValueError(f"choose another password: {why}")
        return password


class SetUpFile(Settings):
    """`connection` and `agent`: one table, or several in double brackets."""

    page: Page = Page()
    box: Box = Box()
    connection: tuple[ConnectionDraft, ...] = ()
    agent: tuple[AgentToSetUp, ...] = ()

    @field_validator("connection", "agent", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return [value] if isinstance(value, dict) else value

    @property
    def is_for_the_box(self) -> bool:
        """It has more than the page's password."""
        return bool(self.model_fields_set - {"page"})


@dataclass(frozen=True, slots=True)
class Faults:
    lines: tuple[str, ...]


def read_set_up_file(data: bytes) -> SetUpFile | Faults:
    """Never raises for what somebody wrote."""
    if len(data) > LARGEST_BYTES:
        return Faults(("It is larger than a megabyte: this is not a set-up file.",))
    try:
        text = data.decode("utf-8-sig")
        return SetUpFile.model_validate(tomllib.loads(text))
    except UnicodeDecodeError:
        return Faults(("It is not UTF-8 text. Save it again, as UTF-8.",))
    except tomllib.TOMLDecodeError as error:
        return Faults((_syntax(str(error)),))
    except ValidationError as error:
        return Faults(tuple(_told(text, error)))


def located(data: bytes, fields: Mapping[str, str]) -> Faults:
    """What the box refused, by the names of its fields ("connection.0.name"), at the lines of the file."""
    lines = _lines(data.decode("utf-8-sig", errors="replace"))
    places = {tuple(int(part) if part.isdigit() else part for part in field.split(".")): field for field in fields}
    return Faults(tuple(_fault(lines, place, fields[field]) for place, field in places.items()))


def _syntax(message: str) -> str:
    """The parser's own words may quote the file."""
    line = _LINE.search(message)
    what = _TWICE if message.startswith(("Cannot declare", "Cannot overwrite", "Cannot mutate")) else _NOT_TOML
    return f"Line {line[1]}: {what}" if line else f"At the end: {what}"


def _told(text: str, error: ValidationError) -> Iterator[str]:
    lines = _lines(text)
    for fault in error.errors(include_input=False, include_url=False):
        place, kind = fault["loc"], fault["type"]
        if kind == "extra_forbidden":
            yield _fault(lines, place, "There is no such setting. Check the spelling.", known=place[:-1])
        elif kind == "string_type":
            yield _fault(lines, place, "Must be text, in quotes.")
        elif place == ("box", "name"):
            yield _fault(lines, place, BOX_NAME)
        else:
            yield _fault(lines, place, plainly(kind, fault.get("ctx", {}), fault["msg"]))


def _fault(lines: Mapping[Place, int], place: Place, what: str, known: Place | None = None) -> str:
    """`known`: the part of the place that is ours to say."""
    near = next((place[:size] for size in range(len(place), 0, -1) if place[:size] in lines), None)
    words = _in_words(place if known is None else known)
    if near is None:
        return f"{words[:1].upper()}{words[1:]}: {what}" if words else what
    return f"Line {lines[near]}{f' ({words})' if words else ''}: {what}"


def _in_words(place: Place) -> str:
    """People count from one: "connection 1, domain"."""
    words = ""
    for part in place:
        words += f" {part + 1}" if isinstance(part, int) else f", {part}"
    return words.removeprefix(", ")


def _lines(text: str) -> dict[Place, int]:
    """Where each table and each key stands. Not a parser: texts of several lines may look like keys to it, and then a
    fault is told with a line too near."""
    found: dict[Place, int] = {}
    counts: Counter[Place] = Counter()
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = _table(header[2].split("."), many=bool(header[1]), counts=counts)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1]), number)
    return found


def _table(names: list[str], *, many: bool, counts: Counter[Place]) -> Place:
    """The place of a table that begins: a new one of its list if `many`, and the latest of each list on the way."""
    place: Place = ()
    for depth, name in enumerate(names, start=1):
        place = (*place, name)
        if many and depth == len(names):
            counts[place] += 1
        elif place in _LISTS:
            counts.setdefault(place, 1)
        if place in counts:
            place = (*place, counts[place] - 1)
    return place
