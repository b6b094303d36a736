"""Text cut into clauses that can be spoken one after the other.

The voice starts with the first clause while the rest waits, and an interruption falls between few words. A clause ends
where a speaker breathes: at the end of a sentence, and inside a long sentence at a comma or a dash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# About six seconds of speech: longer sentences are cut inside.
_LONG = 90
# Shorter pieces sound chopped when each gets the melody of a sentence of its own.
_SHORTEST = 25

_ABBREVIATIONS = ("mr", "mrs", "ms", "dr", "st", "no", "ext", "tel", "e.g", "i.e", "a.m", "p.m", "vs", "approx")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')]*\s+")
_BREATH = re.compile(r"(?<=[,;:])\s+|\s+[–—-]\s+")


def clauses(text: str) -> Iterator[str]:
    """The clauses of `text` in order. Joined with spaces they are the text again, but for dashes and line ends."""
    for sentence in sentences(text):
        yield from _breaths(sentence) if len(sentence) > _LONG else (sentence,)


def sentences(text: str) -> Iterator[str]:
    held = ""
    for part in _SENTENCE_END.split(" ".join(text.split())):
        held = f"{held} {part}".strip()
        if held and not _ends_in_abbreviation(held):
            yield held
            held = ""
    if held:
        yield held


def _ends_in_abbreviation(text: str) -> bool:
    last = text.rsplit(" ", 1)[-1].casefold()
    return last.endswith(".") and (last[:-1] in _ABBREVIATIONS or re.fullmatch(r"[a-z]\.", last) is not None)


def _breaths(sentence: str) -> Iterator[str]:
    held = ""
    pieces = _BREATH.split(sentence)
    for place, piece in enumerate(pieces):
        held = f"{held} {piece}".strip()
        rest = sum(map(len, pieces[place + 1 :]))
        if len(held) >= _SHORTEST and rest >= _SHORTEST:
            yield held
            held = ""
    if held:
        yield held
