"""What may be pressed, and what the session says of it."""

from __future__ import annotations

import pytest

from app.pressing import MOST_KEYS, MOST_PAUSES, PAUSE, keys_in, noted

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1", "1"),
        (" 12 34# ", "1234#"),
        ("*9a", "*9A"),
        ("1,,2", "1,,2"),
        ("0" * MOST_KEYS, "0" * MOST_KEYS),
        (PAUSE * MOST_PAUSES + "0" * MOST_KEYS, PAUSE * MOST_PAUSES + "0" * MOST_KEYS),
        ("0" * (MOST_KEYS + 1), ""),
        (PAUSE * (MOST_PAUSES + 1) + "0", ""),
        (PAUSE, ""),
        ("", ""),
        ("E", ""),
        ("1-2", ""),
        ("+1", ""),
        ("\u0661", ""),
    ],
)
def test_what_can_be_pressed(text: str, keys: str) -> None:
    assert keys_in(text) == keys


def test_the_session_says_how_many_and_not_which() -> None:
    assert noted("4,711#") == "The agent pressed 5 keys."
    assert noted("1") == "The agent pressed 1 key."
