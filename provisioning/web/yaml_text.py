"""YAML as people type it: plain texts, lists and names only, and the line of each mistake. Pure.

Nothing of the language's cleverness: no aliases, no tags, and "yes", "09:00" and "2026-12-24" are the words that were
typed. What they mean is for the models to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml
from pydantic import ValidationError

from provisioning.plainly import plainly

LARGEST_TEXT = 200_000
"""Characters: a flow of 100 steps, each with a greeting and a message as long as may be, is below that."""

_DEEPEST = 12
_MOST_EVENTS = 20_000
_ODD_LINES = re.compile(r"[\x85\u2028\u2029\ufeff\r]")
_NOTHING = ("", "~", "null")
_IN_WORDS = {
    "mapping values are not allowed here": "there is a colon too many, or the line begins too far to the right. Put "
    "texts with a colon in quotation marks",
    "could not find expected ':'": "a colon is missing after the name",
    "found character '\\t' that cannot start any token": "the line begins with a tab. Use spaces",
    "found unexpected end of stream": "a quotation mark or bracket is opened and never closed",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` counts from 1; 0: the whole text."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Read:
    """`lines`: where each part of `value` begins, by its path."""

    value: object
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Of that part, or of what is around it."""
        return self.lines.get(self._place(path), 1)

    def _place(self, path: Path) -> Path:
        """Parts of the path that are not in the text are passed over: a model names the kind of a step there, too."""
        place: Path = ()
        for part in path:
            place = (*place, part) if (*place, part) in self.lines else place
        return place

    def mistakes(self, error: ValidationError) -> tuple[Mistake, ...]:
        """What a model did not take: for each part, the first that it says."""
        told: dict[tuple[Path, str], Mistake] = {}
        for fault in error.errors(include_input=False, include_url=False):
            place = self._place(fault["loc"])
            named = fault["loc"] if fault["type"] == "missing" else place
            name = next((part for part in reversed(named) if isinstance(part, str)), "")
            text = plainly(fault["type"], fault.get("ctx", {}), fault["msg"])
            told.setdefault((place, name), Mistake(self.lines.get(place, 1), _about(name, text)))
        return tuple(sorted(told.values(), key=lambda each: each.line))


def _about(name: str, text: str) -> str:
    return f"“{name}”: {text[:1].lower()}{text[1:]}" if name else text


def read(text: str) -> Read | Mistake:
    if len(text) > LARGEST_TEXT:
        return Mistake(0, f"This is longer than {LARGEST_TEXT:,} characters, which is more than anybody writes.")
    try:
        return _refused(text) or _composed(text)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        return Mistake(mark.line + 1 if mark else 0, _words(fault.problem or ""))
    except yaml.reader.ReaderError as fault:
        line = text.count("\n", 0, fault.position) + 1
        return Mistake(line, "There is a character that cannot be seen. Type the line again.")


def _words(problem: str) -> str:
    return f"This line cannot be read: {_IN_WORDS.get(problem, problem)}."


def _refused(text: str) -> Mistake | None:
    """What could fill the memory, or mean something else than it says. Looked for before anything is built."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Mistake(line, "Parts with & and * are not taken here. Write the part out each time.")
        if getattr(event, "tag", None):
            return Mistake(line, "Words that begin with ! are not taken here. Leave it out.")
        if depth > _DEEPEST or count > _MOST_EVENTS:
            return Mistake(line, "There is more in this text than anybody writes.")
    return None


def _composed(text: str) -> Read | Mistake:
    lines: dict[Path, int] = {}
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        return Mistake(0, "There is nothing in it.")
    value = _value(node, (), lines)
    return value if isinstance(value, Mistake) else Read(value, lines)


def _value(node: yaml.Node, path: Path, lines: dict[Path, int]) -> object:
    """Or the first mistake in it."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        values = [_value(each, (*path, place), lines) for place, each in enumerate(node.value)]
        return next((each for each in values if isinstance(each, Mistake)), values)
    is_nothing = node.style is None and node.value in _NOTHING
    return None if is_nothing else node.value


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> object:
    values: dict[str, object] = {}
    for key, inner in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            return Mistake(line, "A name was expected here.")
        if key.value in values:
            return Mistake(line, f"“{key.value}” is there twice: keep one of them.")
        value = _value(inner, (*path, key.value), lines)
        if isinstance(value, Mistake):
            return value
        lines[(*path, key.value)] = line
        values[key.value] = value
    return values


_ONLY_NOTHING = {
    first: [each for each in found if each[0].endswith(":null")]
    for first, found in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


class _Writer(yaml.SafeDumper):  # type: ignore[misc]  # the library has no types
    """Quotes only what would be nothing without: "on", "yes" and "12" are words here."""

    yaml_implicit_resolvers = _ONLY_NOTHING

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name is the library's
        return True


def _text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    """Lines as lines. What YAML would take for the end of a line is spelt out."""
    style = '"' if _ODD_LINES.search(text) else "|" if "\n" in text and text.strip() else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)


def written(value: object) -> str:
    """So that `read` gives back the same, numbers and truths as words."""
    return str(yaml.dump(_in_words(value), Dumper=_Writer, allow_unicode=True, sort_keys=False, width=100))


def _in_words(value: object) -> object:
    match value:
        case dict():
            return {str(name): _in_words(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_in_words(inner) for inner in value]
        case bool():
            return "true" if value else "false"
        case None:
            return None
    return str(value)
