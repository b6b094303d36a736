"""Answers of every type, heard by two recognisers that agree, differ, or heard nothing of it."""

from __future__ import annotations

import pytest

from app.brains.choices import Meant
from app.brains.field_answers import answer_in, expected, is_unwilling, likely_answers, short_answers
from app.brains.phrases import awaited, likely_phrases
from app.ports import Expects, Heard
from app.settings import Agent, ResultField

pytestmark = pytest.mark.unit

YES_NO = ResultField(name="reminder", type="yes-no")
CHOICE = ResultField(name="appointment", type="choice", choices=("confirm", "cancel", "reschedule"))
SCALE = ResultField(name="satisfaction", type="number", question="How was it, from 1 to 10?")
NUMBER = ResultField(name="guests", type="number")
TEXT = ResultField(name="wish")
NAME = ResultField(name="Last name")


def both(text: str) -> Heard:
    return Heard(text, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("yes please", "yes"), ("of course", "yes"), ("that would be nice", "yes"), ("I do", "yes"),
        ("no", "no"), ("no thank you", "no"), ("not really", "no"), ("I don't think so", "no"), ("I do not", "no"),
        ("that's not right", "no"), ("of course not", "no"), ("no that is fine", "no"),
        ("I am not sure", None), ("maybe", None), ("I don't know yet", None), ("where can I park", None),
        ("is it all right to park in front", None),
    ],
)  # fmt: skip
def test_yes_or_no(text: str, value: str | None) -> None:
    assert answer_in(YES_NO, both(text)) == (Meant(value, sure=True) if value else None)


@pytest.mark.parametrize(
    ("own", "general", "answer"),
    [
        ("cancel", "cancel", Meant("cancel", sure=True)),
        ("cancel", "can sell", Meant("cancel", sure=False)),
        ("can films", "cancel", Meant("cancel", sure=False)),
        ("cancel", "confirm", Meant("cancel", sure=False)),
        ("yes", "yes", Meant("confirm", sure=False, lone=True)),
        ("no", "no", Meant("cancel", sure=False, lone=True)),
        ("no i can come", "no i can stomp", Meant("cancel", sure=False, lone=True)),
        ("maybe", "maybe", None),
        ("", "reschedule", Meant("reschedule", sure=False)),
        ("house", "mouse", None),
    ],
)
def test_a_choice_is_sure_only_where_both_heard_it(own: str, general: str, answer: Meant | None) -> None:
    assert answer_in(CHOICE, Heard(own, general)) == answer


def test_a_value_named_yes_is_meant_by_whatever_means_yes() -> None:
    field = ResultField(name="coming", type="choice", choices=("Yes", "No", "Another day"))
    assert answer_in(field, both("of course")) == Meant("Yes", sure=True)
    assert answer_in(field, both("I don't think so")) == Meant("No", sure=True)
    assert answer_in(field, both("on another day")) == Meant("Another day", sure=True)
    assert "of course" in likely_answers(field)


@pytest.mark.parametrize(
    ("own", "general", "answer"),
    [
        ("eight", "eight", Meant("8", sure=True)),
        ("eight", "hate", Meant("8", sure=False)),
        ("eight", "ate", Meant("8", sure=True)),
        ("four", "for", Meant("4", sure=True)),
        ("eight", "nine", Meant("8", sure=False)),
        ("twelve", "twelve", None),
        ("eight out of ten", "eight out of ten", Meant("8", sure=True)),
    ],
)
def test_a_number_that_was_asked_for_from_one_to_ten(own: str, general: str, answer: Meant | None) -> None:
    assert answer_in(SCALE, Heard(own, general)) == answer


def test_a_number_without_bounds() -> None:
    assert answer_in(NUMBER, both("twenty two")) == Meant("22", sure=True)
    assert answer_in(NUMBER, both("a few")) is None


def test_text_is_dictation_and_a_name_is_sure_where_both_heard_it() -> None:
    assert answer_in(TEXT, Heard("on monday", "on monday at ten")) == Meant("on monday at ten", sure=True)
    assert answer_in(TEXT, both("um yes")) is None
    assert answer_in(NAME, both("my name is john smith")) == Meant("John Smith", sure=True)
    assert answer_in(NAME, Heard("john smith", "jonas miller")) == Meant("Jonas Miller", sure=False)


@pytest.mark.parametrize(
    ("field", "expects"),
    [
        (YES_NO, Expects.YES_NO),
        (CHOICE, Expects.YES_NO),
        (SCALE, Expects.YES_NO),
        (NUMBER, Expects.NUMBER),
        (TEXT, Expects.MESSAGE),
        (NAME, Expects.NAME),
    ],
)
def test_people_pause_as_long_as_the_answer_is(field: ResultField, expects: Expects) -> None:
    assert expected(field) is expects


def test_whoever_does_not_want_to_answer_is_left_alone() -> None:
    assert is_unwilling(both("I'd rather not say"))
    assert is_unwilling(Heard("skip that", "split bat"))
    assert not is_unwilling(both("I do not know why the machine stopped working on monday"))


@pytest.mark.parametrize("field", [YES_NO, CHOICE, SCALE])
def test_what_may_be_answered_is_known_to_the_recogniser_and_understood(field: ResultField) -> None:
    for text in (*likely_answers(field), *short_answers(field)):
        assert answer_in(field, both(text)) is not None, text


def test_the_words_reach_the_language_model_once() -> None:
    agent = Agent(name="Office", result_fields=(YES_NO, CHOICE, SCALE))
    phrases = likely_phrases(agent)
    assert len(phrases) == len(set(phrases))
    assert {"can we move it to another day", "8 out of 10", "of course"} <= set(phrases)
    assert awaited(agent) == ("yes", "no", "confirm", "cancel", "reschedule", *map(str, range(1, 11)))
