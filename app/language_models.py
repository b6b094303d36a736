"""What a brain needs of a language model, as Protocols: app/ports.py, continued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may ask us to do. `parameters`: the JSON schema of its arguments, an object."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model asks for, as it wrote it: neither the name nor the arguments, meant to be JSON, can be relied upon.
    `id`, in a history: which `ChatMessage` answers it."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """`calls`: of the assistant, after its text. `answers`: of a tool, the id of the call that its text answers."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""


class ModelFailed(Exception):
    """An answer did not come, or not to its end. The text says why in words of ours, and holds nothing that was said:
    it may be logged. `detail`: what the server says of it, for the eyes of whoever set it up."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.detail = detail


class ToolsRefused(ModelFailed):
    """The server takes no question with tools. It may well take one without."""


class ModelAnswer(Protocol):
    """One answer on its way."""

    @property
    def is_calling(self) -> bool:
        """It has begun to write down a call of a tool, which is no text."""

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools that it wants called, once `more` has come to its end."""

    async def more(self) -> str:
        """The next piece of its text; "" at its end. May be cancelled, and asked again. Raises: ModelFailed, and
        before the first, ToolsRefused."""

    def stop(self) -> None:
        """Nobody listens any more: the server may stop writing. Synchronous: safe while being cancelled."""


class LanguageModel(Protocol):
    def ask(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> ModelAnswer:
        """Ask at once; whoever asks calls `stop` in the end. At most one answer for each call at a time."""
