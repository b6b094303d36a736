"""What a model writes, piece by piece, as clauses for a voice."""

from __future__ import annotations

import random

import pytest

from app.brains.clauses import clauses
from app.brains.speakable import LONGEST_ANSWER, Speakable, plain

pytestmark = pytest.mark.unit

ANSWER = (
    "Good day. Dr. Miller is in until 5 p.m. today; if you would like to speak to her before that, please leave your "
    "name, your number, and what it is about. The fee is 3.50 dollars, e.g. for a copy! Is that all right?"
)


def fed(pieces: list[str]) -> list[str]:
    text, found = Speakable(), []
    for piece in pieces:
        found += text.feed(piece)
    return found + text.rest()


@pytest.mark.parametrize("seed", range(20))
def test_however_it_comes_the_clauses_are_those_of_the_whole(seed: int) -> None:
    cut = sorted(random.Random(seed).sample(range(len(ANSWER)), 40))
    pieces = [ANSWER[begin:end] for begin, end in zip([0, *cut], [*cut, len(ANSWER)], strict=True)]
    assert fed(pieces) == list(clauses(ANSWER))


def test_a_clause_comes_out_as_soon_as_the_next_has_begun() -> None:
    text = Speakable()
    assert text.feed("Good day. ") == []
    assert text.feed("H") == ["Good day."]
    assert text.feed("ow are you?") == []
    assert text.rest() == ["How are you?"]
    assert text.rest() == []


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Yes**, `we` _do_.", "Yes, we _do_."),
        ("# Hours\nWe are open.", " Hours\nWe are open."),
        ("We have:\n- cakes\n* bread\n1. tea", "We have:\ncakes\nbread\ntea"),
        ("We open at 9 - 5.", "We open at 9 - 5."),
        ("Sure! 😀👍🏽 It is €3 – or £2.", "Sure!  It is €3 – or £2."),
        ("Grüße aus Köln, naïve café.", "Grüße aus Köln, naïve café."),
    ],
)
def test_what_cannot_be_spoken_is_not(written: str, spoken: str) -> None:
    assert plain(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("<think>Is it open? Yes. I say so.</think>\n\nWe are open. Come in.", ["We are open.", "Come in."]),
        ("We are <thinking>or are we? Yes.\n\nWe are.</thinking>open. Come in.", ["We are open.", "Come in."]),
        ("<think>A <tool_call> in it </ and </thin.</think>Yes.<tool_call>{}</tool_call> Come.", ["Yes.", "Come."]),
        ("<think>The caller wants to know. Yes. No.</thin", []),
        ("It is less than 5 <. Is 3 <think", ["It is less than 5 <.", "Is 3 <think"]),
    ],
)
def test_thoughts_are_not_spoken_however_they_come(written: str, spoken: list[str]) -> None:
    for size in (1, 2, 7, 11, len(written)):
        assert fed([written[start : start + size] for start in range(0, len(written), size)]) == spoken


def test_long_thoughts_are_no_long_answer() -> None:
    text = Speakable()
    for _ in range(20 * LONGEST_ANSWER):  # pages of it, and none is looked at twice
        assert text.feed("<think>" + "hm hm hm. ") == []
    assert not text.is_long
    assert text.feed("</think>Yes. No.") == ["Yes."]


def test_marks_without_words_are_no_clause() -> None:
    assert fed(["Yes. ", "... ", "!!! ", "No."]) == ["Yes.", "No."]


def test_an_endless_answer_is_known_to_be_long() -> None:
    text = Speakable()
    text.feed("word " * (LONGEST_ANSWER // 5))
    assert not text.is_long
    text.feed("more")
    assert text.is_long
