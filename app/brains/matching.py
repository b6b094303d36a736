"""Which intent an utterance was, if any.

The problem: a telephone recogniser gets every third word wrong, callers do not use the owner's words, and whoever
calls about something else must not get an answer. The nearest listed question is right for about three in four, and it
is as sure of itself when it is wrong.

What we do: each intent is looked at from four sides, on both of the recogniser's texts: the *sound* of the whole
sentence against each listed question; how much of a question was said (*asked*); how much of what was said the intent
explains (*explained*), each word weighted by how few intents use it; and the same by *meaning* (groups of words for
one thing). A fixed weighted sum is the intent's score, "none of them" has a score of its own that rises as the two
texts disagree, and the scores become probabilities that add up to one. Only a probability clearly above the rest is
believed. The weights are fitted by `python -m tests.bench.intent_fit` on the tuning set and nothing else.

What we chose not to do: a trained classifier for each agent. Owners write five questions, not five hundred, and want
to be told why a call went wrong; eight numbers can be shown.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from app.brains.intents import CARRIERS, Intent, Kind
from app.brains.meanings import meanings
from app.brains.words import FUNCTION_WORDS, stem, words
from app.ports import Heard, Likeness

# A function word says little of what is wanted, but "where" and "how much" say something.
_FUNCTION_WEIGHT = 0.25
# Two words this alike in sound may be one word misheard ("barking" for "parking"); below, it is chance.
_SOUNDS_LIKE = 0.8
_STEMS_OF_FUNCTION_WORDS = frozenset(map(stem, FUNCTION_WORDS))


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each side counts. Fitted, see the head of this file."""

    own: tuple[float, float, float, float]
    general: tuple[float, float, float, float]
    person: float
    act: float
    none: float
    none_disagreement: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Believe an intent from `believe` on; ask whether it was meant from `ask` on. Probabilities."""

    believe: float
    ask: float


WEIGHTS = Weights((4.0, 2.0, 2.0, 1.0), (3.0, 2.0, 2.0, 1.0), 0.0, 0.0, 6.0, 1.0)
THRESHOLDS = Thresholds(believe=0.5, ask=0.15)


class Verdict(Enum):
    BELIEVE = "believe"
    ASK = "ask"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and by which numbers. `guesses` are the likeliest intents, best first, at most two."""

    verdict: Verdict
    guesses: tuple[Intent, ...]
    probabilities: tuple[float, ...]
    agreement: float
    sides: tuple[float, ...] = ()

    @property
    def intent(self) -> Intent | None:
        """The intent that is believed."""
        return self.guesses[0] if self.verdict is Verdict.BELIEVE else None

    def numbers(self) -> dict[str, float]:
        """For the log: why, in figures only, without a word of what was said."""
        names = ("own_sound", "own_asked", "own_explained", "own_meaning")
        general = ("general_sound", "general_asked", "general_explained", "general_meaning")
        return {
            "agreement": round(self.agreement, 3),
            **{f"probability_{rank}": round(value, 3) for rank, value in enumerate(self.probabilities, 1)},
            **{name: round(value, 3) for name, value in zip((*names, *general), self.sides, strict=False)},
        }


@dataclass(frozen=True, slots=True)
class _Profile:
    """An intent ready for comparison."""

    intent: Intent
    phrases: tuple[str, ...]
    questions: tuple[frozenset[str], ...]
    terms: frozenset[str] = field(default=frozenset())
    meanings: frozenset[str] = field(default=frozenset())


class Matcher:
    """Compares what was heard with everything that one agent can be asked. Holds no state of a call."""

    def __init__(
        self,
        intents: Sequence[Intent],
        likeness: Likeness,
        weights: Weights = WEIGHTS,
        thresholds: Thresholds = THRESHOLDS,
    ) -> None:
        self._likeness, self._weights, self._thresholds = likeness, weights, thresholds
        self._profiles = tuple(map(_profile, intents))
        self._term_weights = _rarity(profile.terms for profile in self._profiles)
        self._meaning_weights = _rarity(profile.meanings for profile in self._profiles)
        self._unknown_weight = math.log(len(intents) + 1)
        self._vocabulary = tuple(sorted(term for term in self._term_weights if term not in _STEMS_OF_FUNCTION_WORDS))
        self._nearest = functools.lru_cache(maxsize=2048)(self._nearest_known)

    def decide(self, heard: Heard, among: Sequence[Intent] | None = None) -> Decision:
        """The verdict on one utterance. `among` restricts it to what was offered before."""
        agreement = self.agreement(heard)
        if not (heard.own or heard.general):
            return Decision(Verdict.NOTHING, (), (), agreement)
        rows = [row for row in self.sides(heard) if among is None or row[0] in among]
        scores = [self._score(intent, sides) for intent, sides in rows]
        none = self._weights.none + self._weights.none_disagreement * (1 - agreement)
        probabilities = _softmax([none, *scores])[1:]
        ranked = sorted(zip(probabilities, rows, strict=True), key=lambda pair: -pair[0])[:2]
        guesses = tuple(row[0] for _, row in ranked)
        return Decision(self._verdict(ranked[0][0]), guesses, tuple(p for p, _ in ranked), agreement, ranked[0][1][1])

    def agreement(self, heard: Heard) -> float:
        """How alike the recogniser's two texts are: 1 where both understood the same."""
        return self._likeness.alike(heard.own, heard.general)

    def sides(self, heard: Heard) -> list[tuple[Intent, tuple[float, ...]]]:
        """Each intent with its eight comparisons, each 0 to 1: four for the agent's own text, four for the general."""
        own, general = self._compare(heard.own), self._compare(heard.general)
        return [
            (profile.intent, (*mine, *theirs))
            for profile, mine, theirs in zip(self._profiles, own, general, strict=True)
        ]

    def _compare(self, text: str) -> list[tuple[float, float, float, float]]:
        said = self._said(text)
        touched = meanings(tuple(map(stem, words(text))))
        total = sum(self._weight(term) * sure for term, sure in said.items())
        total_meaning = sum(self._meaning_weights.get(name, 0.5) for name in touched)
        return [
            (
                max(self._likeness.alike(text, phrase) for phrase in profile.phrases),
                max(self._asked(question, said) for question in profile.questions),
                sum(self._weight(term) * sure for term, sure in said.items() if term in profile.terms) / (total + 1),
                sum(self._meaning_weights[name] for name in touched & profile.meanings) / (total_meaning + 1),
            )
            for profile in self._profiles
        ]

    def _said(self, text: str) -> dict[str, float]:
        """The terms in `text` and how sure each is: 1 as heard, less where only the sound speaks for it."""
        said: dict[str, float] = {}
        for term in map(stem, words(text)):
            known, sure = (term, 1.0) if term in _STEMS_OF_FUNCTION_WORDS else self._nearest(term)
            said[known] = max(sure, said.get(known, 0.0))
        return said

    def _nearest_known(self, term: str) -> tuple[str, float]:
        if term in self._term_weights or len(term) < 4:
            return term, 1.0
        alike, known = max((self._likeness.alike(term, known), known) for known in self._vocabulary)
        return (known, alike) if alike >= _SOUNDS_LIKE else (term, 1.0)

    def _asked(self, question: frozenset[str], said: Mapping[str, float]) -> float:
        whole = sum(map(self._weight, question))
        return sum(self._weight(term) * said.get(term, 0.0) for term in question) / whole

    def _weight(self, term: str) -> float:
        weight = self._term_weights.get(term, self._unknown_weight)
        return weight * (_FUNCTION_WEIGHT if term in _STEMS_OF_FUNCTION_WORDS else 1.0)

    def _score(self, intent: Intent, sides: Sequence[float]) -> float:
        counts = (*self._weights.own, *self._weights.general)
        bias = {Kind.PERSON: self._weights.person, Kind.ACT: self._weights.act}.get(intent.kind, 0.0)
        return bias + sum(count * side for count, side in zip(counts, sides, strict=True))

    def _verdict(self, probability: float) -> Verdict:
        if probability >= self._thresholds.believe:
            return Verdict.BELIEVE
        return Verdict.ASK if probability >= self._thresholds.ask else Verdict.NOTHING


def _profile(intent: Intent) -> _Profile:
    phrases = intent.phrases
    if intent.kind is Kind.PERSON:
        phrases = tuple(carrier.format(name) for name in intent.phrases for carrier in CARRIERS)
    asked = tuple(tuple(map(stem, words(phrase))) for phrase in intent.phrases)
    return _Profile(
        intent,
        phrases,
        tuple(map(frozenset, asked)),
        frozenset(term for question in asked for term in question),
        frozenset(name for question in asked for name in meanings(question)),
    )


def _rarity(groups: Iterable[frozenset[str]]) -> dict[str, float]:
    """The weight of each term: the fewer intents have it, the more it tells (inverse document frequency)."""
    listed = list(groups)
    found = Counter(term for group in listed for term in group)
    return {term: math.log((len(listed) + 1) / count) for term, count in found.items()}


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    whole = sum(powers)
    return [power / whole for power in powers]
