"""Whether somebody whom we called asks not to be called again. Pure.

Who is taken at their word wrongly is never called again, and who is not taken at it is called once too often: so the
words must be plain, and nothing in the sentence may put them off to another day.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from app.brains.words import words
from app.ports import Heard

_NO_CALL = ("do not", "never", "stop", "quit", "not to", "no longer", "do not want you to")
_CALL = ("call", "calling", "phone", "phoning", "ring", "ringing", "contact", "contacting", "bother", "bothering")
_WHOM = ("me", "us", "here", "this number", "my number", "my phone", "this house")
_ON = ("again", "any more", "anymore", "ever again")
_TAKE = ("take", "remove", "delete", "strike", "cross", "get", "drop")
_US = ("me", "us", "my number", "this number", "our number", "my name")
_OFF = ("off", "from", "out of")
_LISTS = ("your list", "the list", "your lists", "this list", "the call list", "the calling list", "your call list",
          "your calling list", "your database", "your records", "your system", "your files")  # fmt: skip
_PLAIN = (
    "do not call list", "no call list", "no more calls", "no more phone calls", "leave me alone", "leave us alone",
    "do not want to be called", "do not wish to be called", "do not want any calls", "do not want any more calls",
    "do not want your calls", "do not want these calls", "stop these calls", "stop the calls", "stop your calls",
    "lose my number", "forget my number", "delete my number", "remove my number", "erase my number", "stop calling",
)  # fmt: skip

# What makes a wish of one day or one hour out of it, or something that is only told or asked.
_BUT = frozenset(
    """before until till after tomorrow today tonight monday tuesday wednesday thursday friday saturday sunday morning
    afternoon evening night noon lunch week weekend later unless if when while why waiting instead yet nobody
    did""".split()
)
_BUT_SPOKEN = ("call you", "ring you", "phone you", "not stop", "will stop", "me now", "at work", "at home")


def _spoken(*parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (tuple(" ".join(chosen).split()) for chosen in itertools.product(*parts))


_PHRASES = frozenset(
    (
        *_spoken(_NO_CALL, _CALL, _WHOM),
        *_spoken(_NO_CALL, _CALL, _ON),
        *_spoken(_TAKE, _US, _OFF, _LISTS),
        *_spoken(_PLAIN),
    )
)
_LONGEST = max(map(len, _PHRASES))


def asked_not_to_call(heard: Heard) -> bool | None:
    """True where both readings say so, None where only one does: then it has to be asked."""
    said = [_says_so(text) for text in (heard.own, heard.general)]
    return None if any(said) and not all(said) else all(said)


def _says_so(text: str) -> bool:
    said = words(text)
    if set(said) & _BUT or any(phrase in " ".join(said) for phrase in _BUT_SPOKEN):
        return False
    return any(
        said[start : start + length] in _PHRASES
        for start in range(len(said))
        for length in range(2, min(_LONGEST, len(said) - start) + 1)
    )
