"""A test chat: somebody types what a caller would say, and reads what an agent answers, without a call."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.control.verb import MAX_ID, ById
from app.settings import Settings, Words


class ChatLine(Settings):
    """`speaker` "box": what would happen in a call, and what the box notes."""

    speaker: Literal["caller", "agent", "box"]
    text: str = Field(repr=False)


class ChatView(Settings):
    """`ended`: a call would be over. `results`: what it has brought so far."""

    id: str
    lines: tuple[ChatLine, ...]
    ended: bool
    results: dict[str, str] = Field(default_factory=dict, repr=False)


class WhichChat(ById):
    """`id`: the agent's."""

    chat_id: str = Field(max_length=MAX_ID)


class SayInChat(WhichChat):
    text: Words = Field(repr=False)
