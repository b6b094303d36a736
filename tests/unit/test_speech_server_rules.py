"""When a server that failed is asked again, and what is left to say of a sentence that it broke off."""

from __future__ import annotations

import pytest

from app.ports import BYTES_PER_MS
from app.speech_servers import Rest, longest_speech_ms, unspoken

pytestmark = pytest.mark.unit


def test_a_server_that_fails_again_and_again_is_asked_less_and_less_often() -> None:
    rest, now_s, rests = Rest(), 100.0, []
    for _ in range(7):
        assert rest.ready(now_s)
        rests.append(rest.failed(now_s, "it is gone"))
        assert not rest.ready(now_s + rests[-1] - 0.1)
        now_s += rests[-1]
    assert rests == [15, 30, 60, 120, 240, 240, 240]
    assert rest.worked()
    assert not rest.worked(), "it had worked before"
    assert rest.ready(now_s)
    assert rest.failed(now_s, "again") == 15


def test_two_calls_that_fail_at_once_make_it_rest_once() -> None:
    rest = Rest()
    assert rest.failed(0.0, "it is gone") == 15
    assert rest.failed(1.0, "it is gone") == 14
    assert rest.ready(15.0)


TEXT = "We open at nine o'clock in the morning."


@pytest.mark.parametrize(
    ("ms", "left"),
    [
        (0, TEXT),
        (20, TEXT),
        (600, TEXT),
        (1000, "at nine o'clock in the morning."),
        (2500, "in the morning."),
        (5000, "the morning."),
        (5100, ""),
    ],
)
def test_rather_is_a_word_said_twice_than_not_at_all(ms: int, left: str) -> None:
    assert unspoken(TEXT, ms * BYTES_PER_MS) == left


def test_no_voice_takes_longer_than_people_listen() -> None:
    assert longest_speech_ms("Yes.") == 4000
    assert longest_speech_ms("x" * 500) == 47_000
