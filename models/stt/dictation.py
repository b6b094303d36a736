"""What callers say when they dictate: digits, letters, and words that stand for letters.

The agent's own language model expects sentences. Whoever spells says forty words of which none helps to hear the next,
and half of the letters of English rhyme with each other: over G.711 a model with everything in it got one spelled name
in thirty, three tight ones a quarter of the names that are spelled in letters, all but one in forty of those spelled in
words ("B as in Bravo"), and two thirds of numbers with ten digits, before anything is read back. What is expected is
known, so each utterance is heard with one of them. All of them know yes, no and how people correct something.

A letter and its word are one choice: "as in bravo" is one word of the model, which follows "b" and nothing else.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from models.stt import english
from models.stt.language_model import LanguageModel, dictionary_lines
from models.stt.ngrams import Trigrams
from models.stt.pronunciation import Dictionary, Phonemes

DIGITS: Final = "digits"
LETTERS: Final = "letters"
SPELLING_WORDS: Final = "spelling words"
FREE: Final = "free"
"""No model of these: a message, which the agent's own decoder cannot hear. The general one is waited for."""

Alphabet = Mapping[str, Sequence[str]]
"""For each letter the words that stand for it; the first of them is said alone, too."""

_Sentence = tuple[Sequence[str], float]

_FIGURES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh")
# One vowel, which is lost between others unless it is expected.
_SHORT_FIGURE = "oh"
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "last",
)  # fmt: skip
_CONNECTED = {"as in": 1.0, "for": 0.4, "like": 0.3}
_ANSWERS = (
    "yes", "yes that is right", "that is right", "correct", "yes please", "no", "no that is wrong", "that is wrong",
    "that is not right", "no it is wrong",
)  # fmt: skip
_IN_PASSING = (
    "sorry", "pardon", "can you repeat that", "could you say that again please", "say that again", "good bye",
    "i do not know", "one moment please", "hello", "i would rather not say",
)  # fmt: skip
_OPENINGS = ("it is", "that is", "my name is", "my number is")
_SIGNS = ("at", "dot", "dash", "hyphen", "underscore", "capital")
# Of e-mail addresses, as they are said.
_DOMAINS, _ENDINGS = ("g-mail", "hot-mail", "yahoo", "outlook", "i-cloud"), ("com", "org", "net")
# Every how manieth word of the dictionary, half of which are names, teaches which letters follow each other.
_SAMPLE: Final = 16
_SPELLED = re.compile(r"[a-z]{3,12}")


# The first so many readings of a spelled word are looked up.
_LOOKED_UP: Final = 60


class Dictation:
    """The models by their names, and one dictionary for all of them."""

    def __init__(self, models: Mapping[str, str], dictionary: str) -> None:
        self.models, self.dictionary = models, dictionary


@functools.cache
def build(alphabet: tuple[tuple[str, tuple[str, ...]], ...]) -> Dictation:
    """The same for all agents, so it is made once in a process: half a second on x86."""
    known, stand_for = Dictionary(english.DICTIONARY), dict(alphabet)
    sentences = {
        DIGITS: _digits(),
        LETTERS: _letters(stand_for),
        SPELLING_WORDS: _words(stand_for),
    }
    made = {name: _trigrams(each) for name, each in sentences.items()}
    seen = sorted(set(itertools.chain.from_iterable(words for _, words in made.values())))
    lines = (line for word in seen for line in dictionary_lines(word, _ways_to_say(word, known)))
    return Dictation({name: model.arpa() for name, (model, _) in made.items()}, "".join(lines))


def added_to(model: LanguageModel, dictation: Dictation) -> LanguageModel:
    """`model` with the words of `dictation` in its dictionary: a decoder has one for all it hears."""
    has = model.words
    lines = dictation.dictionary.splitlines(keepends=True)
    new = [line for line in lines if line.split(" ", 1)[0].partition("(")[0] not in has]
    return LanguageModel(model.arpa, model.dictionary + "".join(new), dictation.models)


def _trigrams(sentences: Iterable[_Sentence]) -> tuple[Trigrams, set[str]]:
    trigrams, seen = Trigrams(), set[str]()
    for words, weight in sentences:
        trigrams.add(words, weight)
        seen.update(words)
    return trigrams, seen


def _ways_to_say(word: str, known: Dictionary) -> tuple[Phonemes, ...]:
    if "-" not in word or word in known:
        return known.ways_to_say(word) or (known.pronounce(word),)
    return (tuple(phoneme for part in word.split("-") for phoneme in known.pronounce(part)),)


def known_first(texts: Sequence[str]) -> tuple[str, ...]:
    """Readings of letters, those before the others that spell a word or name of the dictionary."""
    known = [text for text in texts[:_LOOKED_UP] if _is_spelled(text) and text.replace(" ", "") in _known()]
    return tuple(dict.fromkeys((*known, *texts)))


def _is_spelled(text: str) -> bool:
    letters = text.split()
    return len(letters) > 2 and all(len(letter) == 1 for letter in letters)


@functools.cache
def _known() -> Dictionary:
    return Dictionary(english.DICTIONARY)


# -- sentences; each generator's weights add up to about what it names ------------------------------------------


def _digits() -> Iterator[_Sentence]:
    for figures in itertools.product(_FIGURES, repeat=3):
        yield figures, 1.0 + 2.0 * figures.count(_SHORT_FIGURE)
    for figure, times in itertools.product(_FIGURES, ("double", "triple")):
        yield (times, figure), 2.0
    for ordinal, figure in itertools.product(_ORDINALS, _FIGURES):
        yield ("no", "the", ordinal, "digit", "is", figure), 0.4
        yield ("the", ordinal, "digit", "is", figure), 0.1
    for opening, first, second in itertools.product(("no", "no it is", *_OPENINGS), _FIGURES, _FIGURES):
        yield (*opening.split(), first, second, "five"), 0.1
    yield from _short(100.0)


def _letters(alphabet: Alphabet) -> Iterator[_Sentence]:
    names = _names()
    for name in names:
        yield _spelled(name), 1.0
    for letter, words in alphabet.items():
        yield (_letter(letter), "double", _letter(letter)), 2.0
        yield ("double", _letter(letter)), 4.0
        yield (words[0], words[0]), 4.0
        for token, weight in _standing_for(words):
            yield (_letter(letter), token), 4.0 * weight
    for sign, first in itertools.product((*_SIGNS, *_FIGURES[:-1]), alphabet):
        yield (_letter(first), sign, _letter(first)), 0.3
    for letter, domain, ending in itertools.product("aemnrst", _DOMAINS, _ENDINGS):
        yield (_letter(letter), "at", domain, "dot", ending), 0.2
    for opening, name in itertools.product(_OPENINGS, names[::80]):
        yield (*opening.split(), *_spelled(name)), 0.5
    yield from _short(100.0)


def _words(alphabet: Alphabet) -> Iterator[_Sentence]:
    tokens = {letter: list(_standing_for(words)) for letter, words in alphabet.items()}
    for first, second in itertools.product(alphabet, repeat=2):
        yield (alphabet[first][0], alphabet[second][0]), 1.0
        for place, (token, weight) in enumerate(tokens[first]):
            after = tokens[second][place % len(tokens[second])][0]
            yield (_letter(first), token, _letter(second), after), weight
    for ordinal, letter in itertools.product(_ORDINALS, alphabet):
        yield ("no", "the", ordinal, "letter", "is", _letter(letter)), 0.2
        for token, weight in tokens[letter]:
            yield ("no", "the", ordinal, "letter", "is", _letter(letter), token), weight
    for letter in alphabet:
        for token, weight in tokens[letter]:
            yield ("no", _letter(letter), token), 10 * weight
    yield from _short(200.0)


def _short(weight: float) -> Iterator[_Sentence]:
    for phrase in _ANSWERS:
        yield phrase.split(), weight / len(_ANSWERS)
    for phrase in _IN_PASSING:
        yield phrase.split(), 0.3 * weight / len(_IN_PASSING)


def _names() -> list[str]:
    with english.DICTIONARY.open() as lines:
        words = (line.split(" ", 1)[0] for line in itertools.islice(lines, 0, None, _SAMPLE))
        return [word for word in words if _SPELLED.fullmatch(word)]


def _spelled(name: str) -> tuple[str, ...]:
    return tuple(map(_letter, name))


def _letter(letter: str) -> str:
    """As the dictionary has letters that are said as such: "a" alone is the article."""
    return f"{letter}."


def _standing_for(words: Sequence[str]) -> Iterator[tuple[str, float]]:
    """What may follow a letter that `words` stand for, each as one word of the model, and how often it is said."""
    total = sum(_CONNECTED.values()) * len(words)
    for connector, weight in _CONNECTED.items():
        for word in words:
            yield f"{connector} {word}".replace(" ", "-"), weight / total
