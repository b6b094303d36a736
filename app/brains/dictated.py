"""Result fields whose values are read out character by character: names that are spelled, e-mail addresses, numbers to
dial or copy. What was heard is never taken without being read back, and what the caller called wrong is not offered
again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.brains import spelling
from app.brains.choices import Meant
from app.brains.numbers import digits_in
from app.brains.words import words
from app.dictation import Dictated
from app.ports import Heard
from app.settings import ResultField

_NAMED: Final = "zero one two three four five six seven eight nine ten eleven twelve".split()
_COUNT: Final = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NAMED)})[ -]digits?\b")
_COPIED: Final = frozenset("telephone phone mobile cell fax zip postcode pin code digit digits".split())
# Fewer digits or letters are something else that was said.
_FEWEST_DIGITS: Final = 3
_FEWEST_LETTERS: Final = 2


def kind(field: ResultField) -> Dictated:
    """What is read out where `field` is asked for."""
    if field.type == "number" and (_COPIED & set(_about(field)) or _ends_with_number(field)):
        return Dictated.DIGITS
    if field.type == "text" and (is_address(field) or {"spell", "spelled"} & set(_about(field))):
        return Dictated.LETTERS
    return Dictated.NOTHING


def is_address(field: ResultField) -> bool:
    """An e-mail address."""
    named = words(field.name)
    return "email" in named or ("mail" in named and named[-1] in ("mail", "address"))


def value_in(field: ResultField, heard: Heard, refused: tuple[str, ...] = (), *, spelled: bool = False) -> Meant | None:
    """What was read out; `refused`: what it was not. `spelled`: letters were asked for, whatever the field is."""
    found = [each for each in _readings(field, heard, spelled=spelled) if each not in refused]
    length = _length(field)
    fitting = [each for each in found if len(each.removeprefix("+")) == length]
    value = next(iter(fitting or found), None)
    agreed = kind(field) is Dictated.DIGITS and value is not None and value == digits_in(heard.general)
    return Meant(value, sure=agreed) if value else None


def corrected(field: ResultField, value: str, heard: Heard, refused: tuple[str, ...]) -> str | None:
    """`value` as the caller puts it right."""
    if spelling.corrected(value, heard.own) is None:
        return None  # a mere "no", which is not to be made more of
    for text in (heard.own, *heard.others):
        new = spelling.corrected(value, text)
        new = _as_value(field, new) if new else None
        if new and new != value and new not in refused:
            return new
    return None


def _readings(field: ResultField, heard: Heard, *, spelled: bool) -> Iterator[str]:
    said = heard.others or (heard.own,)
    if kind(field) is Dictated.DIGITS:
        digits = (*map(digits_in, said), digits_in(heard.general))
        yield from (each for each in digits if len(each) >= _FEWEST_DIGITS)
    elif is_address(field):
        addresses = map(spelling.address_in, (*said, heard.general))
        yield from filter(None, addresses)
    elif spelled or kind(field) is Dictated.LETTERS:
        characters = map(spelling.characters_in, said)
        yield from (_as_value(field, each) for each in characters if len(each) >= _FEWEST_LETTERS)


def _as_value(field: ResultField, characters: str) -> str:
    return spelling.as_name(characters) if field.type == "text" and not is_address(field) else characters


def _length(field: ResultField) -> int | None:
    """How many digits a question or description speaks of: "your number, all ten digits"."""
    found = _COUNT.search(f"{field.question} {field.description}".casefold())
    return (int(found[1]) if found[1].isdigit() else _NAMED.index(found[1])) if found else None


def _about(field: ResultField) -> tuple[str, ...]:
    return words(f"{field.name} {field.question} {field.description}".replace("_", " "))


def _ends_with_number(field: ResultField) -> bool:
    return words(field.name.replace("_", " "))[-1:] == ("number",)
