"""The recogniser's models of what is read out."""

import pytest

from app.brains.alphabet import ALPHABET
from models.stt import dictation
from models.stt.language_model import build

pytestmark = pytest.mark.unit

MADE = dictation.build(ALPHABET)


def in_dictionary(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_each_has_what_it_is_for_and_yes_and_no() -> None:
    assert set(MADE.models) == {dictation.DIGITS, dictation.LETTERS, dictation.SPELLING_WORDS}
    for arpa in MADE.models.values():
        assert " yes " in arpa
        assert " no " in arpa
    assert " as-in-bravo " in MADE.models[dictation.SPELLING_WORDS]
    assert " b. " not in MADE.models[dictation.DIGITS]


def test_a_letter_is_followed_by_its_own_words_only() -> None:
    lines = MADE.models[dictation.SPELLING_WORDS].splitlines()
    after = {tuple(line.split()[1:3]) for line in lines if len(line.split()) == 4}
    assert ("b.", "as-in-bravo") in after
    assert ("b.", "as-in-mike") not in after


def test_words_said_with_their_letter_sound_like_both() -> None:
    sounds = in_dictionary(MADE.dictionary)
    assert sounds["as-in-bravo"] == "AE Z IH N B R AA V OW"
    assert sounds["a."] == "EY"
    assert sounds["g-mail"].endswith("M EY L")


def test_an_agents_dictionary_has_all_of_it_and_nothing_twice() -> None:
    own = build(["one visit on monday"])
    both = dictation.added_to(own, MADE)
    words = [line.split(" ", 1)[0] for line in both.dictionary.splitlines()]
    assert len(words) == len(set(words))
    assert own.words | {"zulu", "z."} <= both.words
    assert (both.arpa, both.dictation) == (own.arpa, MADE.models)


def test_a_spelled_word_of_the_dictionary_comes_before_what_was_heard_better() -> None:
    assert dictation.known_first(["p r o w n", "b r o w n", "yes"]) == ("b r o w n", "p r o w n", "yes")
    assert dictation.known_first(["x q", "yes"]) == ("x q", "yes")
    assert dictation.known_first([]) == ()


def test_it_is_made_once() -> None:
    assert dictation.build(ALPHABET) is MADE
