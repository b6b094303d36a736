"""What a sentence is about, as shares of some thirty topics that offices are called for.

A linear classifier with two views of a sentence: the words, pairs and threes of words that sentences.txt has, and the
mean of its words' vectors, by which "transportation" is near "transport" without ever having been listed. The vectors
are those that a sentence encoder gives single words, pressed to 128 numbers; training/ makes the table. Nothing here
knows an agent: whoever compares two sentences by their topics decides what that is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]

# How much each view counts against the other; both vectors have length 1.
PHRASES = 8.0
MEANING = 8.0
# A common word tells little: it counts a / (a + its share of the sentences), as in Arora's sentence embeddings (2017).
COMMON = 0.03
# A sentence that has hardly a known phrase in it is not blown up to length 1.
SHORTEST = 0.8


@dataclass(frozen=True, slots=True)
class Table:
    """`phrases`: their places in `told` [phrase, topic], with their weights in `weights`; `words`: their places in
    `vectors` [word, 128], each already weighted by how common it is; `meant` [128, topic]; `base` [topic].

    The two large ones stay bytes, a quarter of the memory, with the units that they count in.
    """

    topics: tuple[str, ...]
    phrases: Mapping[str, int]
    weights: Floats
    told: Bytes
    told_unit: float
    words: Mapping[str, int]
    vectors: Bytes
    vector_units: Floats
    meant: Floats
    base: Floats

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as file:
            return cls(
                tuple(str(file["topics"]).split("\n")),
                {phrase: place for place, phrase in enumerate(str(file["phrases"]).split("\n"))},
                file["weights"].astype(np.float32),
                file["told"],
                float(file["told_unit"]),
                {word: place for place, word in enumerate(str(file["words"]).split("\n"))},
                file["vectors"],
                file["vector_units"],
                file["meant"].astype(np.float32),
                file["base"].astype(np.float32),
            )

    def of(self, words: Sequence[str]) -> Floats:
        """[topic]: its share, all together 1. `words`: lower case, contractions written out, no punctuation."""
        found = [self.phrases[phrase] for phrase in sorted(set(phrases(words))) if phrase in self.phrases]
        known = [self.words[word] for word in words if word in self.words]
        scores = self.base.copy()
        if found:
            weights = self.weights[found]
            scores += (
                PHRASES * self.told_unit * (weights @ self.told[found]) / max(float(np.linalg.norm(weights)), SHORTEST)
            )
        if known:
            mean = self.vector_units[known] @ self.vectors[known]
            scores += MEANING * (mean @ self.meant) / max(float(np.linalg.norm(mean)), 1e-6)
        powers = np.exp(scores - scores.max())
        shares: Floats = powers / powers.sum()
        return shares


def phrases(words: Sequence[str]) -> Iterable[str]:
    """Each word, each pair with the sentence's ends as words, and each three in a row."""
    yield from words
    yield from map(" ".join, zip(("<", *words), (*words, ">"), strict=True))
    yield from map(" ".join, zip(words, words[1:], words[2:], strict=False))
