import pytest

from models.stt.words import cardinal, clock, digits, ordinal, spoken

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("… —", ""),
        ("What are your Opening Hours?", "what are your opening hours"),
        ("It's O'Brien’s", "it's o'brien's"),
        ("Zoë Müller", "zoe muller"),
        ("ext. 204", "extension two oh four"),
        ("555 0142", "five five five oh one four two"),
        ("open 9:30 to 5 p.m.", "open nine thirty to five p m"),
        ("at 10:05 or 9:00", "at ten oh five or nine o'clock"),
        ("the 23rd", "the twenty third"),
        ("the 112th", "the one one two"),
        ("e.g. this & that", "for example this and that"),
        ("No. 12, no thanks", "number twelve no thanks"),
        ("OK at 10 %", "okay at ten percent"),
    ],
)
def test_text_is_read_as_people_say_it(text: str, words: str) -> None:
    assert spoken(text) == tuple(words.split())


def test_spoken_words_are_left_as_they_are() -> None:
    words = spoken("Call Dr. Smith at 9:15 on the 2nd, ext. 31")
    assert spoken(" ".join(words)) == words


@pytest.mark.parametrize(("number", "words"), [(0, "zero"), (13, "thirteen"), (20, "twenty"), (99, "ninety nine")])
def test_cardinals(number: int, words: str) -> None:
    assert cardinal(number) == tuple(words.split())


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "first"), (3, "third"), (4, "fourth"), (12, "twelfth"), (20, "twentieth"), (31, "thirty first")],
)
def test_ordinals(number: int, words: str) -> None:
    assert ordinal(number) == tuple(words.split())


def test_zero_among_digits_is_oh() -> None:
    assert digits("0142") == ("oh", "one", "four", "two")


def test_a_full_hour_is_on_the_clock() -> None:
    assert clock(9, 0) == ("nine", "o'clock")
