"""What is dialled for what somebody wrote. Pure.

A phone system has numbers of its own, and knows best what they mean: short extensions, codes with * or #, names, SIP
addresses are dialled as they are given. Only numbers of the public network are put into the form that the rules of the
connection ask for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from app.settings import DialRules

_ADDRESS = re.compile(r"sips?:", re.IGNORECASE)
_TEL = re.compile(r"tel:", re.IGNORECASE)
_TRUNK_IN_BRACKETS = re.compile(r"(?<=\d)[\s\u00a0]*\(0\)")  # +49 (0)30 1234: the 0 is for those who dial from inside
_SEPARATORS = re.compile(r"[\s\u00a0().\-/]")  # RFC 3966 5.1.1, spaces, and what people write besides
_NUMBER = re.compile(r"\+?[0-9]+")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")


@dataclass(frozen=True, slots=True)
class Dialled:
    """`text` is dialled. `how`: what it was taken for, for people."""

    text: str
    how: str


def dial_string(target: str, rules: DialRules) -> Dialled:
    """Whether `text` can be dialled at all is for the telephone to say."""
    target = target.strip()
    if is_address(target):
        return Dialled(target, "a SIP address, dialled as given")
    plain = digits(target, rules)
    if plain is None:
        return Dialled(target, "a code or name of the phone system, dialled as given")
    if is_extension(plain, rules):
        return Dialled(plain, "an extension, dialled as given")
    return _outside(plain, rules)


def as_typed(text: str) -> str:
    """`text` as somebody would have typed it who did not copy it from a letter or a spreadsheet: without invisible
    marks, with plain digits, dashes and spaces."""
    if text.isascii():  # as nearly every number of a long list is
        return text.strip()
    plain = unicodedata.normalize("NFKC", _DASHES.sub("-", text))
    seen = (mark for mark in plain if unicodedata.category(mark) != "Cf")
    return "".join(str(unicodedata.decimal(mark, mark)) for mark in seen).strip()


def is_address(target: str) -> bool:
    """Whether it is a SIP URI."""
    return _ADDRESS.match(target) is not None


def digits(target: str, rules: DialRules) -> str | None:
    """The number without its writing: digits, with "+" before them where it was there. None: it is no number."""
    written = _TEL.sub("", target, count=1)
    if written.startswith(("+", rules.international_prefix or "+")):
        written = _TRUNK_IN_BRACKETS.sub("", written)
    plain = _SEPARATORS.sub("", written)
    return plain if _NUMBER.fullmatch(plain) else None


def is_extension(plain: str, rules: DialRules) -> bool:
    return plain[0] != "+" and len(plain) <= rules.extension_digits


def _outside(plain: str, rules: DialRules) -> Dialled:
    number = _formed(plain, rules)
    if rules.strip and number.startswith(rules.strip):
        number = number[len(rules.strip) :]
    return Dialled(rules.prefix + number, "a number outside of the phone system")


def _formed(plain: str, rules: DialRules) -> str:
    world = international(plain, rules)
    if rules.number_form == "as given" or world is None:
        return plain
    if rules.number_form == "e164":
        return f"+{world}"
    if world.startswith(rules.country_code):
        return rules.trunk_prefix + world[len(rules.country_code) :]
    return rules.international_prefix + world


def international(plain: str, rules: DialRules) -> str | None:
    """With country code, without "+"; None for a number without area code, which only the phone system can place."""
    if plain.startswith("+"):
        return plain[1:]
    if rules.international_prefix and plain.startswith(rules.international_prefix):
        return plain[len(rules.international_prefix) :]
    if plain.startswith(rules.trunk_prefix):  # which is empty where people write no prefix: then every number is whole
        return rules.country_code + plain[len(rules.trunk_prefix) :]
    return None
