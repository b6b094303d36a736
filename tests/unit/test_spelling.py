"""What is read out letter by letter, and how it is put right."""

import pytest

from app.brains.alphabet import ALPHABET
from app.brains.spelling import address_in, as_name, characters_in, corrected, spelled_out

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "characters"),
    [
        ("s m i t h", "smith"),
        ("it is s m i t h", "smith"),
        ("m i double l e r", "miller"),
        ("triple five", "555"),
        ("b as in bravo r for romeo i like india", "bri"),
        ("v as in victor as in orange g", "vog"),
        ("d as in bravo", "b"),  # the word is heard better than the letter
        ("yankee as in jack i as in india", "ji"),
        ("q as in quiz", "q"),
        ("bravo echo november", "ben"),
        ("x-ray alpha x ray", "xax"),
        ("a n n a dash l e n a", "anna-lena"),
        ("o apostrophe n", "o'n"),
        ("five oh zero two", "5002"),
        ("5551234", "5551234"),
        ("no it is a b", "ab"),
        ("what did you say", ""),
        ("double", ""),
        ("", ""),
    ],
)
def test_what_is_spelled(said: str, characters: str) -> None:
    assert characters_in(said) == characters


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("j dot lee at gmail dot com", "j.lee@gmail.com"),
        ("it is a n n a underscore five at g mail dot com", "anna_5@gmail.com"),
        ("john dash smith at example dot co dot uk", "john-smith@example.co.uk"),
        ("i do not have one", ""),
        ("john at the office", ""),
        ("dot at dot com", ""),
    ],
)
def test_an_address_is_one_text(said: str, address: str) -> None:
    assert address_in(said) == address


@pytest.mark.parametrize(("characters", "name"), [("smith", "Smith"), ("anna-lena", "Anna-Lena"), ("o'neil", "O'Neil")])
def test_a_name_is_written_as_names_are(characters: str, name: str) -> None:
    assert as_name(characters) == name


@pytest.mark.parametrize(
    ("value", "said", "right"),
    [
        ("Pravo", "no the first letter is b as in bravo", "bravo"),
        ("Nills", "no m as in mike", "mills"),
        ("5551734", "no the fifth digit is two", "5551234"),
        ("5551734", "the last digit is nine", "5551739"),
        ("Smyth", "no s m i t h", "smith"),
        ("5551734", "no it is five five five one two three four", "5551234"),
        ("Pravo", "no b as in bravo", None),  # the p or the v?
        ("Smith", "no q as in quebec", None),  # like none of them
        ("Smith", "no the ninth letter is a", None),
        ("Smith", "no the third letter is", None),
        ("Smith", "no", None),
        ("Smith", "yes that is right", None),
        ("5551234567", "no five", None),
    ],
)
def test_what_was_read_back_is_put_right(value: str, said: str, right: str | None) -> None:
    new = corrected(value, said)
    assert (new.casefold() if new else None) == right


def test_it_is_read_back_so_that_letters_cannot_be_mistaken() -> None:
    assert spelled_out("Ab-5") == "A, B, dash, 5"
    assert spelled_out("Ab-5", in_words=True) == "A as in Alfa, B as in Bravo, dash, 5"


def test_each_letter_has_words_and_each_word_stands_for_its_own() -> None:
    assert "".join(letter for letter, _ in ALPHABET) == "abcdefghijklmnopqrstuvwxyz"
    assert all(word.startswith(letter) for letter, stand_for in ALPHABET for word in stand_for)
