"""What is said to ask for a result field, to ask again, and to read an answer back. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.brains.field_answers import is_name, range_of
from app.brains.numbers import read_back
from app.brains.spelling import spelled_out
from app.dictation import Dictated
from app.settings import ResultField

# Longer numbers are read back digit by digit, as those of telephones and customers.
_AMOUNT_DIGITS = 3


def question(field: ResultField) -> str:
    """The owner's, or one in plain words."""
    return field.question or _made(field)


def hint(field: ResultField) -> str:
    """What kind of answer is waited for."""
    match field.type:
        case "yes-no":
            return "Please say yes or no."
        case "choice":
            return f"Please say {_listed(field.choices)}."
        case "number":
            reach = range_of(field)
            return f"Please say a number from {reach[0]} to {reach[1]}." if reach else "Please say a number."
        case "text":
            return "Please say it once more."


def dictate(kind: Dictated) -> str:
    """How to read out what was misunderstood."""
    if kind is Dictated.DIGITS:
        return "Please say it once more, digit by digit."
    return "Please spell it with a word for each letter, like A as in Alfa, B as in Bravo."


def said(field: ResultField, value: str, kind: Dictated = Dictated.NOTHING, *, again: bool = False) -> str:
    """The part of a read-back that has to be heard. `again`: another value was wrong, so no letter may be unclear."""
    if field.type == "text" and kind is not Dictated.NOTHING:
        return f"I noted {spelled_out(value, in_words=again)}."
    figures = value.removeprefix("+")
    if field.type == "number" and figures.isdigit() and len(figures) > _AMOUNT_DIGITS:
        return f"I noted {read_back(value)}."
    return f"I noted {value}." if field.type in ("number", "text") else f"You said {value}."


def _made(field: ResultField) -> str:
    about = " ".join((field.description or field.name).replace("_", " ").split()).rstrip(".:,;")
    if about.endswith("?"):
        return about[0].upper() + about[1:]
    if field.type == "text":
        return "What is your name, please?" if is_name(field) else f"Please tell me {about[0].lower()}{about[1:]}."
    wanted = hint(field)
    return f"{about[0].upper()}{about[1:]}: {wanted[0].lower()}{wanted[1:]}"


def _listed(values: Sequence[str]) -> str:
    *first, last = values
    return f"{', '.join(first)} or {last}"
