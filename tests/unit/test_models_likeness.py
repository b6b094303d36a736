from pathlib import Path

import pytest

from models.stt import english
from models.stt.letter_to_sound import letter_to_sound
from models.stt.likeness import Likeness
from models.stt.pronunciation import Dictionary

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Dictionary(english.DICTIONARY)


@pytest.fixture(scope="module")
def likeness(dictionary: Dictionary) -> Likeness:
    return Likeness(dictionary)


@pytest.mark.parametrize("word", ["a", "zero", "zyuganov's", "'bout", "o'clock"])
def test_every_part_of_the_dictionary_is_found(dictionary: Dictionary, word: str) -> None:
    assert word in dictionary


@pytest.mark.parametrize("word", ["", "aaaaaaa", "zzzzz", "deskbell", "'"])
def test_what_the_dictionary_lacks_is_not_found(dictionary: Dictionary, word: str) -> None:
    assert word not in dictionary


def test_all_ways_to_say_a_word(dictionary: Dictionary) -> None:
    assert dictionary.ways_to_say("read") == (("R", "EH", "D"), ("R", "IY", "D"))


def test_search_agrees_with_reading_the_whole_file(dictionary: Dictionary) -> None:
    rows = [line.split() for line in Path(english.DICTIONARY).read_text().splitlines()[::997]]
    assert len(rows) > 100
    for headword, *phonemes in rows:
        assert tuple(phonemes) in dictionary.ways_to_say(headword.partition("(")[0])


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("smith", "S M IH TH"),
        ("knight", "N AY T"),
        ("price", "P R AY S"),
        ("tanner", "T AE N ER"),
        ("novak", "N OW V AE K"),
        ("", ""),
    ],
)
def test_letters_to_sounds(word: str, phonemes: str) -> None:
    assert letter_to_sound(word) == tuple(phonemes.split())


@pytest.mark.parametrize("letter", "abcdefghijklmnopqrstuvwxyz")
def test_no_letter_is_without_a_rule(letter: str) -> None:
    for word in (letter, f"x{letter}", f"{letter}b", f"a{letter}e"):
        letter_to_sound(word)


def test_guessed_sounds_are_near_the_known_ones() -> None:
    rows = [line.split() for line in Path(english.DICTIONARY).read_text().splitlines()[::211]]
    known = {" ".join(phonemes): letter_to_sound(word) for word, *phonemes in rows if word.isalpha()}
    letters_right = sum(
        len(set(right.split()) & set(guess)) / len(set(right.split())) for right, guess in known.items()
    )
    assert letters_right / len(known) > 0.75


def test_same_words_are_the_same_however_written(likeness: Likeness) -> None:
    assert likeness.alike("open at nine thirty", "Open at 9:30!") == 1.0
    assert likeness.alike("ours", "hours") == 1.0


def test_nothing_is_like_nothing(likeness: Likeness) -> None:
    assert likeness.alike("", "hours") == likeness.alike("hours", "…") == likeness.alike("", "") == 0.0


def test_what_sounds_alike_is_more_alike_than_what_does_not(likeness: Likeness) -> None:
    heard = "i would like to speak to an emil or"
    assert likeness.alike(heard, "speak to Anna Miller") > likeness.alike(heard, "what are your opening hours")


def test_names_without_an_entry_can_be_compared(likeness: Likeness) -> None:
    assert likeness.alike("koe walt check", "Kowalczyk") > likeness.alike("good morning", "Kowalczyk")


def test_the_order_of_the_two_does_not_matter(likeness: Likeness) -> None:
    assert likeness.alike("the office", "an office") == likeness.alike("an office", "the office")


def test_the_likest_of_many_sayings_is_the_one_that_is_compared_alone(likeness: Likeness) -> None:
    groups = (("where can I park", "is there a garage"), ("what does it cost",), ("",))
    for heard in ("where can i bark", "what does it cause", "garage", ""):
        found = likeness.closest(groups)(heard)
        assert list(found) == pytest.approx(
            [max(likeness.alike(heard, saying) for saying in sayings) for sayings in groups], abs=1e-6
        )


def test_what_is_less_alike_than_asked_for_is_nothing(likeness: Likeness) -> None:
    park, cost = likeness.closest((("park",), ("cost",)), 0.7)("bark")
    assert park == pytest.approx(0.75)
    assert cost == 0.0


def test_what_was_misheard_echoes_what_callers_say(likeness: Likeness) -> None:
    echoes = likeness.echoes("wear do your patients bark")
    assert max(echoes, key=lambda topic: echoes[topic]) == "parking"


def test_topics_are_told_where_there_is_much_of_them(likeness: Likeness) -> None:
    told = likeness.topics(("where", "can", "i", "park", "my", "car"))
    assert max(told, key=lambda topic: told[topic]) == "parking"
    assert all(share >= 0.02 for share in told.values())
