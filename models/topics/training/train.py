"""Makes the table of topics: python -m models.topics.training.train ARPA MINILM OUT

ARPA is the general recogniser's language model as text, whose commonest words get vectors; MINILM the encoder that
gives them (README.md says where both come from). About five minutes on two cores; needs numpy only.
"""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.topics.stock import stock
from models.topics.table import COMMON, MEANING, PHRASES, SHORTEST, Floats, phrases
from models.topics.training.minilm import Encoder

WORDS = 12_000  # the rarest of them are as rare as "whereabouts"
WIDTH = 128
_STEPS, _RATE, _SHRINKAGE = 500, 0.05, 3e-6  # Adam's

_CONTRACTED = (("won't", "will not"), ("can't", "can not"), ("n't", " not"), ("'m", " am"), ("'re", " are"),
               ("'ve", " have"), ("'ll", " will"), ("'d", " would"))  # fmt: skip
_IS = re.compile(r"\b(it|that|what|here|there|who|where|name|how)'s\b")


@dataclass(frozen=True, slots=True)
class Sentence:
    topic: str
    words: tuple[str, ...]


def sentences() -> list[Sentence]:
    """Those of sentences.txt."""
    return [Sentence(topic, plain(text)) for topic, texts in stock().items() for text in texts]


def plain(text: str) -> tuple[str, ...]:
    """The words of `text` as they come to the table: app/brains/words.py has the product's, which does the same."""
    text = _IS.sub(r"\1 is", text.casefold())
    for short, long in _CONTRACTED:
        text = text.replace(short, long)
    return tuple(re.findall(r"[a-z0-9]+", text.replace("'s", "").replace("'", "")))


def commonest(arpa: Iterable[str]) -> list[str]:
    """The WORDS commonest words of an ARPA file that are letters only."""
    found: list[tuple[float, str]] = []
    is_there = False
    for line in arpa:
        if line.startswith("\\2-grams"):
            break
        if is_there and re.fullmatch(r"[a-z]+", (line.split() or ["", ""])[1:2][0] if line.split()[1:] else ""):
            chance, word, *_ = line.split()
            found.append((-float(chance), word))
        is_there = is_there or line.startswith("\\1-grams")
    return [word for _, word in sorted(found)[:WORDS]]


def pressed(vectors: Floats) -> Floats:
    """[word, WIDTH]: the directions in which the words differ most (principal components)."""
    centred = vectors - vectors.mean(0)
    _, _, directions = np.linalg.svd(centred.T @ centred)
    found: Floats = (centred @ directions[:WIDTH].T).astype(np.float32)
    return found


def made(known: Sequence[Sentence], words: Sequence[str], vectors: Floats) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of a table's file. `vectors` [word, WIDTH] as `pressed` gives them."""
    topics = sorted({sentence.topic for sentence in known})
    shares = Counter(word for sentence in known for word in set(sentence.words))
    weighted = vectors * np.array([COMMON / (COMMON + shares[word] / len(known)) for word in words])[:, None]
    units = np.maximum(np.abs(weighted).max(1) / 127, 1e-12).astype(np.float32)
    weighted = np.round(weighted / units[:, None]).astype(np.int8)
    counts = Counter(phrase for sentence in known for phrase in set(phrases(sentence.words)))
    listed = sorted(counts)
    weights = np.array([math.log(len(known) / counts[each]) / math.log(len(known)) for each in listed], np.float32)
    seen = _seen(known, listed, weights, words, weighted.astype(np.float32) * units[:, None])
    right = np.eye(len(topics), dtype=np.float32)[[topics.index(sentence.topic) for sentence in known]]
    learned = _learned(seen, right)
    told, meant, base = np.split(learned, (len(listed), len(listed) + vectors.shape[1]))
    unit = np.float32(np.abs(told).max() / 127)
    return {
        "topics": np.array("\n".join(topics)),
        "phrases": np.array("\n".join(listed)),
        "weights": weights.astype(np.float16),
        "told": np.round(told / unit).astype(np.int8),
        "told_unit": unit,
        "words": np.array("\n".join(words)),
        "vectors": weighted,
        "vector_units": units,
        "meant": meant,
        "base": base[0],
    }


def _seen(
    known: Sequence[Sentence], listed: Sequence[str], weights: Floats, words: Sequence[str], vectors: Floats
) -> Floats:
    """[sentence, what the classifier sees of it]."""
    phrase_places = {phrase: place for place, phrase in enumerate(listed)}
    word_places = {word: place for place, word in enumerate(words)}
    seen = np.zeros((len(known), len(listed) + vectors.shape[1] + 1), np.float32)
    for row, sentence in enumerate(known):
        found = [phrase_places[phrase] for phrase in set(phrases(sentence.words))]
        seen[row, found] = PHRASES * weights[found] / max(float(np.linalg.norm(weights[found])), SHORTEST)
        mean = vectors[[word_places[word] for word in sentence.words if word in word_places]].sum(0)
        seen[row, len(listed) : -1] = MEANING * mean / max(float(np.linalg.norm(mean)), 1e-6)
    seen[:, -1] = 1.0
    return seen


def _learned(seen: Floats, right: Floats) -> Floats:
    """[what is seen, topic]: the weights under which the right topics are likeliest, by Adam."""
    weights = np.zeros((seen.shape[1], right.shape[1]), np.float32)
    mean, spread = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        scores = seen @ weights
        powers = np.exp(scores - scores.max(1, keepdims=True))
        slope = seen.T @ (powers / powers.sum(1, keepdims=True) - right) / len(seen) + _SHRINKAGE * weights
        mean, spread = 0.9 * mean + 0.1 * slope, 0.99 * spread + 0.01 * np.square(slope)
        weights -= _RATE * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-8)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arpa", type=Path)
    parser.add_argument("minilm", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    with given.arpa.open(errors="replace") as lines:
        words = commonest(lines)
    vectors = pressed(Encoder(given.minilm).encode(words))
    known = sentences()
    np.savez_compressed(given.out, **made(known, words, vectors))


if __name__ == "__main__":
    main()
