"""How loud it is behind the caller. Levels of chunks in; what is known of the room, and from when on, out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.turns.room import Room, RoomRule, spread

pytestmark = pytest.mark.unit

RULE = RoomRule()
SILENCE, LINE, OFFICE, VOICE = -96.0, -70.0, -34.0, -22.0
SYLLABLES = (VOICE, VOICE + 3, VOICE, -45.0, -50.0) * 30  # as a voice comes and goes


def learnt(levels: Sequence[float]) -> tuple[Room, int | None]:
    """A room that was learned from `levels`, and after how many of them it was known."""
    room = Room()
    room.learn()
    for number, level in enumerate(levels, 1):
        room.hear(level)
        if room.is_known:
            return room, number
    return room, None


@pytest.mark.parametrize("level", [SILENCE, LINE, OFFICE])
def test_what_stays_as_it_is_is_the_room_after_a_second(level: float) -> None:
    room, chunks = learnt([level + (number % 3) for number in range(100)])
    assert chunks == RULE.least
    assert room.level_dbfs == level + 1


@pytest.mark.parametrize("before", range(0, 25, 4))
def test_a_room_that_is_heard_a_moment_after_the_call_began_is_not_taken_for_the_silence_before(before: int) -> None:
    room, chunks = learnt([SILENCE] * before + [OFFICE] * 100)
    assert chunks is not None
    assert room.level_dbfs == OFFICE
    assert chunks <= max(RULE.least, before + RULE.steady)


def test_silence_and_the_noise_of_a_line_are_the_same() -> None:
    assert learnt([SILENCE, LINE] * 50)[1] == RULE.least


def test_while_somebody_speaks_it_is_not_known_and_then_it_is_what_lies_between_the_syllables() -> None:
    room, chunks = learnt(SYLLABLES)
    assert chunks == RULE.most
    assert room.level_dbfs <= -45.0


def test_a_hello_is_forgotten_as_soon_as_the_room_is_heard_again() -> None:
    room, chunks = learnt([LINE] * 8 + [VOICE] * 12 + [LINE] * 80)
    assert chunks is not None
    assert RULE.least <= chunks < RULE.least + 10
    assert room.level_dbfs == LINE


def test_who_learns_forgets_what_was_known_but_does_not_begin_again_while_learning() -> None:
    room, _ = learnt([OFFICE] * 40)
    room.learn()
    assert not room.is_known
    for number in range(RULE.least):
        assert room.is_learning
        if number == RULE.least // 2:
            room.learn()
        room.hear(LINE)
    assert room.level_dbfs == LINE


def test_without_learning_it_is_known_after_a_few_chunks_and_follows_the_last_seconds() -> None:
    room = Room()
    for _ in range(RULE.known_from):
        assert not room.is_known
        room.hear(LINE)
    assert room.is_known
    room.hear(*[OFFICE] * RULE.lately)
    assert room.level_dbfs == OFFICE


def test_spread_is_between_the_second_softest_fifth_and_the_second_loudest() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 4.0)
    assert spread([-96.0, *[-34.0] * 18, 0.0]) == (-34.0, -34.0)
