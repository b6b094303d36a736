"""Keys that are pressed, and when they are a number."""

from __future__ import annotations

import pytest

from app.turns.keys import PAUSE_MS, Dtmf, Keys

pytestmark = pytest.mark.unit


def pressed(text: str, *, every_ms: int = 300) -> Keys:
    keys = Keys()
    for place, digit in enumerate(text):
        keys.press(Dtmf(digit, place * every_ms))
    return keys


@pytest.mark.parametrize(
    ("text", "number"),
    [("5550142#", "5550142"), ("12*345#", "345"), ("0#", "0"), ("1A2#", "12"), ("1" * 40 + "#", "1" * 20)],
)
def test_hash_ends_a_number_at_once(text: str, number: str) -> None:
    keys = pressed(text)
    assert keys.feed(keys.last_ms) == number
    assert not keys.pressed
    assert keys.feed(keys.last_ms + 2 * PAUSE_MS) == ""


def test_a_pause_ends_a_number_and_a_shorter_one_does_not() -> None:
    keys = pressed("555")
    assert keys.feed(600 + PAUSE_MS - 1) == ""
    assert keys.pressed
    assert keys.feed(600 + PAUSE_MS) == "555"
    assert (keys.start_ms, keys.last_ms) == (0, 600)


@pytest.mark.parametrize("text", ["", "#", "*", "12*", "12*#", "AB#"])
def test_no_digits_are_no_number(text: str) -> None:
    keys = pressed(text)
    assert not keys.pressed
    assert keys.feed(100_000) == ""


def test_the_next_number_begins_anew() -> None:
    keys = pressed("12#")
    assert keys.feed(1_000) == "12"
    keys.press(Dtmf("7", 5_000))
    assert keys.start_ms == 5_000
    assert keys.feed(5_000 + PAUSE_MS) == "7"
