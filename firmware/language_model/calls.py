"""The calls of tools in what a server sends, put together from their pieces. Pure.

    {"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "look_up", "arguments": ""}}]}
    {"tool_calls": [{"index": 0, "function": {"arguments": "{\\"words\\": \\"par"}}]}
    {"tool_calls": [{"index": 0, "function": {"arguments": "king\\"}"}}]}

Servers differ: some send a call whole, its arguments as an object; some number none of them, or all of them 0, with an
id for each; some send another id with each piece.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.language_models import ToolCall


@dataclass(slots=True)
class _Call:
    index: int
    numbered: bool
    id: str
    name: str
    arguments: str

    def goes_on_in(self, piece: _Call) -> bool:
        another = piece.name and self.name and (piece.id != self.id or not piece.numbered)
        return piece.index == self.index and not another


class Calls:
    """Of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def all(self) -> tuple[ToolCall, ...]:
        return tuple(ToolCall(each.name, each.arguments) for each in self._calls)

    def take(self, pieces: object) -> None:
        """What `tool_calls` holds, in one piece of an answer or in a whole one. What is no call is left out."""
        for place, piece in enumerate(pieces if isinstance(pieces, list) else []):
            match piece:
                case {"function": {**function}}:
                    self._add(_call(piece, function, place))

    def _add(self, piece: _Call) -> None:
        begun = next((each for each in reversed(self._calls) if each.goes_on_in(piece)), None)
        if begun is None:
            self._calls.append(piece)
            return
        begun.name = begun.name or piece.name
        begun.arguments += piece.arguments


def _call(piece: Mapping[Any, Any], function: Mapping[Any, Any], place: int) -> _Call:
    index, arguments = piece.get("index"), function.get("arguments")
    return _Call(
        index if isinstance(index, int) else place,
        isinstance(index, int),
        _text(piece.get("id")),
        _text(function.get("name")),
        json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments),
    )


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def clean(text: str) -> str:
    """Without halves of surrogate pairs, which nothing can store or speak."""
    return text.encode(errors="ignore").decode()
