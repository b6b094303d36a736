"""Keys that are pressed, and when they are a number."""

from __future__ import annotations

import pytest

from app.turns.keys import PAUSE_MS, Dtmf, Keys, KeyWays

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


def test_a_press_by_tone_and_by_message_counts_once() -> None:
    ways = KeyWays()
    assert ways.tone(Dtmf("5", 1_000), has_events=False)
    assert not ways.message(Dtmf("5", 1_150))
    assert not ways.tone(Dtmf("5", 1_400), has_events=False), "from now on, this telephone's keys come by messages"
    assert ways.message(Dtmf("5", 1_500))


def test_another_key_and_the_same_one_later_are_presses_of_their_own() -> None:
    ways = KeyWays()
    assert ways.tone(Dtmf("5", 1_000), has_events=False)
    assert ways.message(Dtmf("6", 1_150))
    ways = KeyWays()
    assert ways.tone(Dtmf("5", 1_000), has_events=False)
    assert ways.message(Dtmf("5", 1_600))


def test_tones_mean_nothing_where_keys_come_as_events() -> None:
    assert not KeyWays().tone(Dtmf("5", 1_000), has_events=True)
