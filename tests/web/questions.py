"""All questions that can be put to the box, from their models: a good one for each verb, and then one value spoilt.

New verbs and new fields are found by themselves. Whoever adds a required field for which nothing good is known here is
told so.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.control.verbs import VERBS, Verb
from tests.web.hostile import TEXTS

Steps = tuple[str | int, ...]

_GOOD: dict[str, Any] = {
    "id": "nobody",
    "agent_id": "nobody",
    "document_id": "nobody",
    "tool_id": "nobody",
    "chat_id": "nobody",
    "campaign_id": "nobody",
    "connection_id": "nobody",
    "name": "Good name",
    "domain": "127.0.0.1:9",
    "user": "200",
    "password": "canary password",
    "transport": "tcp",
    "passphrase": "canary passphrase",
    "content_base64": "AAAA",
    "box_name": "not its name",
    "target": "101",
    "base_url": "http://127.0.0.1:9/v1",
    "address": "127.0.0.1:9",
    "model": "small",
    "url": "https://127.0.0.1:9/orders",
    "when": "Where is my order?",
    "first": "Good name",
    "sha256": "0" * 64,
    "words": "where can I park",
    "questions": ["where can I park"],
    "answer": "Behind the house.",
    "choices": [],
    "voice": "slt",
    "pack": "piper-joe",
    "data": "AAAA",
    "file_name": "list.csv",
    "numbers": ["101"],
    "then": "end",
    "match": "end",
    "otherwise": "end",
    "of": "outcome",
    "field": "name",
    "event": "reminded",
    "campaign": "Another one",
    "text": "could not be read",
    "to": "office@example.org",
}
"""By the name of the field, in whatever model. Ids are of nothing, unless the test puts one in."""

_ALWAYS = frozenset({"password", "transport"})
"""Not required by the schema, but a connection is made with a password, and tried over TCP: there, nobody listening is
told at once, not after 12 s."""

_NUMBERS: dict[str, Any] = {
    "huge": 10**400,
    "beyond 64 bits": 2**64,
    "negative": -1,
    "not whole": 0.5,
    "largest": 1.7e308,
    "nan": float("nan"),
    "infinite": float("inf"),
}
_OTHERS: dict[str, Any] = {"null": None, "true": True, "list": [], "object": {}, "deep": [[[[[[[[[[]]]]]]]]]]}
_FOR_TEXT: dict[str, Any] = TEXTS | _OTHERS | {"huge": _NUMBERS["huge"]}
_FOR_OTHERS: dict[str, Any] = (
    _NUMBERS
    | _OTHERS
    | {what: TEXTS[what] for what in ("empty", "script", "a number", "no number", "half a character")}
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of a verb's question: where it stands, and what its schema says of it."""

    path: Steps
    schema: dict[str, Any]

    def __str__(self) -> str:
        return ".".join(map(str, self.path))

    @property
    def is_text(self) -> bool:
        return self.schema.get("type") == "string" and "enum" not in self.schema and "const" not in self.schema

    @property
    def hostile(self) -> dict[str, Any]:
        """Values that it should not bear, by what is wrong with them."""
        return _FOR_TEXT if self.is_text else _FOR_OTHERS

    @property
    def is_secret(self) -> bool:
        return self.schema.get("format") == "password"


@dataclass(frozen=True)
class Questions:
    """Of one verb. `choice`: which of several kinds of thing it is about, where its models leave the choice."""

    verb: Verb
    choice: int = 0

    def good(self) -> dict[str, Any]:
        """What has to be there only."""
        made = self._good(self._schema, ())
        assert isinstance(made, dict)
        return made

    def leaves(self) -> list[Leaf]:
        """Of a further choice, only what the first one does not have."""
        first = set(Questions(self.verb).paths) if self.choice else set[Steps]()
        return [leaf for leaf in self._leaves(self._schema, ()) if leaf.path not in first]

    @property
    def paths(self) -> list[Steps]:
        return [leaf.path for leaf in self._leaves(self._schema, ())]

    def spoilt(self, leaf: Leaf, value: object) -> dict[str, Any]:
        """A good question, but for the value of `leaf`."""
        question = self.good()
        place: Any = question
        for step, following in zip(leaf.path, (*leaf.path[1:], None), strict=True):
            if following is None:
                place[step] = copy.deepcopy(value)
            else:
                place = self._entered(place, step, leaf.path)
        return question

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return self.verb.asks.model_json_schema()

    def _entered(self, place: Any, step: str | int, path: Steps) -> Any:  # noqa: ANN401 - JSON
        """The container at `step`, filled well where there was none."""
        if isinstance(step, int):
            return place[step]
        if not place.get(step):
            at = path[: path.index(step) + 1]
            place[step] = self._good_at(self._schema, at)
        return place[step]

    def _good_at(self, schema: dict[str, Any], path: Steps) -> Any:  # noqa: ANN401 - JSON
        """One good element where a list stands at the end of `path`."""
        for step in path:
            schema = self._plain(schema)
            schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
        schema = self._plain(schema)
        if schema.get("type") == "array":
            return [self._good(schema["items"], (*path, "words"))]
        return self._good(schema, path)

    def _good(self, schema: dict[str, Any], path: Steps) -> Any:  # noqa: ANN401 - JSON
        schema = self._plain(schema)
        if path and path[-1] in _GOOD and schema.get("type") != "object":
            return copy.deepcopy(_GOOD[str(path[-1])])
        if "enum" in schema:
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        match schema.get("type"):
            case "object":
                tags = [name for name, part in schema.get("properties", {}).items() if "const" in part]
                wanted = [*schema.get("required", []), *(_ALWAYS & set(schema.get("properties", {}))), *tags]
                return {name: self._good(schema["properties"][name], (*path, name)) for name in wanted}
            case "array":
                return [self._good(schema["items"], (*path, 0))] if schema.get("minItems") else []
            case "boolean":
                return False
            case "integer" | "number":
                return schema.get("minimum", 0)
        raise AssertionError(f"tests/web/questions.py knows no good value for {self.verb.name}: {path}")

    def _leaves(self, schema: dict[str, Any], path: Steps) -> Iterator[Leaf]:
        schema = self._plain(schema)
        match schema.get("type"):
            case "object":
                for name, part in schema.get("properties", {}).items():
                    yield from self._leaves(part, (*path, name))
            case "array":
                yield Leaf(path, schema)
                yield from self._leaves(schema["items"], (*path, 0))
            case _:
                yield Leaf(path, schema)

    def _plain(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Without references and alternatives: the chosen one of those that are not null."""
        if "$ref" in schema:
            named = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
            return self._plain(named)
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                choices = [each for each in schema[choice] if each.get("type") != "null"]
                return self._plain(choices[min(self.choice, len(choices) - 1)])
        return schema


def all_questions() -> list[Questions]:
    return [
        Questions(verb, choice) for verb in VERBS.values() for choice in range(_choices(verb.asks.model_json_schema()))
    ]


def _choices(schema: object) -> int:
    """The most kinds of thing that a place in it may hold."""
    if isinstance(schema, list):
        return max(map(_choices, schema), default=1)
    if not isinstance(schema, dict):
        return 1
    kinds = max(len(schema.get("oneOf", [])), 1)
    return max(kinds, *map(_choices, schema.values())) if schema else kinds
