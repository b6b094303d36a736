"""The recogniser's language model, made of what callers of one agent are likely to say.

A dictation model spreads its belief over 70 000 words. Callers of an office use a few hundred, most of which the
agent's owner has written down: the questions it can answer, the people it can call. A model of those, with the phrases
in which people ask for anything by telephone (office_phrases.txt) and what they call offices for (models/topics), is
right more often and costs a sixth of the work.
It hears nothing else, though: what callers say off topic comes out as something on topic. So the general model is
asked as well, and only where the two agree are the words believed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.stt import english
from models.stt.ngrams import Trigrams
from models.stt.pronunciation import Dictionary, Phonemes
from models.stt.words import cardinal, clock, digits, ordinal, spoken
from models.topics.stock import OTHER, PERSON, stock

OFFICE_PHRASES = Path(__file__).with_name("office_phrases.txt")

# How much of a call each kind of phrase makes up, compared with one line of office_phrases.txt. The agent's own
# questions are what it is there for; a name alone, or a word alone, is an answer to a question of the agent's.
QUESTION_WEIGHT = 4.0
NAME_WEIGHT = 2.0
VOCABULARY_WEIGHT = 1.0
OFFICE_WEIGHT = 1.0
# A word that answers a question is said alone, in every call, and has no neighbours that help to hear it.
ANSWER_WEIGHT = 20.0

# Nobody calls an office for these; and people's names are the agent's own.
_NO_TOPICS = frozenset({OTHER, PERSON})

_SLOT = re.compile(r"\{(\w+)\}")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_SOMEBODY = ("someone", "somebody")  # what {name} and {topic} stand for in an agent that has none
_FIGURES = ("zero", *digits("0123456789"))

# What a name or a topic is said in, besides alone.
_NAME_FRAMES = ("{name}", "{name} please", "to {name}", "for {name}")
_TOPIC_FRAMES = ("{topic}", "about {topic}", "the {topic}", "your {topic}", "{topic} please")


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """What the recogniser reads: a trigram model in ARPA format, and a dictionary of all words in it. `dictation`:
    other models for the same dictionary, by the names of what they expect (see dictation.py)."""

    arpa: str
    dictionary: str
    dictation: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> frozenset[str]:
        return frozenset(line.split(" ", 1)[0].partition("(")[0] for line in self.dictionary.splitlines())


def build(
    phrases: Sequence[str],
    names: Sequence[str] = (),
    vocabulary: Sequence[str] = (),
    answers: Sequence[str] = (),
    dictionary: Dictionary | None = None,
) -> LanguageModel:
    """The language model of one agent.

    `phrases`: whole sentences that callers may say, such as the questions of the agent's knowledge. `names`: people
    and departments that callers may ask for. `vocabulary`: other words and topics. `answers`: short ones to what the
    agent asks in every call. All in ordinary spelling, with
    numbers in figures if wanted; words that the dictionary lacks get a pronunciation guessed from their letters.
    """
    slots = _slots([spoken(name) for name in names], [spoken(topic) for topic in vocabulary])
    trigrams = Trigrams()
    seen: set[str] = set()
    answered = ((spoken(answer), ANSWER_WEIGHT) for answer in answers)
    for words, weight in itertools.chain(_sentences(phrases, bool(names), bool(vocabulary), slots), answered):
        if words:
            trigrams.add(words, weight)
            seen.update(words)
    known = dictionary or Dictionary(english.DICTIONARY)
    return LanguageModel(trigrams.arpa(), "".join(_dictionary_lines(sorted(seen), known)))


_Words = tuple[str, ...]
_Slots = Mapping[str, Sequence[_Words]]


def _sentences(phrases: Sequence[str], names: bool, topics: bool, slots: _Slots) -> Iterator[tuple[_Words, float]]:
    for phrase in phrases:
        yield spoken(phrase), QUESTION_WEIGHT
    for frame in _NAME_FRAMES if names else ():
        yield from _expanded(frame, NAME_WEIGHT * len(slots["name"]), slots)
    for frame in _TOPIC_FRAMES if topics else ():
        yield from _expanded(frame, VOCABULARY_WEIGHT * len(slots["topic"]), slots)
    for line in itertools.chain(
        office_phrases(), *(said for topic, said in stock().items() if topic not in _NO_TOPICS)
    ):
        yield from _expanded(line, OFFICE_WEIGHT, slots)


def office_phrases() -> list[str]:
    """The lines of office_phrases.txt, without comments."""
    lines = (line.partition("#")[0].strip() for line in OFFICE_PHRASES.read_text().splitlines())
    return [line for line in lines if line]


def _slots(names: Sequence[_Words], topics: Sequence[_Words]) -> _Slots:
    somebody = [(word,) for word in _SOMEBODY]
    first_names = [name[:1] for name in names]
    return {
        "name": list(dict.fromkeys([*names, *first_names])) or somebody,
        "topic": topics or somebody,
        "weekday": [(day,) for day in _WEEKDAYS],
        "month": [(month,) for month in _MONTHS],
        "day": [ordinal(day) for day in range(1, 32)],
        "time": [clock(hour, minute) for hour in range(1, 13) for minute in (0, 15, 30, 45)],
        "hour": [cardinal(hour) for hour in range(1, 13)],
        "number": [cardinal(number) for number in range(1, 100)],
        "figure": [(figure,) for figure in _FIGURES],
        "figures": list(_figure_strings(7)),
    }


def _figure_strings(length: int) -> Iterator[_Words]:
    """Strings of figures in which each figure comes after each other one equally often."""
    count = len(_FIGURES)
    for first, step in itertools.product(range(count), repeat=2):
        places = (first + at * step + at * (at - 1) // 2 for at in range(length))
        yield tuple(_FIGURES[place % count] for place in places)


def _expanded(template: str, weight: float, slots: _Slots) -> Iterator[tuple[_Words, float]]:
    """All sentences of a template; together they weigh `weight`.

    Raises: KeyError for a slot that does not exist.
    """
    pieces = [slots[piece] if odd else [spoken(piece)] for odd, piece in _pieces(template)]
    sentences = [tuple(itertools.chain.from_iterable(choice)) for choice in itertools.product(*pieces)]
    for sentence in sentences:
        yield sentence, weight / len(sentences)


def _pieces(template: str) -> Iterator[tuple[int, str]]:
    return ((place % 2, piece) for place, piece in enumerate(_SLOT.split(template)))


def _dictionary_lines(words: Iterable[str], known: Dictionary) -> Iterator[str]:
    for word in words:
        yield from dictionary_lines(word, known.ways_to_say(word) or (known.pronounce(word),))


def dictionary_lines(word: str, ways_to_say: Iterable[Phonemes]) -> Iterator[str]:
    """Those of one word, in CMU's format."""
    for number, phonemes in enumerate(way for way in ways_to_say if way):
        yield f"{word}{f'({number + 1})' if number else ''} {' '.join(phonemes)}\n"
