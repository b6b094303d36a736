"""What a call should bring, as the agent's owner declared it. Nothing is made up: what does not fit is left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.settings import NOTED_RESULTS, ResultField

DO_NOT_CALL: Final = "do not call"
"""The result "yes" under this name: whoever was called asked not to be called again."""

# What the receptionist notes in passing, by the names under which an owner may declare it (app.settings.NOTED_RESULTS).
_NOTED = {"name": "message_name", "number": "message_number", "message": "message", "wanted": "wanted"}
_YES_NO = {"yes": "yes", "no": "no", "true": "yes", "false": "no"}
_LONGEST_TEXT = 500


def offline_results(
    fields: Sequence[ResultField], noted: Mapping[str, str], answered: Mapping[str, str]
) -> dict[str, str]:
    """The declared `fields` out of what the receptionist noted in passing, and what was answered to its questions."""
    in_passing = {each.name: noted.get(_NOTED.get(each.name.casefold(), ""), "") for each in fields}
    return completed(fields, {**in_passing, **answered})


def completed(fields: Sequence[ResultField], found: Mapping[str, object]) -> dict[str, str]:
    """Those of `fields` that `found` has a fitting value for; a required one without is there, and empty, if it was
    due."""
    values = {each.name: as_text(each, found.get(each.name)) or "" for each in fields}
    return {
        each.name: values[each.name]
        for each in fields
        if values[each.name] or (each.required and is_due(each, values.values()))
    }


def is_asked_for(field: ResultField) -> bool:
    """Or else it is noted in passing."""
    in_passing = field.name.casefold() in NOTED_RESULTS and field.type in ("text", "number")
    return bool(field.question) or not in_passing


def is_due(field: ResultField, answers: Iterable[str]) -> bool:
    """Whether it is to be asked for, after these answers to those before it."""
    return not field.only_after or field.only_after.casefold() in map(str.casefold, answers)


def as_text(field: ResultField, value: object) -> str | None:
    """`value` as the field's type has it, or None where it does not fit."""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if not isinstance(value, str | int | float):
        return None
    text = str(value).encode(errors="ignore").decode().strip()  # half a surrogate pair is nothing that can be stored
    match field.type:
        case "text":
            return text[:_LONGEST_TEXT] or None
        case "number":
            return text if _is_number(text) else None
        case "yes-no":
            return _YES_NO.get(text.casefold())
        case "choice":
            return next((each for each in field.choices if each.casefold() == text.casefold()), None)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
