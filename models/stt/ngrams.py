"""A trigram model of weighted sentences, in the ARPA format that recognisers read.

Smoothing is Witten and Bell's, interpolated: what was seen after a history h keeps c(h) / (c(h) + t(h)) of the
probability, where t(h) is the number of different words seen after it, and the rest is shared out as the shorter
history would. It needs no held-out text and takes fractional counts, and a few hundred phrases are enough for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import log10

Gram = tuple[str, ...]

_START, _END = "<s>", "</s>"
_NEVER = -99.0  # ARPA's log10 of zero: nothing ever leads to <s>


class Trigrams:
    """Counts n-grams of sentences, each with a weight: how often it is said, compared with the others."""

    def __init__(self) -> None:
        self._counts: dict[Gram, float] = defaultdict(float)
        self._after: dict[Gram, float] = defaultdict(float)  # weight of all that was seen after a history
        self._kinds: dict[Gram, int] = defaultdict(int)  # number of different words seen after a history

    def add(self, words: Sequence[str], weight: float) -> None:
        sentence = (_START, *words, _END)
        for end in range(1, len(sentence)):
            for start in range(max(0, end - 2), end + 1):
                self._count(sentence[start : end + 1], weight)

    def _count(self, gram: Gram, weight: float) -> None:
        history = gram[:-1]
        if gram not in self._counts:
            self._kinds[history] += 1
        self._counts[gram] += weight
        self._after[history] += weight

    def probability(self, gram: Gram) -> float:
        """Of the last word of `gram` after the ones before it."""
        history = gram[:-1]
        if not gram:
            return 1 / max(1, self._kinds[()])
        if not self._after.get(history):
            return self.probability(gram[1:])
        shorter = self.probability(gram[1:])
        kinds = self._kinds[history]
        return (self._counts.get(gram, 0.0) + kinds * shorter) / (self._after[history] + kinds)

    def arpa(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        orders = [sorted(gram for gram in self._counts if len(gram) == order) for order in (1, 2, 3)]
        yield "\\data\\"
        yield f"ngram 1={len(orders[0]) + 1}"  # and <s>
        yield from (f"ngram {order}={len(orders[order - 1])}" for order in (2, 3))
        for order, grams in enumerate(orders, start=1):
            yield f"\n\\{order}-grams:"
            if order == 1:
                yield f"{_NEVER:.4f} {_START} {self._back_off((_START,)):.4f}"
            yield from self._rows(grams, last=order == 3)
        yield "\n\\end\\"

    def _rows(self, grams: Iterable[Gram], *, last: bool) -> Iterator[str]:
        for gram in grams:
            row = f"{log10(self.probability(gram)):.4f} {' '.join(gram)}"
            yield row if last else f"{row} {self._back_off(gram):.4f}"

    def _back_off(self, history: Gram) -> float:
        kinds = self._kinds.get(history, 0)
        return log10(kinds / (self._after[history] + kinds)) if kinds else 0.0
