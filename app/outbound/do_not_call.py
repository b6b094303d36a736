"""The same number in other spellings, for the do-not-call list. Pure; in doubt, two numbers are the same.

A canonical number is "+" and the digits of E.164 where the country is known; the digits after the trunk prefix where it
is not; digits as they are for an extension; a SIP address or a code in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.outbound.dialling import as_typed, digits, international, is_address, is_extension
from app.settings import DialRules

ENOUGH_DIGITS: Final = 7
"""So many at the end make two numbers one where only one of them tells its country: fewer are shared by too many."""

_USER = re.compile(r"sips?:(?://)?([^@;?:]+)(?::[^@]*)?(@[^;?]*)?", re.IGNORECASE)


def canonical(written: str, rules: DialRules) -> str:
    """The number that somebody wrote, by the dial rules of the connection; "" if it is nothing that can be called."""
    target = as_typed(written)
    if is_address(target):
        return _of_address(target, rules)
    plain = digits(target, rules)
    if plain is not None:
        return _of_number(plain, rules)
    code = target.casefold()
    return "" if any(mark.isspace() for mark in code) or not any(mark.isalnum() for mark in code) else code


def _of_address(address: str, rules: DialRules) -> str:
    """A number in it is that number, whichever phone system it is dialled through; parameters do not count."""
    parts = _USER.match(address)
    if parts is None:
        return ""
    plain = digits(parts[1], rules)
    return _of_number(plain, rules) if plain else f"sip:{parts[1]}{parts[2] or ''}".casefold()


def _of_number(plain: str, rules: DialRules) -> str:
    if is_extension(plain, rules):
        return plain
    world = international(plain, rules)
    if world is None or (not rules.country_code and _is_national(plain, rules)):
        return plain[len(rules.trunk_prefix) :] if world is not None else plain
    return f"+{_without_trunk(world, rules)}"


def _is_national(plain: str, rules: DialRules) -> bool:
    prefixes = ("+", rules.international_prefix) if rules.international_prefix else ("+",)
    return not plain.startswith(prefixes)


def _without_trunk(world: str, rules: DialRules) -> str:
    """Some write +49 030 1234."""
    doubled = rules.country_code + rules.trunk_prefix
    if rules.country_code and rules.trunk_prefix and world.startswith(doubled):
        return rules.country_code + world[len(doubled) :]
    return world


def index_key(number: str) -> str:
    """Of a canonical number: numbers that are the same have the same one, so that a list can be searched by it."""
    plain = number.removeprefix("+")
    return plain[-ENOUGH_DIGITS:] if plain.isdecimal() else number


def same(one: str, other: str) -> bool:
    """Whether two canonical numbers are one. One without its country is compared by its digits, from the end."""
    if one == other:
        return one != ""
    plain = sorted((one.removeprefix("+"), other.removeprefix("+")), key=len)
    if not all(each.isdecimal() for each in plain) or (one[0] == other[0] == "+"):
        return False
    return plain[0] == plain[1] or (len(plain[0]) >= ENOUGH_DIGITS and plain[1].endswith(plain[0]))


def is_listed(number: str, listed: Iterable[str]) -> bool:
    """Whether the canonical `number` is among those, which are canonical too."""
    return any(same(number, each) for each in listed)
