"""Who does not want to be called again, and who only speaks of calls."""

from __future__ import annotations

import pytest

from app.brains.do_not_call import asked_not_to_call
from app.ports import Heard
from models.stt.language_model import office_phrases

pytestmark = pytest.mark.unit

REFUSE = (
    "don't call me again", "please do not call me any more", "never call this number again", "stop calling me",
    "please stop calling", "take me off your list", "could you take my number off your list please",
    "remove me from your database", "remove my number", "I don't want to be called", "no more calls please",
    "put me on the do not call list", "I asked you not to call me", "leave me alone", "do not contact us again",
    "quit bothering me", "I do not want you to call me", "no thank you and don't call again", "delete my number",
)  # fmt: skip
INNOCENT = (
    "can you call me again tomorrow", "please call me again", "don't call me before nine", "do not call me at work",
    "don't call me today", "please don't call me until monday", "don't forget to call me", "could you call back later",
    "why did nobody call me", "take me off the waiting list", "I will call you again", "don't stop calling me",
    "you never call me when I am there", "I never got your call", "nobody called me again", "who is calling",
    "is this a call about my list", "do not call me now I am driving", "I want to remove an appointment",
    "can I speak to somebody", "yes", "no thank you", "",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSE)
def test_who_does_not_want_to_be_called_again(text: str) -> None:
    assert asked_not_to_call(Heard(text, text)) is True


@pytest.mark.parametrize("text", INNOCENT)
def test_who_only_speaks_of_calls(text: str) -> None:
    assert asked_not_to_call(Heard(text, text)) is False


def test_what_one_recogniser_heard_alone_has_to_be_asked() -> None:
    assert asked_not_to_call(Heard("stop calling me", "top calling")) is None
    assert asked_not_to_call(Heard("talking to me", "stop calling me")) is None


def test_the_recogniser_knows_the_words_for_it() -> None:
    known = [line for line in office_phrases() if asked_not_to_call(Heard(line, line))]
    assert len(known) >= 15
