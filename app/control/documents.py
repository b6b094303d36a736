"""Files that an agent knows."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, field_validator

from app.control.verb import MAX_ID, ById
from app.settings import Name, Settings

LARGEST_TEXT = 600_000
"""Characters of one file: a book. As JSON it fits into one question."""

MOST_PASSAGES = 2000
"""Of one agent: found in milliseconds, on a Pi too."""

MOST_CHARACTERS = 3_000_000
"""Of all files on the box: packed, a backup has room for them."""


class DocumentView(Settings):
    """`passages`: into how many it was cut."""

    id: str
    name: str
    added_at: datetime
    passages: int


class Documents(Settings):
    items: tuple[DocumentView, ...]


class AddDocument(ById):
    """`id`: the agent's. A file of the same name is replaced. `text`: paragraphs, with empty lines between."""

    name: Name
    text: str = Field(min_length=1, max_length=LARGEST_TEXT, repr=False)

    @field_validator("text")
    @classmethod
    def _something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must hold words: there is nothing in it")
        if any("\ud800" <= mark <= "\udfff" for mark in value):
            raise ValueError("must be text")
        return value


class DropDocument(ById):
    """`id`: the agent's."""

    document_id: str = Field(max_length=MAX_ID)
