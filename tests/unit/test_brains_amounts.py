"""How many, how much, from one to ten."""

from __future__ import annotations

import pytest

from app.brains.amounts import amount_in, range_in, sounds_like_amount

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("seven", "7"),
        ("I would say a nine", "9"),
        ("eight out of ten", "8"),
        ("ten out of ten", "10"),
        ("twenty two", "22"),
        ("two hundred and fifty", "250"),
        ("three thousand two hundred and four", "3204"),
        ("one hundred", "100"),
        ("seven and a half", "7.5"),
        ("seven point five", "7.5"),
        ("7.5", "7.5"),
        ("zero", "0"),
        ("5", "5"),
        ("eight eight", "8"),
        ("five five five oh one four two", "5550142"),
        ("no one", None),
        ("that one is fine", None),
        ("one moment please", None),
        ("one more time please", None),
        ("between six and seven", None),
        ("I do not know", None),
        ("", None),
    ],
)
def test_the_one_amount_that_was_said(text: str, amount: str | None) -> None:
    assert amount_in(text) == amount


def test_what_a_recogniser_writes_for_a_digit_alone() -> None:
    assert [sounds_like_amount(text) for text in ("for", "to", "for me", "house")] == ["4", "2", None, None]


@pytest.mark.parametrize(
    ("question", "reach"),
    [
        ("How satisfied are you, from 1 to 10?", (1, 10)),
        ("On a scale of one to five, how was it?", (1, 5)),
        ("between 0 and 100", (0, 100)),
        ("1-5", (1, 5)),
        ("Somebody calls in 5 to 10 minutes. How many come?", None),
        ("from Monday to Friday", None),
        ("from 10 to 1", None),
        ("", None),
    ],
)
def test_the_numbers_that_a_question_allows(question: str, reach: tuple[int, int] | None) -> None:
    assert range_in(question) == reach
