"""Which intent an utterance was, if any.

The problem: a telephone recogniser gets every third word wrong, callers do not use the owner's words, and whoever
calls about something else must not get an answer. The nearest listed question is right for about three in four, and it
is as sure of itself when it is wrong.

What we do: each intent is looked at from five sides, on both of the recogniser's texts: the *sound* of the whole
sentence against each listed question; how much of a question was *asked*; how much of what was said the intent
*explains*; whether both are *about* the same of thirty topics that offices are called for; and how much the sentence
*echoes* in its sound what callers say about that topic (models/topics has them). Words count by how few intents use
them, and a word of the same meaning counts for most of it. A fixed weighted sum is the intent's score. "None of them"
has a score too, which rises as dictation fits the sound better than the agent's own words do, and as the sentence is
about nothing of offices; the scores become probabilities that add up to one. Only a probability clearly above the rest
is believed, and a higher one where the two texts disagree. The weights are fitted by `python -m tests.bench.intent_fit`
on the tuning set and nothing else.

An agent may know five hundred things and two hundred people. All are compared by sound in one go, and looked at by
their rarest words; the likeliest thirty-two of them are then compared in full.

What we chose not to do: a trained classifier for each agent. Owners write five questions, not five hundred, and want
to be told why a call went wrong; ten numbers can be shown. What is learned are the topics, which are no agent's.
"""

from __future__ import annotations

import functools
import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from app.brains.evidence import OTHER, WEIGHTS, Evidence, Sides, Strangeness, Weights
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
    """How alike texts are, for matching what was heard with what could have been meant."""

    def alike(self, heard: str, meant: str) -> float:
        """0 (nothing in common) to 1 (the same sounds)."""

    def closest(self, groups: Sequence[Sequence[str]], least: float = 0.0) -> Callable[[str], Sequence[float]]:
        """What tells of a text how much it sounds like the likest of each of `groups`, none of which is empty; what is
        less than `least` is 0."""

    def topics(self, words: Sequence[str]) -> Mapping[str, float]:
        """What a sentence is about: shares of topics of offices, and of OTHER; all together at most 1."""

    def echoes(self, text: str) -> Mapping[str, float]:
        """How much a text sounds like the likest of what callers of offices say about each topic, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Believe an intent from `believe` on, and from `doubted` more where the two texts have nothing in common, in
    between in proportion; ask whether it was meant from `ask` on. Probabilities.

    Over a bad line the recognisers disagree before the probabilities fall, so one threshold for all lines is too high
    for good ones and too low for bad ones. models/stt/README.md has the measurements.
    """

    believe: float
    ask: float
    doubted: float = 0.0


THRESHOLDS = Thresholds(believe=0.2, ask=0.1, doubted=0.6)
# So many intents are compared in full; what is not among them at a glance could not win.
_LOOKED_AT = 32
_GLANCE = 4.0
# So many of the ways to ask for an intent tell what it is about: those of a person differ in the name only.
_TOPICS_OF = 24
# How much two texts differ on an ordinary line: that is assumed where there is only one.
_ORDINARY_DOUBT = 0.2


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
            found |= {f"{name}_{side}": value for side, value in sides.numbers().items()}
        return {name: round(value, 3) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class _Term:
    """One word, as its stem, with the groups of meaning that it touches. `sure`: how surely it was heard."""

    stem: str
    meanings: frozenset[str]
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class _Question:
    """A listed question: the stem of each word, its weight and its meanings, and all weights together."""

    terms: tuple[tuple[str, float, frozenset[str]], ...]
    whole: float


@dataclass(frozen=True, slots=True)
class _Text:
    """What one recogniser understood, ready for comparison. `weights`: of the words `said`."""

    text: str
    said: Sequence[_Term]
    weights: Sequence[float]
    topics: Mapping[str, float]
    echoes: Mapping[str, float]
    surely: Mapping[str, float]
    meant: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Profile:
    """An intent ready for comparison. `sayings`: whole sentences it may be asked in, for the sound."""

    intent: Intent
    sayings: tuple[str, ...]
    questions: tuple[tuple[_Term, ...], ...]
    stems: frozenset[str]
    meanings: frozenset[str]
    topics: Mapping[str, float]


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
        self._profiles = tuple(_profile(intent, likeness) for intent in intents)
        self._places = {intent: place for place, intent in enumerate(intents)}
        self._rarity = _rarity(profile.stems for profile in self._profiles)
        self._rarest = math.log(len(intents) + 1)  # also of words that the agent has never seen
        self._telling = {
            name: rarity / self._rarest
            for name, rarity in _rarity(profile.meanings for profile in self._profiles).items()
        }
        self._questions = tuple(tuple(map(self._question, profile.questions)) for profile in self._profiles)
        self._having = _having(profile.stems - _STEMS_OF_FUNCTION_WORDS for profile in self._profiles)
        self._meaning = _having(profile.meanings for profile in self._profiles)
        self._about = _having(frozenset(profile.topics) for profile in self._profiles)
        self._sounds = likeness.closest([profile.sayings for profile in self._profiles])
        self._vocabulary = tuple(sorted(self._rarity.keys() - _STEMS_OF_FUNCTION_WORDS))
        self._word_sounds = likeness.closest([(term,) for term in self._vocabulary], _SOUNDS_LIKE)
        self._nearest = functools.lru_cache(maxsize=2048)(self._nearest_known)

    def decide(self, heard: Heard, among: Sequence[Intent] | None = None) -> Decision:
        """The verdict on one utterance. `among` restricts it to what was offered before."""
        strangeness, found = self.evidence(heard, among)
        agreement = 1 - strangeness.disagreement
        if not found or not (heard.own or heard.general):
            return Decision(Verdict.NOTHING, (), (), agreement, heard.off_topic)
        probabilities = _softmax([self._none(strangeness), *map(self._score, found)])[1:]
        ranked = sorted(zip(probabilities, found, strict=True), key=lambda pair: -pair[0])[:2]
        return Decision(
            self._verdict(ranked[0][0], strangeness.disagreement if heard.own and heard.general else _ORDINARY_DOUBT),
            tuple(evidence.intent for _, evidence in ranked),
            tuple(probability for probability, _ in ranked),
            agreement,
            heard.off_topic,
            ranked[0][1],
        )

    def nearest(self, text: str) -> list[Intent]:
        """What words that nobody misheard lead to, best first: all that is likelier than none of them."""
        strangeness, found = self.evidence(Heard(text, text))
        scored = [(self._score(each), each.intent) for each in found]
        none = self._none(strangeness)
        return [intent for score, intent in sorted(scored, key=lambda pair: -pair[0]) if score > none]

    def evidence(self, heard: Heard, among: Sequence[Intent] | None = None) -> tuple[Strangeness, list[Evidence]]:
        """What speaks for none of the intents, and for each that is worth looking at, in their order. `among`: only
        those."""
        texts = [self._text(text) for text in dict.fromkeys((heard.own, heard.general))]
        sounds = [self._sounds(text.text) for text in texts]
        if among is None:
            places = self._worth_looking_at(texts, sounds)
        else:
            places = sorted(self._places[intent] for intent in among if intent in self._places)
        found = []
        for place in places:
            profile, questions = self._profiles[place], self._questions[place]
            sides = [
                self._sides(profile, questions, text, sound[place]) for text, sound in zip(texts, sounds, strict=True)
            ]
            found.append(Evidence(profile.intent, sides[0], sides[-1]))
        return self._strangeness(heard, texts), found

    def _strangeness(self, heard: Heard, texts: Sequence[_Text]) -> Strangeness:
        return Strangeness(
            1 - self._likeness.alike(heard.own, heard.general),
            heard.off_topic,
            max(text.topics.get(OTHER, 0.0) for text in texts),
            texts[0].echoes.get(OTHER, 0.0),
            texts[-1].echoes.get(OTHER, 0.0),
        )

    def _text(self, text: str) -> _Text:
        said = self._said(text)
        surely = {term.stem: term.sure for term in said}
        topics, echoes = (self._likeness.topics(words(text)), self._likeness.echoes(text)) if said else ({}, {})
        meant = frozenset(name for term in said for name in term.meanings)
        return _Text(text, said, [self._weight(term.stem) for term in said], topics, echoes, surely, meant)

    def _worth_looking_at(self, texts: Sequence[_Text], sounds: Sequence[Sequence[float]]) -> list[int]:
        """The places of the likeliest at a glance. The others could not win; to compare five hundred takes too long."""
        if len(self._profiles) <= _LOOKED_AT:
            return list(range(len(self._profiles)))
        glance = [max(each) * _GLANCE for each in zip(*sounds, strict=True)]
        for text in texts:
            whole = sum(text.weights) + 1.0
            for term, weight in zip(text.said, text.weights, strict=True):
                for place in self._having.get(term.stem, ()):
                    glance[place] += _GLANCE * weight / whole
                for name in term.meanings:
                    for place in self._meaning.get(name, ()):
                        glance[place] += _GLANCE * _SAME_MEANING * self._telling[name] * weight / whole
            for name, share in text.topics.items():
                for place in self._about.get(name, ()):
                    glance[place] += share
        return sorted(heapq.nlargest(_LOOKED_AT, range(len(glance)), key=glance.__getitem__))

    def _sides(self, profile: _Profile, questions: Sequence[_Question], text: _Text, sound: float) -> Sides:
        asked = max((self._asked(question, text) for question in questions), default=0.0)
        explained = self._explained(text, profile)
        echoed = sum(share * text.echoes.get(name, 0.0) for name, share in profile.topics.items() if name != OTHER)
        about = _shared(text.topics, profile.topics)
        # Two sentences about nothing of offices are about the same as far as their words are.
        strange, alike = profile.topics.get(OTHER, 0.0), max(asked, explained)
        about += alike * math.sqrt(strange * text.topics.get(OTHER, 0.0))
        return Sides(sound, asked, explained, about, echoed + alike * strange * text.echoes.get(OTHER, 0.0))

    def _none(self, strangeness: Strangeness) -> float:
        return _weighed(self._weights.none, strangeness.features())

    def _score(self, evidence: Evidence) -> float:
        return _weighed(self._weights.intent, evidence.features())

    def _verdict(self, probability: float, doubt: float) -> Verdict:
        if probability >= self._thresholds.believe + self._thresholds.doubted * doubt:
            return Verdict.BELIEVE
        return Verdict.ASK if probability >= self._thresholds.ask else Verdict.NOTHING

    def _said(self, text: str) -> list[_Term]:
        """The words of `text`, each once, replaced by the agent's word that sounds like it, if one does."""
        heard = tuple(map(stem, words(text)))
        nearest = map(self._nearest, heard)
        terms = [_Term(known, touched, sure) for (known, sure), touched in zip(nearest, meanings(heard), strict=True)]
        return list({term.stem: term for term in sorted(terms, key=lambda term: term.sure)}.values())

    def _nearest_known(self, term: str) -> tuple[str, float]:
        if term in self._rarity or term in _STEMS_OF_FUNCTION_WORDS or len(term) < 4:
            return term, 1.0
        alike = self._word_sounds(term)
        likest = max(range(len(alike)), key=alike.__getitem__)
        return (self._vocabulary[likest], alike[likest]) if alike[likest] >= _SOUNDS_LIKE else (term, 1.0)

    def _asked(self, question: _Question, text: _Text) -> float:
        """How much of `question` was said: the weight of its words that were heard, or whose meaning was."""
        heard = 0.0
        for term, weight, its_meanings in question.terms:
            sure = text.surely.get(term, 0.0)
            if sure < _SAME_MEANING and not its_meanings.isdisjoint(text.meant):
                sure = _SAME_MEANING
            heard += weight * sure
        return heard / question.whole

    def _explained(self, text: _Text, profile: _Profile) -> float:
        """How much of what was said belongs to the intent. The 1 keeps a lone "yes" from explaining everything."""
        explained = 0.0
        for term, weight in zip(text.said, text.weights, strict=True):
            sure = term.sure if term.stem in profile.stems else 0.0
            if sure < _SAME_MEANING and not term.meanings.isdisjoint(profile.meanings):
                by_meaning = max(self._telling[name] for name in term.meanings & profile.meanings)
                sure = max(sure, _SAME_MEANING * by_meaning)
            explained += weight * sure
        return explained / (1.0 + sum(text.weights))

    def _question(self, terms: Sequence[_Term]) -> _Question:
        weighed = tuple(
            (term.stem, self._weight(term.stem), frozenset() if _is_function(term) else term.meanings) for term in terms
        )
        return _Question(weighed, sum(weight for _, weight, _ in weighed))

    def _weight(self, term: str) -> float:
        rarity = self._rarity.get(term, self._rarest)
        return rarity * (_FUNCTION_WEIGHT if term in _STEMS_OF_FUNCTION_WORDS else 1.0)


def _is_function(term: _Term) -> bool:
    return term.stem in _STEMS_OF_FUNCTION_WORDS


def _weighed(weights: Sequence[float], features: Sequence[float]) -> float:
    return sum(weight * feature for weight, feature in zip(weights, features, strict=True))


def _shared(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How much of two sentences is about the same topics, 0 to 1 (Bhattacharyya's coefficient)."""
    return sum(math.sqrt(share * other[name]) for name, share in one.items() if name in other and name != OTHER)


def _profile(intent: Intent, likeness: Likeness) -> _Profile:
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
        _mean([likeness.topics(words(saying)) for saying in sayings[:_TOPICS_OF]]),
    )


def _mean(shares: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    whole: dict[str, float] = {}
    for name, share in (pair for each in shares for pair in each.items()):
        whole[name] = whole.get(name, 0.0) + share / len(shares)
    return whole


def _having(groups: Iterable[frozenset[str]]) -> Mapping[str, Sequence[int]]:
    """For each term the places of the groups that have it."""
    found: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        for term in group:
            found.setdefault(term, []).append(place)
    return found


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
