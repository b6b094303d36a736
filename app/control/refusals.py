"""Why the box does not do what was asked: values that a caller must match, with words for the person who asked."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from app.settings import Settings


class Why(Enum):
    """Each has its HTTP status in `STATUS`."""

    INVALID = "invalid"
    NOT_FOUND = "not found"
    CHANGED_MEANWHILE = "changed meanwhile"
    TAKEN = "taken"
    IN_USE = "in use"
    NOT_NOW = "not now"
    NOT_ALLOWED = "not allowed"
    BOX_FAULT = "box fault"
    NO_SPACE = "no space"
    # what only the door of the REST API says
    NO_TOKEN = "no token"  # noqa: S105 - words, no password
    WRONG_METHOD = "wrong method"
    TOO_LARGE = "too large"
    NOT_JSON = "not JSON"
    NOT_THAT_LONG = "not that long"
    WRONG_NAME = "wrong name"
    TOO_MANY_TRIES = "too many tries"


STATUS = {
    Why.INVALID: 422,
    Why.NOT_FOUND: 404,
    Why.CHANGED_MEANWHILE: 409,
    Why.TAKEN: 409,
    Why.IN_USE: 409,
    Why.NOT_NOW: 409,
    Why.NOT_ALLOWED: 403,
    Why.BOX_FAULT: 503,
    Why.NO_SPACE: 507,
    Why.NO_TOKEN: 401,
    Why.WRONG_METHOD: 405,
    Why.TOO_LARGE: 413,
    Why.NOT_JSON: 415,
    Why.NOT_THAT_LONG: 416,
    Why.WRONG_NAME: 421,
    Why.TOO_MANY_TRIES: 429,
}


class Refusal(Settings):
    """`text`: what happened, why, what to do next. `fields`: the same per field that was typed. `names`: what stands
    in the way (the agent that has the Inbound switch, what goes off-line)."""

    why: Why
    text: str
    fields: dict[str, str] = Field(default_factory=dict)
    names: tuple[str, ...] = ()
