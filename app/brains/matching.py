"""Which intent an utterance was, if any.

The problem: a telephone recogniser gets every third word wrong, callers do not use the owner's words, and whoever
calls about something else must not get an answer. The nearest listed question is right for about three in four, and it
is as sure of itself when it is wrong.

What we do: each intent is looked at from three sides, on both of the recogniser's texts: the *sound* of the whole
sentence against each listed question; how much of a question was *asked*; and how much of what was said the intent
*explains*. Words count by how few intents use them, and a word of the same meaning counts for most of it. A fixed
weighted sum is the intent's score. "None of them" has a score too, which rises as the two texts disagree, and as
dictation fits the sound better than the agent's own words do; the scores become probabilities that add up to one. Only
a probability clearly above the rest is believed. The weights are fitted by `python -m tests.bench.intent_fit` on the
tuning set and nothing else.

What we chose not to do: a trained classifier for each agent. Owners write five questions, not five hundred, and want
to be told why a call went wrong; six numbers can be shown.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from app.brains.intents import CARRIERS, Intent, Kind
from app.brains.meanings import meanings
from app.brains.words import FUNCTION_WORDS, stem, words
from app.ports import Heard

# A function word says little of what is wanted, but "where" and "how much" say something.
_FUNCTION_WEIGHT = 0.15
# Two words this alike in sound may be one word misheard ("barking" for "parking"); below, it is chance.
_SOUNDS_LIKE = 0.8
# What a word of the same meaning is worth against the word itself; 0.5 and 0.9 were no better on the tuning set.
_SAME_MEANING = 0.7
_STEMS_OF_FUNCTION_WORDS = frozenset(map(stem, FUNCTION_WORDS))


class Likeness(Protocol):
    """How alike two texts sound, for matching what was heard with what could have been meant."""

    def alike(self, heard: str, meant: str) -> float:
        """0 (nothing in common) to 1 (the same sounds)."""


@dataclass(frozen=True, slots=True)
class Sides:
    """One intent against one text, each 0 to 1."""

    sound: float
    asked: float
    explained: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """One intent against both texts of an utterance."""

    intent: Intent
    own: Sides
    general: Sides

    def features(self) -> tuple[float, ...]:
        """What `Weights` weighs, in its order. Sides that are missing here added nothing on the tuning set."""
        own, general = self.own, self.general
        person = self.intent.kind is Kind.PERSON
        return (
            own.sound,
            own.asked,
            general.asked,
            general.explained,
            max(own.explained, general.explained),
            float(person),
            person * own.asked,
            float(self.intent.kind is Kind.ACT),
        )


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each of `Evidence.features` counts, and the score of "none": its base, what disagreement of the two
    texts adds, and what `Heard.off_topic` does.
    """

    features: tuple[float, ...]
    none: float
    disagreement: float
    off_topic: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Believe an intent from `believe` on; ask whether it was meant from `ask` on. Probabilities.

    On the tuning set (held-out folds; 1644 requests, 558 strangers), going from 0.4 to 0.35 understands 23 more
    requests, answers 12 more strangers, and mistakes 11 more requests for others; from 0.35 to 0.3 it is 21, 13 and 11.
    So below 0.35 there are more wrong answers to win than right ones. A threshold or weights of each band's own gave
    nothing.
    """

    believe: float
    ask: float


WEIGHTS = Weights((2.9, 2.6, 2.8, 3.3, 5.3, -1.4, 1.4, -2.9), none=5.7, disagreement=1.6, off_topic=2.7)
THRESHOLDS = Thresholds(believe=0.35, ask=0.2)


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
    off_topic: float = 0.0
    best: Evidence | None = None

    @property
    def intent(self) -> Intent | None:
        """The intent that is believed."""
        return self.guesses[0] if self.verdict is Verdict.BELIEVE else None

    def numbers(self) -> dict[str, float]:
        """Why, in figures only, without a word of what was said: for the log."""
        found = {"agreement": self.agreement, "off_topic": self.off_topic}
        found |= {f"probability_{rank}": value for rank, value in enumerate(self.probabilities, 1)}
        for name, sides in (("own", self.best.own), ("general", self.best.general)) if self.best else ():
            found |= {f"{name}_sound": sides.sound, f"{name}_asked": sides.asked, f"{name}_explained": sides.explained}
        return {name: round(value, 3) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class _Term:
    """One word, as its stem, with the groups of meaning that it touches. `sure`: how surely it was heard."""

    stem: str
    meanings: frozenset[str]
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class _Profile:
    """An intent ready for comparison. `sayings`: whole sentences it may be asked in, for the sound."""

    intent: Intent
    sayings: tuple[str, ...]
    questions: tuple[tuple[_Term, ...], ...]
    stems: frozenset[str]
    meanings: frozenset[str]


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
        self._rarity = _rarity(profile.stems for profile in self._profiles)
        self._rarest = math.log(len(intents) + 1)  # also of words that the agent has never seen
        self._telling = {
            name: rarity / self._rarest
            for name, rarity in _rarity(profile.meanings for profile in self._profiles).items()
        }
        self._vocabulary = tuple(sorted(self._rarity.keys() - _STEMS_OF_FUNCTION_WORDS))
        self._nearest = functools.lru_cache(maxsize=2048)(self._nearest_known)

    def decide(self, heard: Heard, among: Sequence[Intent] | None = None) -> Decision:
        """The verdict on one utterance. `among` restricts it to what was offered before."""
        agreement = self._likeness.alike(heard.own, heard.general)
        found = [evidence for evidence in self.evidence(heard) if among is None or evidence.intent in among]
        if not found or not (heard.own or heard.general):
            return Decision(Verdict.NOTHING, (), (), agreement, heard.off_topic)
        probabilities = _softmax([self._none(agreement, heard.off_topic), *map(self._score, found)])[1:]
        ranked = sorted(zip(probabilities, found, strict=True), key=lambda pair: -pair[0])[:2]
        return Decision(
            self._verdict(ranked[0][0]),
            tuple(evidence.intent for _, evidence in ranked),
            tuple(probability for probability, _ in ranked),
            agreement,
            heard.off_topic,
            ranked[0][1],
        )

    def nearest(self, text: str) -> list[Intent]:
        """What words that nobody misheard lead to, best first: all that is likelier than none of them."""
        none, sides = self._none(1.0, 0.0), self._compare(text)
        found = [Evidence(profile.intent, each, each) for profile, each in zip(self._profiles, sides, strict=True)]
        scored = [(self._score(each), each.intent) for each in found]
        return [intent for score, intent in sorted(scored, key=lambda pair: -pair[0]) if score > none]

    def evidence(self, heard: Heard) -> list[Evidence]:
        """What speaks for each intent."""
        pairs = zip(self._profiles, self._compare(heard.own), self._compare(heard.general), strict=True)
        return [Evidence(profile.intent, own, general) for profile, own, general in pairs]

    def _none(self, agreement: float, off_topic: float) -> float:
        """The score of "none of them"."""
        weights = self._weights
        return weights.none + weights.disagreement * (1 - agreement) + weights.off_topic * off_topic

    def _score(self, evidence: Evidence) -> float:
        return sum(weight * side for weight, side in zip(self._weights.features, evidence.features(), strict=True))

    def _verdict(self, probability: float) -> Verdict:
        if probability >= self._thresholds.believe:
            return Verdict.BELIEVE
        return Verdict.ASK if probability >= self._thresholds.ask else Verdict.NOTHING

    def _compare(self, text: str) -> list[Sides]:
        said = self._said(text)
        surely = {term.stem: term.sure for term in said}
        meant = frozenset(name for term in said for name in term.meanings)
        return [
            Sides(
                max(self._likeness.alike(text, saying) for saying in profile.sayings),
                max((self._asked(question, surely, meant) for question in profile.questions), default=0.0),
                self._explained(said, profile),
            )
            for profile in self._profiles
        ]

    def _said(self, text: str) -> list[_Term]:
        """The words of `text`, each once, replaced by the agent's word that sounds like it, if one does."""
        heard = tuple(map(stem, words(text)))
        nearest = map(self._nearest, heard)
        terms = [_Term(known, touched, sure) for (known, sure), touched in zip(nearest, meanings(heard), strict=True)]
        return list({term.stem: term for term in sorted(terms, key=lambda term: term.sure)}.values())

    def _nearest_known(self, term: str) -> tuple[str, float]:
        if term in self._rarity or term in _STEMS_OF_FUNCTION_WORDS or len(term) < 4:
            return term, 1.0
        alike, known = max((self._likeness.alike(term, known), known) for known in self._vocabulary)
        return (known, alike) if alike >= _SOUNDS_LIKE else (term, 1.0)

    def _asked(self, question: Sequence[_Term], surely: Mapping[str, float], meant: frozenset[str]) -> float:
        """How much of `question` was said: the weight of its words that were heard, or whose meaning was."""
        whole = heard = 0.0
        for term in question:
            weight = self._weight(term.stem)
            by_meaning = _SAME_MEANING if term.meanings & meant and not _is_function(term) else 0.0
            whole += weight
            heard += weight * max(surely.get(term.stem, 0.0), by_meaning)
        return heard / whole

    def _explained(self, said: Sequence[_Term], profile: _Profile) -> float:
        """How much of what was said belongs to the intent. The 1 keeps a lone "yes" from explaining everything."""
        whole, explained = 1.0, 0.0
        for term in said:
            weight = self._weight(term.stem)
            by_word = term.sure if term.stem in profile.stems else 0.0
            by_meaning = max((self._telling[name] for name in term.meanings & profile.meanings), default=0.0)
            whole += weight
            explained += weight * max(by_word, _SAME_MEANING * by_meaning)
        return explained / whole

    def _weight(self, term: str) -> float:
        rarity = self._rarity.get(term, self._rarest)
        return rarity * (_FUNCTION_WEIGHT if term in _STEMS_OF_FUNCTION_WORDS else 1.0)


def _is_function(term: _Term) -> bool:
    return term.stem in _STEMS_OF_FUNCTION_WORDS


def _profile(intent: Intent) -> _Profile:
    sayings = intent.phrases
    if intent.kind is Kind.PERSON:
        sayings = tuple(carrier.format(name) for name in intent.phrases for carrier in CARRIERS)
    asked = tuple(tuple(map(stem, words(phrase))) for phrase in intent.phrases)
    questions = tuple(
        tuple(_Term(term, touched) for term, touched in zip(question, meanings(question), strict=True))
        for question in asked
        if question
    )
    terms = [term for question in questions for term in question]
    return _Profile(
        intent,
        sayings,
        questions,
        frozenset(term.stem for term in terms),
        frozenset(name for term in terms for name in term.meanings),
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
