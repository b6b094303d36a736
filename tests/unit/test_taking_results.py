"""Asking for results, as tables: what was heard, what is said next, what is a result by then."""

from __future__ import annotations

import pytest

from app.brains import taking_results
from app.brains.taking_results import Asking, begin, greet, not_understood, results, step
from app.ports import Expects, Heard
from app.settings import ResultField

pytestmark = pytest.mark.unit

CHOICE = ResultField(
    name="appointment", type="choice", choices=("confirm", "cancel", "reschedule"), question="Can you come on Monday?"
)
YES_NO = ResultField(name="reminder", type="yes-no", description="whether you want a reminder")
SCALE = ResultField(name="satisfaction", type="number", question="How was it, from 1 to 10?")
TEXT = ResultField(name="wish", question="What else may we do for you?")
NAME = ResultField(name="name", question="Who is speaking, please?")
SORRY = "I am sorry, I did not understand you."


def required(field: ResultField) -> ResultField:
    return field.model_copy(update={"required": True})


def both(text: str) -> Heard:
    return Heard(text, text)


def unsure(text: str) -> Heard:
    return Heard(text, "something else")


def answers(asking: Asking, *heard: Heard) -> tuple[Asking, str]:
    text = ""
    for each in heard:
        asking, text = step(asking, each) or not_understood(asking)
    return asking, text


def test_one_field_after_the_other_until_nothing_is_open() -> None:
    asking, text = begin((CHOICE, YES_NO, SCALE))
    assert text == "Can you come on Monday?"
    asking, text = answers(asking, both("that works"))
    assert text == "Thank you. Whether you want a reminder: please say yes or no."
    asking, text = answers(asking, both("no thanks"))
    assert text == "Thank you. How was it, from 1 to 10?"
    asking, text = answers(asking, both("nine"))
    assert (asking.open, text, asking.expects) == (None, "Thank you.", Expects.ANYTHING)
    assert results(asking) == {"appointment": "confirm", "reminder": "no", "satisfaction": "9"}
    assert results(None) == {}


@pytest.mark.parametrize(
    ("field", "question"),
    [
        (YES_NO, "Whether you want a reminder: please say yes or no."),
        (ResultField(name="urgency", type="choice", choices=("low", "high")), "Urgency: please say low or high."),
        (ResultField(name="size", type="choice", choices=("s", "m", "l")), "Size: please say s, m or l."),
        (ResultField(name="guests_in_all", type="number"), "Guests in all: please say a number."),
        (
            ResultField(name="x", type="number", description="how you liked it, from 1 to 5"),
            "How you liked it, from 1 to 5: please say a number from 1 to 5.",
        ),
        (ResultField(name="wish", description="what you would like."), "Please tell me what you would like."),
        (ResultField(name="Last name"), "What is your name, please?"),
        (ResultField(name="x", type="yes-no", description="is it urgent?"), "Is it urgent?"),
    ],
)
def test_without_a_question_of_its_owner_one_is_made(field: ResultField, question: str) -> None:
    assert begin((field,))[1] == question


@pytest.mark.parametrize(
    ("greeting", "field", "said"),
    [
        ("Hello. Can you come?", YES_NO, "Hello. Can you come?"),
        ("Hello. Can you come?", CHOICE, "Hello. Can you come? Can you come on Monday?"),
        ("Hello.", CHOICE, "Hello. Can you come on Monday?"),
        ("Hello. Is this Dr. Smith?", YES_NO, "Hello. Is this Dr. Smith?"),
        ("Hello. How can I help you?", CHOICE, None),
        ("Hello. What can I do for you?", CHOICE, None),
    ],
)
def test_a_greeting_that_asks_is_not_asked_twice(greeting: str, field: ResultField, said: str | None) -> None:
    greeted = greet((field,), greeting)
    assert (greeted[1] if greeted else None) == said


def test_the_question_of_the_greeting_is_what_comes_again() -> None:
    greeted = greet((YES_NO,), "Hello. Is this Dr. Smith?")
    assert greeted is not None
    assert taking_results.lead_back(greeted[0], "It is ten.")[1] == "It is ten. Is this Dr. Smith?"


def test_what_is_not_sure_is_read_back() -> None:
    asking, text = answers(begin((CHOICE,))[0], unsure("reschedule"))
    assert (text, results(asking)) == ("You said reschedule. Is that right?", {})
    assert asking.expects is Expects.YES_NO
    asking, text = answers(asking, both("yes"))
    assert (text, results(asking)) == ("Thank you.", {"appointment": "reschedule"})


@pytest.mark.parametrize(
    ("answer", "found", "said"),
    [
        (both("no"), {}, "I am sorry. Please say confirm, cancel or reschedule."),
        (both("no, cancel"), {"appointment": "cancel"}, "Thank you."),
        (unsure("no, cancel"), {}, "You said cancel. Is that right?"),
        (both("reschedule"), {"appointment": "reschedule"}, "Thank you."),
        (unsure("reschedule"), {"appointment": "reschedule"}, "Thank you."),
        (both("yes reschedule"), {"appointment": "reschedule"}, "Thank you."),
        (both("the moon"), {}, f"{SORRY} Please say confirm, cancel or reschedule."),
    ],
)
def test_the_answer_to_a_read_back(answer: Heard, found: dict[str, str], said: str) -> None:
    asking, text = answers(begin((CHOICE,))[0], unsure("reschedule"), answer)
    assert (results(asking), text) == (found, said)


def test_a_mere_yes_among_other_values_is_read_back_and_then_it_is_yes_to_that() -> None:
    asking, text = answers(begin((CHOICE,))[0], both("yes"))
    assert text == "You said confirm. Is that right?"
    assert results(answers(asking, both("yes"))[0]) == {"appointment": "confirm"}
    assert results(answers(asking, both("no"))[0]) == {}


def test_an_answer_is_not_read_back_for_ever() -> None:
    asking, _ = begin((CHOICE,))
    for word in ("cancel", "confirm", "cancel", "confirm", "cancel", "confirm", "cancel"):
        asking, _ = answers(asking, unsure(word), both("no"))
    assert asking.open is None
    asking, _ = begin((required(CHOICE),))
    for _ in range(6):
        asking, _ = answers(asking, unsure("cancel"), unsure("no, confirm"))
    assert asking.open is None


def test_long_numbers_are_read_back_digit_by_digit() -> None:
    field = ResultField(name="customer number", type="number")
    _, text = answers(begin((field,))[0], unsure("five five five oh one four two"))
    assert text == "I noted 5 5 5, 0 1 4 2. Is that right?"


@pytest.mark.parametrize(("field", "times"), [(required(CHOICE), 3), (CHOICE, 2)])
def test_a_required_result_is_asked_for_three_times_another_one_twice(field: ResultField, times: int) -> None:
    asking, _ = begin((field, YES_NO))
    for _ in range(times - 1):
        asking, text = not_understood(asking)
        assert text.startswith(SORRY)
        assert text.endswith("Please say confirm, cancel or reschedule.")
    asking, text = not_understood(asking)
    assert text == "Never mind. Whether you want a reminder: please say yes or no."
    assert asking.notes == (("“appointment” was asked for and not found out.",) if field.required else ())
    assert results(asking) == {}


def test_the_third_time_the_whole_question_comes_again() -> None:
    asking, _ = begin((required(CHOICE),))
    asking, _ = not_understood(asking)
    assert not_understood(asking)[1].startswith(f"{SORRY} Can you come on Monday? Please say confirm")


def test_whoever_does_not_want_to_say_is_not_asked_again() -> None:
    asking, text = answers(begin((required(SCALE), YES_NO))[0], both("I'd rather not say"))
    assert text == "All right. Whether you want a reminder: please say yes or no."
    assert not asking.is_complete
    assert asking.notes
    assert taking_results.lead_back(asking, "It is ten.")[0].notes == (), "it is told once"
    asking, _ = answers(asking, both("yes"))
    assert asking.notes == ()


def test_what_belongs_to_one_answer_is_asked_after_that_one_only() -> None:
    day = ResultField(name="day", question="Which day would suit you?", only_after="reschedule", required=True)
    asking, text = answers(begin((CHOICE, day, SCALE))[0], both("reschedule"))
    assert text == "Thank you. Which day would suit you?"
    assert not asking.is_complete
    asking, text = answers(begin((CHOICE, day, SCALE))[0], both("that works"))
    assert text == f"Thank you. {SCALE.question}"
    assert asking.is_complete


def test_all_required_results_make_it_complete() -> None:
    asking, _ = answers(begin((required(SCALE), YES_NO))[0], both("nine"))
    assert asking.is_complete


def test_free_text_is_taken_as_it_is_and_a_name_is_read_back() -> None:
    asking, text = answers(begin((TEXT, NAME))[0], both("call me on monday at ten"))
    assert text == "Thank you. Who is speaking, please?"
    asking, text = answers(asking, Heard("anna miller", "jonas miller"))
    assert text == "I noted Jonas Miller. Is that right?"
    asking, text = answers(asking, Heard("joan miller", "john miller"))
    assert text == "I noted John Miller. Is that right?"
    asking, _ = answers(asking, both("yes"))
    assert results(asking) == {"wish": "call me on monday at ten", "name": "John Miller"}


def test_what_was_not_heard_of_the_question_is_not_answered() -> None:
    asking, text = begin((YES_NO,), "Good day.")
    asking = asking.cut_off("Good day.", text)
    asking, text = answers(asking, both("yes"))
    assert (text, results(asking)) == ("Whether you want a reminder: please say yes or no.", {})


def test_half_a_question_is_enough_and_a_plain_word_to_less_is_read_back() -> None:
    asking, text = begin((CHOICE,), "Good day.")
    assert results(answers(asking.cut_off("Good day. Can you come", text), both("cancel"))[0]) == {
        "appointment": "cancel"
    }
    asking, text = answers(asking.cut_off("Good day. Can", text), both("cancel"))
    assert text == "You said cancel. Is that right?"


def test_a_read_back_that_was_cut_off_is_not_confirmed() -> None:
    asking, text = answers(begin((CHOICE,))[0], unsure("reschedule"))
    asking, text = answers(asking.cut_off("You said", text), both("yes"))
    assert text == "Please listen to the end and say yes or no. You said reschedule. Is that right?"
    assert results(asking) == {}
    asking, _ = answers(
        asking.cut_off("Please listen to the end and say yes or no. You said reschedule.", text), both("yes")
    )
    assert results(asking) == {"appointment": "reschedule"}


def test_a_question_of_the_callers_own_makes_no_sure_answer() -> None:
    _, text = answers(begin((CHOICE,))[0], both("what happens if I cancel"))
    assert text == "You said cancel. Is that right?"
