"""What a language model writes, made into clauses that a voice can speak, as it comes."""

from __future__ import annotations

import re
import unicodedata

from app.brains.clauses import clauses

LONGEST_ANSWER = 1500
"""Characters: more than a minute and a half of speech. Nobody listens for so long to what they did not ask for."""

# Some models think aloud before they answer, and some servers do not know how their model calls tools; what is between
# these is not for the caller.
_ASIDE = r"<(?:think(?:ing)?|tool_call)>"
_THOUGHT = re.compile(rf"{_ASIDE}.*?{_ASIDE.replace('<', '</', 1)}", re.DOTALL)
_THOUGHT_SO_FAR = re.compile(rf"{_ASIDE}.*\Z", re.DOTALL)
_BULLETS = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", re.MULTILINE)
_MARKS = re.compile(r"[*#`~|]+")
_SYMBOLS = {"So", "Sk", "Cf", "Co", "Cn"}
"""Unicode's categories of emoji, and of what holds them together."""


class Speakable:
    """Clauses come out once the next one has begun, so that none of them changes any more."""

    def __init__(self) -> None:
        self._written, self._given = "", 0

    @property
    def is_long(self) -> bool:
        return len(plain(self._written)) > LONGEST_ANSWER

    def feed(self, text: str) -> list[str]:
        """The clauses that `text` completes."""
        self._written = _THOUGHT.sub("", self._written + text)
        return self._new(list(clauses(plain(self._written)))[:-1])

    def rest(self) -> list[str]:
        """The clauses that are left at the end."""
        return self._new(list(clauses(plain(self._written))))

    def _new(self, found: list[str]) -> list[str]:
        new = found[self._given :]
        self._given = max(self._given, len(found))
        return [each for each in new if any(mark.isalnum() for mark in each)]


def plain(written: str) -> str:
    """Without thoughts, Markdown and emoji."""
    text = _MARKS.sub("", _BULLETS.sub("", _THOUGHT_SO_FAR.sub("", _THOUGHT.sub("", written))))
    return "".join(mark for mark in text if mark.isascii() or unicodedata.category(mark) not in _SYMBOLS)
