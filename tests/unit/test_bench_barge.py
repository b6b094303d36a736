"""Adding up calls in which only the agent spoke, and what a telephone in a room sends back."""

from __future__ import annotations

import numpy as np
import pytest

from app.ports import FRAME_BYTES
from tests.bench.barge import Room, Spoken, of_noise

pytestmark = pytest.mark.unit


def call(lasted_ms: int, *, noise: str = "line", interrupted: bool = False, whole: bool = True) -> Spoken:
    return Spoken("PCMU", noise, lasted_ms, interrupted, whole, imagined=0)


def test_what_is_longer_than_the_shortest_whole_greeting_was_held() -> None:
    found = of_noise([call(30_000), call(30_040), call(30_900), call(31_000, noise="office")], "line")
    assert (found["calls"], found["calls_held"], found["false_barge_ins"]) == (3, 1, 0)
    assert found["held_share"] == round(0.94 / 90.94, 4)


def test_a_greeting_that_was_cut_is_a_false_barge_in_and_no_measure_of_the_others() -> None:
    found = of_noise([call(30_000), call(12_000, interrupted=True, whole=False)], "line")
    assert (found["false_barge_ins"], found["calls_held"], found["minutes"]) == (1, 0, 0.7)
    assert found["broken_off"] == 0


def test_a_greeting_that_was_not_heard_to_its_end_although_nothing_interrupted_it_is_told_apart() -> None:
    found = of_noise([call(30_000), call(2_000, whole=False)], "line")
    assert (found["false_barge_ins"], found["broken_off"]) == (0, 1)


def test_a_greeting_that_was_interrupted_at_its_last_word_counts_too() -> None:
    assert of_noise([call(30_000, interrupted=True)], "line")["false_barge_ins"] == 1


def test_a_room_sends_back_what_it_heard_later_and_softer() -> None:
    room = Room(40, np.zeros(1000))
    loud, silent = np.full(320, 10_000, np.int16).tobytes(), bytes(FRAME_BYTES)
    back = [np.frombuffer(room.frame(each), np.int16).max() for each in (loud, silent, silent, silent)]
    assert back == [0, 0, 1000, 0]


def test_a_room_goes_on_between_calls_and_its_echo_does_not() -> None:
    noise = np.repeat(np.arange(4.0), 320)
    room = Room(20, noise)
    loud, silent = np.full(320, 10_000, np.int16).tobytes(), bytes(FRAME_BYTES)
    assert np.frombuffer(room.frame(loud), np.int16).max() == 0
    room.call()
    assert np.frombuffer(room.frame(silent), np.int16).max() == 1
    assert np.frombuffer(room.frame(silent), np.int16).max() == 2
