"""What a language model writes, made into clauses that a voice can speak, as it comes."""

from __future__ import annotations

import re
import unicodedata

from app.brains.clauses import clauses

LONGEST_ANSWER = 1500
"""Characters: more than a minute and a half of speech. Nobody listens for so long to what they did not ask for."""

# Some models think aloud before they answer, and some servers do not know how their model calls tools; what is between
# these is not for the caller.
_ASIDES = ("think", "thinking", "tool_call")
_OPENINGS, _CLOSINGS = tuple(f"<{each}>" for each in _ASIDES), tuple(f"</{each}>" for each in _ASIDES)
_OPENING, _CLOSING = re.compile("|".join(_OPENINGS)), re.compile("|".join(_CLOSINGS))
_BULLETS = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", re.MULTILINE)
_MARKS = re.compile(r"[*#`~|]+")
_SYMBOLS = {"So", "Sk", "Cf", "Co", "Cn"}
"""Unicode's categories of emoji, and of what holds them together."""


class Speakable:
    """Clauses come out once the next one has begun, so that none of them changes any more."""

    def __init__(self) -> None:
        self._aloud = _Aloud()
        self._written, self._given = "", 0

    @property
    def is_long(self) -> bool:
        return len(plain(self._written)) > LONGEST_ANSWER

    def feed(self, text: str) -> list[str]:
        """The clauses that `text` completes."""
        self._written += self._aloud.feed(text)
        return self._new(list(clauses(plain(self._written)))[:-1])

    def rest(self) -> list[str]:
        """The clauses that are left at the end."""
        self._written += self._aloud.rest()
        return self._new(list(clauses(plain(self._written))))

    def _new(self, found: list[str]) -> list[str]:
        new = found[self._given :]
        self._given = max(self._given, len(found))
        return [each for each in new if any(mark.isalnum() for mark in each)]


class _Aloud:
    """What is not thought. Of a thought, only what may be the beginning of its end is kept: models think for pages, and
    each piece of them comes beside the audio of calls."""

    def __init__(self) -> None:
        self._thinks, self._pending = False, ""

    def feed(self, text: str) -> str:
        aloud, self._pending = "", self._pending + text
        while tag := (_CLOSING if self._thinks else _OPENING).search(self._pending):
            aloud += "" if self._thinks else self._pending[: tag.start()]
            self._pending = self._pending[tag.end() :]
            self._thinks = not self._thinks
        held = self._beginning_of_a_tag()
        if not self._thinks:
            aloud += self._pending[: len(self._pending) - len(held)]
        self._pending = held
        return aloud

    def rest(self) -> str:
        """The beginning of a tag that was none."""
        left, self._pending = "" if self._thinks else self._pending, ""
        return left

    def _beginning_of_a_tag(self) -> str:
        last = self._pending[self._pending.rfind("<") :] if "<" in self._pending else ""
        awaited = _CLOSINGS if self._thinks else _OPENINGS
        return last if any(tag.startswith(last) for tag in awaited) else ""


def plain(written: str) -> str:
    """Without Markdown and emoji."""
    text = _MARKS.sub("", _BULLETS.sub("", written))
    return "".join(mark for mark in text if mark.isascii() or unicodedata.category(mark) not in _SYMBOLS)
