"""What a brain needs of a language model, as Protocols: app/ports.py, continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    text: str


class ModelFailed(Exception):
    """An answer did not come, or not to its end. The text says why in words of ours, and holds nothing that was said:
    it may be logged. `detail`: what the server says of it, for the eyes of whoever set it up."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.detail = detail


class ModelAnswer(Protocol):
    """One answer on its way."""

    async def more(self) -> str:
        """The next piece of its text; "" at its end. May be cancelled, and asked again. Raises: ModelFailed."""

    def stop(self) -> None:
        """Nobody listens any more: the server may stop writing. Synchronous: safe while being cancelled."""


class LanguageModel(Protocol):
    def ask(self, messages: Sequence[ChatMessage]) -> ModelAnswer:
        """Ask at once; whoever asks calls `stop` in the end. At most one answer for each call at a time."""
