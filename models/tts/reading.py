"""Text prepared for being read aloud where the engine would read it wrongly."""

from __future__ import annotations

import re

# A number to be dialled or copied, not an amount, is read figure by figure with a pause between its groups: one that
# starts with + or 0, one of five figures and more, and groups of two figures and more that make six together.
_NUMBER = re.compile(r"(?<![\d.,:/€$£-])\+?\d{2,}(?:[ -]\d{2,})*(?![\d:%/]|[.,]\d| \d)")
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
    text = _NUMBER.sub(lambda match: _figures(match[0]), text)
    return _EXTENSION.sub(lambda match: f"{match[1]} {' '.join(match[2])}", text)


def _figures(number: str) -> str:
    groups = _GROUPS.findall(number)
    figures = sum(map(len, groups))
    if number[0] not in "+0" and figures < (6 if len(groups) > 1 else 5):
        return number
    return ("plus " if number.startswith("+") else "") + ", ".join(" ".join(group) for group in groups)


def has_words(text: str) -> bool:
    """Whether there is anything in `text` to say."""
    return any(mark.isalnum() for mark in text)
