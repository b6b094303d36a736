import pytest

from models.tts.reading import has_words, readable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Call 555 0142.", "Call 5 5 5, 0 1 4 2."),
        ("Call 555-0142.", "Call 5 5 5, 0 1 4 2."),
        ("+49 89 1234567", "plus 4 9, 8 9, 1 2 3 4 5 6 7"),
        ("0800 12 12", "0 8 0 0, 1 2, 1 2"),
        ("postcode 80331", "postcode 8 0 3 3 1"),
        ("ext. 204", "extension 2 0 4"),
        ("Room 118, please", "Room 1 1 8, please"),
        ("e.g. on Monday", "for example on Monday"),
        ("Monday – Friday", "Monday, Friday"),
        ("We’re open", "We're open"),
    ],
)
def test_what_the_engine_would_read_wrongly_is_spelled_out(text: str, read: str) -> None:
    assert readable(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "It costs 350 euros.",
        "It costs 350.50 or 1,500.",
        "At 9:30, from 9-5, open 24/7.",
        "On 12 May 2026.",
        "Your number is 5 5 5, 0 1 4 2.",
        "In 2026 we had 42.",
        "",
    ],
)
def test_the_rest_is_left_alone(text: str) -> None:
    assert readable(text) == text


def test_reading_what_is_readable_changes_nothing() -> None:
    once = readable("Call +49 89 1234567, ext. 204, e.g. at 9:30.")
    assert readable(once) == once


@pytest.mark.parametrize(("text", "words"), [("", False), (" …!", False), ("a", True), ("7", True), ("é", True)])
def test_whether_there_is_anything_to_say(text: str, words: bool) -> None:
    assert has_words(text) is words
