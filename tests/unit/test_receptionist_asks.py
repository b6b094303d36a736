"""Whole dialogues in which the receptionist asks for what the call should bring."""

from __future__ import annotations

import pytest

from app.brains.receptionist import Receptionist, matcher_of
from app.brains.results import DO_NOT_CALL
from app.ports import Direction, Expects, Heard, Noted, Result
from app.settings import Agent, ResultField
from tests.bench.intent import office_agent
from tests.unit.test_brains_matching import Letters
from tests.unit.test_receptionist import hears, said, talk

pytestmark = pytest.mark.unit

APPOINTMENT = ResultField(
    name="appointment",
    type="choice",
    choices=("confirm", "cancel", "reschedule"),
    question="Would you like to confirm, cancel or reschedule it?",
    required=True,
)
REMINDER = ResultField(name="reminder", type="yes-no", question="Shall we remind you?")
WISH = ResultField(name="wanted time", question="Which day would suit you?")
GREETING = "Good day, this is Hartwell Dental about your appointment."
PARKING = "There is a car park behind the building. The first two hours are free."
GOODBYE = "Thank you for calling Hartwell Dental. Good-bye."
SORRY = "I am sorry, I did not understand you."


def asking(
    *fields: ResultField, direction: Direction = "outbound", greeting: str = GREETING, asks: bool = True
) -> Receptionist:
    agent = office_agent().model_copy(update={"result_fields": fields, "greeting": greeting})
    return Receptionist(agent, matcher_of(agent, Letters()), direction, asks=asks)


async def greeted(*fields: ResultField, direction: Direction = "outbound", greeting: str = GREETING) -> Receptionist:
    brain = asking(*fields, direction=direction, greeting=greeting)
    await said(brain.greet())
    return brain


async def test_it_asks_after_its_greeting_takes_the_answers_and_hangs_up() -> None:
    brain = asking(APPOINTMENT, REMINDER)
    assert await said(brain.greet()) == f"{GREETING} {APPOINTMENT.question}"
    assert brain.expects is Expects.YES_NO
    await talk(brain, ("that works for me", f"Thank you. {REMINDER.question}", Expects.YES_NO))
    assert await hears(brain, "no thank you") == f"{GOODBYE} [results taken]"
    assert brain.results == {"appointment": "confirm", "reminder": "no"}


async def test_who_calls_us_is_asked_whether_there_is_anything_else() -> None:
    brain = await greeted(REMINDER, direction="inbound", greeting="Good day.")
    await talk(
        brain,
        ("yes please", "Thank you. Is there anything else I can do for you?", Expects.ANYTHING),
        ("where can i park", PARKING, Expects.ANYTHING),
    )
    assert await hears(brain, "good bye") == f"{GOODBYE} [results taken]"


async def test_a_question_in_between_is_answered_and_leads_back() -> None:
    brain = await greeted(APPOINTMENT)
    assert await hears(brain, "where can i park") == f"{PARKING} {APPOINTMENT.question}"
    assert await hears(brain, "could you repeat that") == f"{PARKING} {APPOINTMENT.question}"
    assert await hears(brain, "reschedule") == f"{GOODBYE} [results taken]"
    assert brain.results == {"appointment": "reschedule"}


async def test_a_question_while_an_answer_is_read_back_leads_back_to_the_read_back() -> None:
    brain = await greeted(APPOINTMENT)
    assert await said(brain.reply(Heard("cancel", "can sell"))) == "You said cancel. Is that right?"
    assert await hears(brain, "where can i park") == f"{PARKING} You said cancel. Is that right?"
    assert await hears(brain, "yes") == f"{GOODBYE} [results taken]"


async def test_a_message_in_between_is_taken_and_leads_back() -> None:
    await talk(
        await greeted(APPOINTMENT),
        ("can i leave a message", "I will take a message.", Expects.NAME),
        ("john smith", "Thank you. And your telephone number", Expects.NUMBER),
        ("five five five oh one four two", "John Smith. 5 5 5, 0 1 4 2.", Expects.YES_NO),
        ("yes", "Thank you. What may I tell", Expects.MESSAGE),
        ("my crown came off", f"Thank you. I have noted your message. {APPOINTMENT.question}", Expects.YES_NO),
    )


async def test_somebody_who_cannot_be_put_through_is_led_back() -> None:
    brain = await greeted(APPOINTMENT)
    asked = await hears(brain, "i would like to speak to peter hoffman")
    assert asked == "I am putting you through to Peter Hoffman. [-> Peter Hoffman]", "and nothing is asked after it"
    await said(brain.not_put_through("Peter Hoffman", Result.BUSY))
    await talk(brain, ("no", f"All right. {APPOINTMENT.question}", Expects.YES_NO))


async def test_what_stays_unheard_is_left_empty_and_noted_and_the_rest_is_asked() -> None:
    brain = await greeted(APPOINTMENT, REMINDER)
    hint = f"{SORRY} Please say confirm, cancel or reschedule."
    assert await hears(brain, "the yellow moon") == hint
    assert (await hears(brain, "")).startswith(f"{SORRY} {APPOINTMENT.question} Please say")
    actions = [action async for action in brain.reply(Heard("the moon", "the spoon"))]
    assert actions[-1] == Noted("“appointment” was asked for and not found out.")
    assert await hears(brain, "yes") == f"{GOODBYE} [results incomplete]"
    assert brain.results == {"appointment": "", "reminder": "yes"}


async def test_good_bye_ends_it_and_what_was_answered_stays() -> None:
    brain = await greeted(REMINDER, APPOINTMENT)
    await hears(brain, "yes please")
    assert await hears(brain, "good bye") == f"{GOODBYE} [finished]"
    assert brain.results == {"reminder": "yes", "appointment": ""}


async def test_free_text_is_no_question_unless_it_sounds_like_one() -> None:
    brain = await greeted(WISH)
    assert brain.expects is Expects.MESSAGE
    assert (await hears(brain, "where can i park")).startswith(PARKING)
    assert brain.believed(Heard("on monday", "on monday at ten")) == "on monday at ten"
    assert await hears(brain, "on monday at ten please") == f"{GOODBYE} [results taken]"
    assert brain.results == {"wanted time": "on monday at ten please"}


async def test_bye_is_no_free_text() -> None:
    assert (await hears(await greeted(WISH), "good bye")).endswith("[finished]")


async def test_whoever_asks_who_it_is_hears_the_greeting_again() -> None:
    brain = await greeted(APPOINTMENT)
    assert await hears(brain, "who is this please") == f"{GREETING} {APPOINTMENT.question}"
    brain = await greeted(ResultField(name="coming", type="yes-no"), greeting="This is Hartwell. Can you come?")
    assert await hears(brain, "sorry who is calling") == "This is Hartwell. Can you come?"


async def test_a_greeting_that_nobody_heard_comes_again() -> None:
    """They said "hello?" while it began."""
    brain = await greeted(APPOINTMENT)
    brain.interrupted("")
    assert await hears(brain, "hello") == f"{GREETING} {APPOINTMENT.question}"
    assert brain.expects is Expects.YES_NO


async def test_yes_to_a_greeting_that_was_cut_off_is_no_answer() -> None:
    brain = await greeted(REMINDER)
    brain.interrupted("Good day, this is")
    assert await hears(brain, "yes") == REMINDER.question
    assert brain.results == {}
    assert (await hears(brain, "yes")).endswith("[results taken]")


async def test_an_agent_that_waits_for_the_caller_asks_then() -> None:
    brain = await greeted(APPOINTMENT, greeting="")
    assert await hears(brain, "hello") == f"Hello. {APPOINTMENT.question}"


async def test_a_greeting_that_offers_help_waits_for_the_wish() -> None:
    brain = asking(REMINDER, direction="inbound", greeting="Hello. How can I help you?")
    assert await said(brain.greet()) == "Hello. How can I help you?"
    assert await hears(brain, "where can i park") == f"{PARKING} {REMINDER.question}"
    other = await greeted(REMINDER, direction="inbound", greeting="Hello. How can I help you?")
    assert await hears(other, "the yellow moon") == f"{SORRY} {REMINDER.question}"


async def test_what_is_noted_in_passing_is_not_asked_for() -> None:
    fields = (ResultField(name="name"), ResultField(name="Number", type="number"), ResultField(name="message"))
    assert await said(asking(*fields).greet()) == GREETING
    own = ResultField(name="name", question="Who is speaking, please?")
    assert await said(asking(own).greet()) == f"{GREETING} {own.question}"


async def test_a_brain_that_leaves_the_asking_to_another_does_not_ask_until_it_is_told_to() -> None:
    brain = asking(REMINDER, asks=False)
    assert await said(brain.greet()) == GREETING
    assert await hears(brain, "where can i park") == PARKING
    brain.begin_asking()
    assert await hears(brain, "where can i park") == f"{PARKING} {REMINDER.question}"


async def test_a_reply_that_was_taken_back_takes_its_answer_back() -> None:
    brain = await greeted(APPOINTMENT, REMINDER)
    await hears(brain, "cancel")
    brain.interrupted("")
    assert brain.results == {"appointment": ""}
    await hears(brain, "cancel no reschedule")
    assert brain.results == {"appointment": "reschedule"}


async def test_the_transcript_has_the_answer_that_was_understood() -> None:
    brain = await greeted(APPOINTMENT)
    assert brain.believed(Heard("reschedule please", "reschedule peas")) == "reschedule please"


async def test_our_call_does_not_thank_for_calling() -> None:
    agent = Agent(name="Office", greeting="Good day.", result_fields=(REMINDER,))
    brain = Receptionist(agent, matcher_of(agent, Letters()), "outbound")
    await said(brain.greet())
    assert await hears(brain, "yes") == "Thank you for your time. Good-bye. [results taken]"


# -- no more calls ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [(), (APPOINTMENT,), (WISH,)])
async def test_who_does_not_want_to_be_called_again_is_not(fields: tuple[ResultField, ...]) -> None:
    brain = await greeted(*fields)
    answer = await hears(brain, "please take me off your list")
    assert answer == "I am sorry. You will not be called again. Good-bye. [asked not to be called]"
    assert brain.results[DO_NOT_CALL] == "yes"


async def test_at_any_moment() -> None:
    brain = await greeted(APPOINTMENT)
    for text in ("can i leave a message", "john smith", "stop calling me"):
        answer = await hears(brain, text)
    assert answer.endswith("[asked not to be called]")
    brain = await greeted(APPOINTMENT)
    await said(brain.reply(Heard("cancel", "can sell")))
    assert (await hears(brain, "no and don't call me again")).endswith("[asked not to be called]")


async def test_what_only_one_recogniser_heard_is_asked() -> None:
    brain = await greeted(APPOINTMENT)
    question = await said(brain.reply(Heard("stop calling me", "top all in me")))
    assert question == "Shall I see to it that you are not called again?"
    assert brain.expects is Expects.YES_NO
    assert DO_NOT_CALL not in brain.results
    assert (await hears(brain, "yes")).endswith("[asked not to be called]")
    assert brain.results[DO_NOT_CALL] == "yes"


async def test_a_message_that_sounds_like_it_to_one_of_them_goes_on() -> None:
    brain = await greeted(APPOINTMENT)
    for text in ("can i leave a message", "john smith"):
        await hears(brain, text)
    answer = await said(brain.reply(Heard("stop calling me", "five five five oh one four two")))
    assert answer.startswith("John Smith. 5 5 5, 0 1 4 2.")


async def test_and_no_leads_back() -> None:
    brain = await greeted(APPOINTMENT)
    await said(brain.reply(Heard("stop calling me", "top all in me")))
    assert await hears(brain, "no") == f"All right. {APPOINTMENT.question}"
    assert DO_NOT_CALL not in brain.results


async def test_a_refusal_that_was_taken_back_unheard_is_none() -> None:
    brain = await greeted(APPOINTMENT)
    await hears(brain, "don't call me again")
    brain.interrupted("")
    await hears(brain, "don't call me again before nine")
    assert DO_NOT_CALL not in brain.results


@pytest.mark.parametrize("text", ["can you call me again tomorrow", "please don't call me before nine"])
async def test_who_only_speaks_of_calls_is_called_again(text: str) -> None:
    brain = await greeted(APPOINTMENT)
    assert "[asked" not in await hears(brain, text)
    assert DO_NOT_CALL not in brain.results


async def test_who_calls_us_is_on_no_list() -> None:
    brain = await greeted(direction="inbound")
    assert "[asked" not in await hears(brain, "take me off your list")
    assert DO_NOT_CALL not in brain.results
