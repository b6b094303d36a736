"""Text as the words that are spoken for it: lower case, no punctuation, numbers written out.

The recogniser, the language model and the comparison of texts all have to agree on what a word is; they agree here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_SHORT = {
    "mr": "mister", "mrs": "missus", "ms": "miss", "dr": "doctor", "st": "saint", "ext": "extension",
    "dept": "department", "tel": "telephone", "approx": "approximately", "etc": "etcetera", "no.": "number",
    "eg": "for example", "e.g": "for example", "e.g.": "for example", "i.e.": "that is", "vs": "versus",
    "&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "$": "dollars", "€": "euros", "£": "pounds",
    "a.m": "a m", "p.m": "p m", "am": "am", "pm": "p m", "ok": "okay",
}  # fmt: skip

_TOKEN = re.compile(
    r"(?P<time>\d{1,2}[:.]\d{2}(?!\d))"
    r"|(?P<ordinal>\d{1,3}(?:st|nd|rd|th)\b)"
    r"|(?P<number>\d+)"
    r"|(?P<short>(?:e\.g\.?|i\.e\.|[ap]\.m|no\.(?=\s*\d)))"
    r"|(?P<word>[a-z]+(?:['’][a-z]+)*['’]?)"
    r"|(?P<sign>[&@%+=$€£])"
)


def spoken(text: str) -> tuple[str, ...]:
    """The words of `text` in the order in which they are said.

    "Open 9:30 to 5, ext. 204" gives open nine thirty to five extension two oh four. Numbers of up to two digits are
    read as a number, longer ones digit by digit, as telephone numbers and extensions are.
    """
    found: list[str] = []
    for match in _TOKEN.finditer(_plain(text)):
        kind = match.lastgroup or ""
        found.extend(_READERS[kind](match.group()))
    return tuple(found)


def cardinal(number: int) -> tuple[str, ...]:
    """A number from 0 to 99 in words."""
    if number < len(_ONES):
        return (_ONES[number],)
    tens, ones = divmod(number, 10)
    return (_TENS[tens], _ONES[ones]) if ones else (_TENS[tens],)


def ordinal(number: int) -> tuple[str, ...]:
    """A rank from 1 to 99 in words: twenty third."""
    *start, last = cardinal(number)
    if last in _ORDINALS:
        return (*start, _ORDINALS[last])
    return (*start, last.removesuffix("y") + "ieth" if last.endswith("y") else last + "th")


def digits(text: str) -> tuple[str, ...]:
    """Digits one by one, zero as people say it in numbers: oh."""
    return tuple("oh" if figure == "0" else _ONES[int(figure)] for figure in text)


def clock(hour: int, minute: int) -> tuple[str, ...]:
    """A time of day as it is read from a sign: nine thirty, ten oh five, nine o'clock."""
    if minute == 0:
        return (*cardinal(hour), "o'clock")
    return (*cardinal(hour), *(("oh", *cardinal(minute)) if minute < 10 else cardinal(minute)))


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in bare if not unicodedata.combining(mark))


def _time(text: str) -> tuple[str, ...]:
    hour, minute = (int(part) for part in re.split(r"[:.]", text))
    return clock(hour, minute) if minute < 60 else (*cardinal(hour), *digits(text[-2:]))


def _number(text: str) -> tuple[str, ...]:
    return cardinal(int(text)) if len(text) <= 2 and (text[0] != "0" or len(text) == 1) else digits(text)


def _ordinal(text: str) -> tuple[str, ...]:
    number = int(text[:-2])
    return ordinal(number) if 0 < number < 100 else digits(text[:-2])


def _word(text: str) -> tuple[str, ...]:
    bare = text.replace("’", "'").strip("'")
    return tuple(_SHORT.get(bare, bare).split())


def _short(text: str) -> tuple[str, ...]:
    return tuple(_SHORT[text].split())


_READERS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "time": _time,
    "ordinal": _ordinal,
    "number": _number,
    "short": _short,
    "word": _word,
    "sign": _short,
}
