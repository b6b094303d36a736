"""Files that an agent knows, cut into passages; and those that a question is about, found by their words. Pure.

Ranked by BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009): a rare word
counts for more than a common one, a second time for less than the first, and in a long passage for less than in a short
one.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.brains.words import FUNCTION_WORDS, stem, words

LONGEST_PASSAGE = 600
"""Characters: a paragraph, which a small model reads in a quarter of a second."""

MOST_FOUND = 3
"""Passages for one question: more is no answer."""

_K1, _B = 1.2, 0.75  # as usual: how soon a word is enough, and how much length counts
_LEAST_SHARE = 0.34
"""Of what a question's words weigh together, a passage must have so much, or it is about something else."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """`number`: its place in the file, from 1."""

    file: str
    number: int
    text: str = field(repr=False)


def cut(text: str) -> tuple[str, ...]:
    """Paragraphs, put together as far as they fit into one passage; what is too long is cut between sentences, or else
    between words. Headings stay with what follows."""
    found: list[str] = []
    for piece in _pieces(text):
        if found and len(found[-1]) + len(piece) < LONGEST_PASSAGE:
            found[-1] = f"{found[-1]}\n{piece}"
        else:
            found.append(piece)
    return tuple(found)


def _pieces(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        line = " ".join(paragraph.split())
        if len(line) <= LONGEST_PASSAGE:
            yield from [line] if line else []
        else:
            yield from _shorter(line)


def _shorter(paragraph: str) -> Iterator[str]:
    held = ""
    for part in _parts(paragraph):
        if held and len(held) + len(part) >= LONGEST_PASSAGE:
            yield held
            held = ""
        held = f"{held} {part}".strip()
    yield held


def _parts(paragraph: str) -> Iterator[str]:
    """Sentences; those that are too long in pieces."""
    for sentence in _SENTENCE.split(paragraph):
        rest = sentence
        while len(rest) > LONGEST_PASSAGE:
            at = rest.rfind(" ", 1, LONGEST_PASSAGE)
            at = at if at > 0 else LONGEST_PASSAGE
            yield rest[:at]
            rest = rest[at:].strip()
        yield rest


class Library:
    """All that an agent's files say, indexed once. Finding is adding up the passages of each word of a question: for
    2000 passages a few milliseconds, as docs/agents.md says."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = tuple(passages)
        counted = [Counter(_content(each.text)) for each in self._passages]
        sizes = [sum(each.values()) for each in counted]
        mean = sum(sizes) / len(sizes) if sizes else 1.0
        places: dict[str, tuple[array[int], array[float]]] = {}
        for place, (words_of_it, size) in enumerate(zip(counted, sizes, strict=True)):
            for word, times in words_of_it.items():
                where, weights = places.setdefault(word, (array("L"), array("f")))
                where.append(place)
                weights.append(times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * size / (mean or 1.0))))
        self._places = places

    def __len__(self) -> int:
        return len(self._passages)

    def find(self, question: str) -> list[Passage]:
        """Best first; none where nothing is about it."""
        scores: dict[int, float] = {}
        asked = 0.0
        for word in dict.fromkeys(_content(question)):
            where, weights = self._places.get(word, (array("L"), array("f")))
            rarity = math.log(1 + (len(self._passages) - len(where) + 0.5) / (len(where) + 0.5))
            asked += rarity
            for place, weight in zip(where, weights, strict=True):
                scores[place] = scores.get(place, 0.0) + rarity * weight
        enough = asked * _LEAST_SHARE
        best = sorted(((score, -place) for place, score in scores.items() if score >= enough), reverse=True)
        return [self._passages[-place] for _, place in best[:MOST_FOUND]]


def cited(answer: str, found: Sequence[Passage]) -> Passage | None:
    """The passage that an answer was made of: the one with most of its words, if that are three or half of them."""
    said = set(_content(answer))
    shared = [len(said & set(_content(each.text))) for each in found]
    most = max(shared, default=0)
    return found[shared.index(most)] if most >= 3 or (most and 2 * most >= len(said)) else None


def _content(text: str) -> Iterator[str]:
    """What it is about, as comparable words."""
    return (stem(word) for word in words(text) if word not in FUNCTION_WORDS)
