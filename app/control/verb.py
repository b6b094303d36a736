"""What a verb is, and the questions and refusals that several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from app.control.refusals import Why
from app.control.views import Scope
from app.settings import Settings

MAX_ID = 64


class Empty(Settings):
    """No question but the verb itself."""


class ById(Settings):
    id: str = Field(max_length=MAX_ID)


class Delete(ById):
    """`confirmed`: the person was told what goes off-line."""

    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """`name` is its path on the control socket. The answer is a model of `answers`, or a `Refusal` for one of `refuses`
    (or of `ALWAYS`, which any verb may meet).

    `method` and `path`: its place in the REST API, below /api/v1; `path` "" where only the page may ask. Names in
    braces, and the query of a GET or DELETE, are fields of `asks`; otherwise the rest of them is the body. `scope`:
    what a token needs for it.
    """

    name: str
    asks: type[Settings]
    answers: type[Settings]
    scope: Scope
    summary: str
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    path: str = ""
    refuses: tuple[Why, ...] = ()
    created: bool = False


ALWAYS = (Why.INVALID, Why.BOX_FAULT)
MAKE = (Why.NOT_FOUND, Why.TAKEN, Why.NO_SPACE)
EDIT = (*MAKE, Why.CHANGED_MEANWHILE)
DROP = (Why.NOT_FOUND, Why.IN_USE, Why.NO_SPACE)
LOOK = (Why.NOT_FOUND,)
LIFE = (Why.NOT_FOUND, Why.NO_SPACE)
