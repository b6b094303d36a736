"""Text prepared for being read aloud where the engine would read it wrongly."""

from __future__ import annotations

import re

# Two or more groups of figures, one that starts with a zero, or one of five and more, is a number to be dialled or
# copied, not an amount: it is read figure by figure, with a pause between the groups.
_NUMBER = re.compile(r"(?<![\d.,:/€$£-])\+?(?:\d+(?:[ \-/]\d+)+|0\d+|\d{5,})(?![\d:%]|[.,]\d)")
_GROUPS = re.compile(r"\d+")
_SPELLED_OUT = (
    (re.compile(r"\be\.\s?g\.?(?=\W|$)", re.IGNORECASE), "for example"),
    (re.compile(r"\bi\.\s?e\.?(?=\W|$)", re.IGNORECASE), "that is"),
    (re.compile(r"\bext\.(?=\s*\d)", re.IGNORECASE), "extension"),
    (re.compile(r"\bno\.(?=\s*\d)", re.IGNORECASE), "number"),
    (re.compile(r"\s*[–—]\s*"), ", "),
    (re.compile(r"’"), "'"),
)
_EXTENSION = re.compile(r"\b(extension|room|number)\s+(\d{3,4})\b", re.IGNORECASE)


def readable(text: str) -> str:
    """`text` with numbers to dial spelled out and abbreviations in full: "555 0142" becomes "5 5 5, 0 1 4 2"."""
    for pattern, words in _SPELLED_OUT:
        text = pattern.sub(words, text)
    text = _EXTENSION.sub(lambda match: f"{match[1]} {' '.join(match[2])}", text)
    return _NUMBER.sub(lambda match: _figures(match[0]), text)


def _figures(number: str) -> str:
    plus = "plus " if number.startswith("+") else ""
    return plus + ", ".join(" ".join(group) for group in _GROUPS.findall(number))


def has_words(text: str) -> bool:
    """Whether there is anything in `text` to say."""
    return any(mark.isalnum() for mark in text)
