import pytest

from app.brains.meanings import meanings, synonyms
from app.brains.words import stem, stems, words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where can I PARK?", "where can i park"),
        ("What’s your e-mail, please…", "what is your e mail please"),
        ("I can't, I won't, I don't", "i can not i will not i do not"),
        ("It's Anna's", "it is anna"),
        ("I'd like 2 X-rays", "i would like 2 x rays"),
        ("", ""),
        ("— …", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == tuple(expected.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("price", "prices"), ("park", "parking"), ("plan", "planned"), ("book", "booked"), ("stop", "stopping"),
        ("policy", "policies"), ("address", "addresses"), ("invoice", "invoices"),
    ],
)  # fmt: skip
def test_forms_of_one_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("bus", "but"), ("open", "operate"), ("card", "car"), ("cash", "case")])
def test_other_words_have_other_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_meanings_are_those_of_each_word_and_of_neighbours() -> None:
    assert meanings(stems("lift tomorrow")) == (frozenset({"access"}), frozenset())
    how, much = meanings(stems("how much"))
    assert "price" in how & much
    assert meanings(()) == ()
    assert all("price" not in names for names in meanings(stems("much how")))


def test_synonyms_are_single_other_words_of_the_same_group() -> None:
    assert "lift" in synonyms("elevator")
    assert "elevator" not in synonyms("elevator")
    assert not any(" " in word for word in synonyms("appointment"))
    assert synonyms("xylophone") == frozenset()
