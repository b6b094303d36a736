"""What a participant's fields hold: what people and spreadsheets write, in one spelling for each type. Pure.

Dates are kept as 2026-12-31, numbers with a decimal point, yes-no as "yes" and "no", time zones by their IANA name.
Telephone numbers stay as they are written, since the connection's dial rules decide what that means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.outbound.campaign import FieldType, ParticipantField
from app.outbound.dialling import as_typed, digits, is_address
from app.settings import DialRules, zones_by_name

LONGEST_VALUE: Final = 500
LONGEST_NUMBER: Final = 24
"""Digits of a telephone number: E.164 has 15, and some dial a prefix and a carrier's code before them."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LINES = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+")
_ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?"
)  # spreadsheets add midnight
_DOTTED_DATE = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4})")
_NO_DATE = "must be a date, written 2026-12-31 or 31.12.2026"
_ONE_SPELLING = str.maketrans("\u00a0\u202f\u2009’\u2212", "   '-")
_PLAIN_NUMBER = re.compile(r"(?P<whole>[+-]?[0-9]+)(?:[.,](?P<part>[0-9]+))?")
_GROUPED = re.compile(
    r"(?P<whole>[+-]?[1-9][0-9]{0,2}(?P<groups>(?P<mark>[ '.,])[0-9]{3}(?:(?P=mark)[0-9]{3})*))"
    r"(?:(?!(?P=mark))[.,](?P<part>[0-9]+))?"
)
_SPREADSHEET_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+|[0-9]{6,}[.,]0")
_YES_NO: Final = {
    **dict.fromkeys(("yes", "y", "true", "1", "on", "ja", "j", "wahr", "x"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0", "off", "nein", "falsch"), "no"),
}


class UnfitError(ValueError):
    """The value does not fit the type. The text says what is wanted, and goes after the field's name."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A field's name and what is wrong with its value: "must be a date, ..."."""

    name: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A participant's values, those without an error; and the errors."""

    values: dict[str, str] = field(repr=False)
    problems: tuple[Unfit, ...]


def row(
    given: Mapping[str, str], fields: Sequence[ParticipantField], *, imported: bool = False, partial: bool = False
) -> Row:
    """A participant as given, by field. `imported`: by a list, which may not bring every field. `partial`: what is left
    out stays as it is, as in an edit or an update by a list; so only what is given can be missing."""
    known = {each.name: each for each in fields}
    values: dict[str, str] = {}
    problems = [Unfit(name, _stranger(known)) for name in given if name not in known]
    for name, each in known.items():
        if name not in given and (partial or not each.required):
            continue
        try:
            values[name] = _field(each, given.get(name, ""), imported=imported)
        except UnfitError as unfit:
            problems.append(Unfit(name, str(unfit)))
    return Row(values, tuple(problems))


def fitting(kind: FieldType, text: str) -> str:
    """`text` as a field of that type keeps it; "" stays. Raises: UnfitError."""
    text = _one_line(text)
    return _FITTING[kind](text) if text else ""


def _field(wanted: ParticipantField, text: str, *, imported: bool) -> str:
    value = fitting(wanted.type, text)
    if wanted.required and not value:
        raise UnfitError("is required and must not be empty")
    if imported and value and not wanted.importable:
        raise UnfitError("cannot come from a list: leave the column out, or make the field importable")
    return value


def _stranger(known: Mapping[str, ParticipantField]) -> str:
    return f"is no field of this campaign: leave it out, or add it to the fields ({', '.join(known)})"


def _one_line(text: str) -> str:
    text = _LINES.sub(" ", text).strip()
    if len(text) > LONGEST_VALUE:
        raise UnfitError(f"is too long: at most {LONGEST_VALUE} characters")
    if _CONTROL.search(text):
        raise UnfitError("must be text, without control characters: is the file in another encoding?")
    return text


def _text(text: str) -> str:
    return text


def _phone(text: str) -> str:
    text = as_typed(text).removeprefix("'")
    if _SPREADSHEET_NUMBER.fullmatch(text):
        raise UnfitError(
            "was changed by a spreadsheet, and digits are lost: format the column as text, and write it anew"
        )
    plain = digits(text, DialRules())
    if plain is None and not is_address(text):
        return _code(text)
    if plain and len(plain) > LONGEST_NUMBER:
        raise UnfitError("is too long for a telephone number: only one number may stand here")
    return text


def _code(text: str) -> str:
    """Phone systems have names and codes with * and #, too. None of them has a space or a comma in it."""
    if not re.fullmatch(r"[A-Za-z0-9*#+_.!~'()&=$%-]{1,64}", text):
        raise UnfitError("must be one telephone number, extension or SIP address, e.g. +49 30 1234567")
    return text


def _number(text: str) -> str:
    plain = text.translate(_ONE_SPELLING)
    grouped = _GROUPED.fullmatch(plain)
    if grouped and grouped["mark"] in ".," and not grouped["part"] and len(grouped["groups"]) == len(",000"):
        raise UnfitError("may be taken for thousands or for a fraction: write 1250 or 1.25, without other marks")
    found = grouped or _PLAIN_NUMBER.fullmatch(plain)
    if found is None:
        raise UnfitError("must be a number, e.g. 1250 or 12.5")
    whole = re.sub(r"[^\d-]", "", found["whole"])
    return f"{whole}.{found['part']}" if found["part"] else whole


def _date(text: str) -> str:
    if found := _ISO_DATE.fullmatch(text):
        year, month, day = found.groups()
    elif found := _DOTTED_DATE.fullmatch(text):
        day, month, year = found.groups()
    else:
        raise UnfitError(_NO_DATE)
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise UnfitError("is a day that does not exist") from None


def _yes_no(text: str) -> str:
    try:
        return _YES_NO[text.casefold()]
    except KeyError:
        raise UnfitError("must be yes or no") from None


def _time_zone(text: str) -> str:
    try:
        return zones_by_name()[text.casefold().replace(" ", "_")]
    except KeyError:
        raise UnfitError('must be a time zone by its IANA name, e.g. "Europe/Berlin"') from None


_FITTING: Final[Mapping[FieldType, Callable[[str], str]]] = {
    "text": _text,
    "number": _number,
    "phone": _phone,
    "date": _date,
    "yes-no": _yes_no,
    "time zone": _time_zone,
}
