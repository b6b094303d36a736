"""Amounts as people say them: how many, how much, from one to ten. Pure.

Numbers that are read out digit by digit, as those of telephones, are for numbers.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.brains.numbers import DIGITS, SOUND_LIKE_DIGITS, TEENS, TENS, digits_in
from app.brains.words import words

_UNITS = {word: int(digits) for word, digits in (DIGITS | TEENS).items() if word not in ("o", "oh")}
_TENS = {word: int(digit) * 10 for word, digit in TENS.items()}
_SCALES = {"hundred": 100, "thousand": 1000}
# "One" is not always a number.
_NO_NUMBER = re.compile(
    r"\b(?:(?:this|that|which|the|no|any|every|some|another|good|first|second|last) one"
    r"|one (?:moment|second|minute|more|thing|question))\b"
)
_OUT_OF = re.compile(r"\b(?:out of|of) (?:a )?(?:ten|five|hundred|10|5|100)\b")
_RANGE = re.compile(
    r"\b(?:from|between|scale of)\s+(\w+)\s*(?:to|and|until|through|-|–)\s*(\w+)|\b(\d+)\s*[-–]\s*(\d+)\b"
)
# Digits that were read out one by one make a number of more than this many.
_CODE = 3


def amount_in(text: str) -> str | None:
    """The one number in `text`, in figures: "eight out of ten" is 8, "seven and a half" 7.5; None for none or several.
    Digits that were read out one by one stay as they are."""
    plain = _OUT_OF.sub(" ", _NO_NUMBER.sub(" ", " ".join(words(text.replace(".", " point ")))))
    said = plain.split()
    if _is_read_out(said):
        return digits_in(plain)
    found = list(dict.fromkeys(_amounts(said)))
    return found[0] if len(found) == 1 else None


def sounds_like_amount(text: str) -> str | None:
    """What a recogniser writes for a digit that stands alone: "for" is 4."""
    said = words(text)
    return SOUND_LIKE_DIGITS.get(said[0]) if len(said) == 1 else None


def range_in(text: str) -> tuple[int, int] | None:
    """What a question asks for: "from one to ten" is (1, 10)."""
    found = _RANGE.search(text.casefold())
    if not found:
        return None
    ends = [amount_in(end) for end in found.groups() if end]
    if not all(end and end.isdigit() for end in ends):
        return None
    low, high = (int(end or 0) for end in ends)
    return (low, high) if low < high else None


def _is_read_out(said: Sequence[str]) -> bool:
    run = longest = 0
    for word in said:
        run = run + 1 if word in DIGITS or (word.isdigit() and len(word) == 1) else 0
        longest = max(longest, run)
    return longest > _CODE


def _amounts(said: Sequence[str]) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(said):
        used, text = _next(said, place)
        if text:
            found.append(text)
        place += max(1, used)
    return found


def _next(said: Sequence[str], place: int) -> tuple[int, str]:
    """How many words from `place` on are one number, and that number."""
    used, value = _whole(said, place)
    if not used:
        return 0, ""
    rest = tuple(said[place + used :])
    if rest[:1] == ("point",) and len(rest) > 1 and (digit := _unit(rest[1])) is not None and digit < 10:
        return used + 2, f"{value}.{digit}"
    if rest[:3] == ("and", "a", "half"):
        return used + 3, f"{value}.5"
    return used, str(value)


def _whole(said: Sequence[str], place: int) -> tuple[int, int]:
    total = current = used = 0
    joins = False  # what comes next may belong to the same number
    while place + used < len(said):
        word = said[place + used]
        after = said[place + used + 1] if place + used + 1 < len(said) else ""
        if (unit := _unit(word)) is not None and (not used or (joins and unit < max(10, current % 100 == 0 and 100))):
            current, joins = current + unit, False
        elif word in _TENS and (not used or (joins and current % 100 == 0)):
            current, joins = current + _TENS[word], True
        elif word in _SCALES and used:
            current *= _SCALES[word]
            if word == "thousand":
                total, current = total + current, 0
            joins = True
        elif word == "and" and joins and (_unit(after) is not None or after in _TENS):
            pass
        else:
            break
        used += 1
    return used, total + current


def _unit(word: str) -> int | None:
    return int(word) if word.isdigit() and len(word) < 10 else _UNITS.get(word)
