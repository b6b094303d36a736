"""What was said in a call, as a language model is told of it: never a word that the caller did not hear. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.language_models import ChatMessage, ToolCall


class History:
    """Of one call. A turn is what the caller said, the tools that were called for it, and our answer."""

    def __init__(self) -> None:
        self._before: tuple[ChatMessage, ...] = ()
        self._turn: list[ChatMessage] = []
        self._spoken: list[str] = []  # since the last call of a tool in it
        self._calls = 0

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        answer = " ".join(filter(None, self._spoken))
        return (*self._before, *self._turn, *((ChatMessage("assistant", answer),) if answer else ()))

    @property
    def spoken(self) -> str:
        """Our words in this turn."""
        earlier = [each.text for each in self._turn if each.role == "assistant"]
        return " ".join(filter(None, [*earlier, *self._spoken]))

    def begin_turn(self, *asked: str) -> None:
        self._before, self._turn, self._spoken = self.messages, [ChatMessage("user", each) for each in asked], []

    def add(self, clause: str) -> None:
        self._spoken.append(clause)

    def called(self, calls: Sequence[ToolCall], told: Sequence[str]) -> None:
        """Tools were called, after what has been said in this turn; `told`: what the model is told of each."""
        numbered = tuple(replace(call, id=f"call{self._calls + place:05d}") for place, call in enumerate(calls))
        self._calls += len(calls)
        self._turn.append(ChatMessage("assistant", " ".join(filter(None, self._spoken)), numbered))
        self._turn += [ChatMessage("tool", text, answers=call.id) for call, text in zip(numbered, told, strict=True)]
        self._spoken = []

    def cut_off(self, heard: str) -> None:
        """The caller interrupted our answer, after hearing `heard` of it."""
        self._turn = [replace(each, text="") if each.role == "assistant" else each for each in self._turn]
        self._spoken = [heard]

    def take_back(self) -> None:
        """The turn did not take place."""
        self._turn, self._spoken = [], []
