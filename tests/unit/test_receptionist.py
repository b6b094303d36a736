"""Whole dialogues as tables: what was heard, what is said, what is expected next."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from app.brains.intents import intents_of
from app.brains.matching import Matcher, Thresholds
from app.brains.receptionist import Receptionist, matcher_of
from app.brains.words import words
from app.ports import Action, Expects, HangUp, Heard, Noted, Say
from app.pressing import Press
from app.settings import Agent
from app.transfers import Transfer
from tests.bench.intent import office_agent
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.unit

AGENT = office_agent()
MATCHER = matcher_of(AGENT, Letters())
PARKING = "There is a car park behind the building. The first two hours are free."
NONSENSE = "the moon above the hill is yellow"


def receptionist() -> Receptionist:
    return Receptionist(AGENT, MATCHER)


async def said(actions: AsyncGenerator[Action, None]) -> str:
    """The clauses as one text; a hang-up as its outcome in brackets, a transfer with an arrow."""
    return " ".join([_as_text(action) async for action in actions])


def _as_text(action: Action) -> str:
    match action:
        case HangUp(conclusion):
            return f"[{conclusion}]"
        case Transfer(person):
            return f"[-> {person}]"
        case Say(text) | Noted(text):
            return text
        case Press():
            pytest.fail("the receptionist presses no keys")


async def hears(brain: Receptionist, text: str) -> str:
    return await said(brain.reply(Heard(text, text)))


async def talk(brain: Receptionist, *turns: tuple[str, str, Expects]) -> None:
    for heard, start, expects in turns:
        answer = await hears(brain, heard)
        assert answer.startswith(start), (heard, answer)
        assert brain.expects is expects, (heard, answer)


async def test_it_greets_and_answers_in_its_owners_words() -> None:
    brain = receptionist()
    assert await said(brain.greet()) == AGENT.greeting
    await talk(
        brain,
        ("where can i park", PARKING, Expects.ANYTHING),
        ("do you take cash", "You can pay by card,", Expects.ANYTHING),
        ("what are your opening hours", AGENT.hours, Expects.ANYTHING),
    )


async def test_an_agent_that_waits_for_the_caller_greets_with_nothing() -> None:
    agent = Agent(name="quiet")
    assert await said(Receptionist(agent, matcher_of(agent, Letters())).greet()) == ""


async def test_it_says_that_it_does_not_know_the_hours() -> None:
    agent = Agent(name="bare")
    brain = Receptionist(agent, matcher_of(agent, Letters()))
    assert (await hears(brain, "what are your opening hours")).startswith("I do not know the opening hours.")


async def test_it_says_good_bye_and_hangs_up() -> None:
    brain = receptionist()
    assert await hears(brain, "good bye") == f"{AGENT.goodbye} [finished]"


async def test_silence_gets_a_question_and_then_a_good_bye() -> None:
    brain = receptionist()
    assert await said(brain.check_in()) == "Are you still there?"
    assert await said(brain.say_goodbye()) == f"{AGENT.goodbye} [silence]"


async def test_it_repeats_the_whole_answer_though_it_was_cut_off() -> None:
    brain = receptionist()
    await hears(brain, "where can i park")
    brain.interrupted("There is a car")
    assert await hears(brain, "what did you say") == PARKING


async def test_asked_to_repeat_before_it_said_anything_it_greets() -> None:
    assert await hears(receptionist(), "could you repeat that") == AGENT.greeting


async def test_it_never_invents() -> None:
    """Whatever is heard, what is said is the owner's words or asks something."""
    own = {entry.answer for entry in AGENT.knowledge} | {AGENT.hours, f"{AGENT.goodbye} [finished]"}
    own.add("Hello. How can I help you?")
    for text in (NONSENSE, "how much is a ticket to paris", "zzz", "yes", "no", "seven", "is it raining in rome"):
        answer = await hears(receptionist(), text)
        assert answer in own or answer.startswith(("I am sorry", "I am not sure", "I cannot")), (text, answer)


async def test_not_understood_twice_it_offers_to_take_a_message() -> None:
    await talk(
        receptionist(),
        (NONSENSE, "I am sorry, I did not understand you.", Expects.ANYTHING),
        (NONSENSE, "I am sorry, I did not understand you.", Expects.ANYTHING),
        (NONSENSE, "I am sorry, I cannot help you with that. Shall I take a message?", Expects.YES_NO),
        ("no", "All right. Is there anything else", Expects.ANYTHING),
        ("no", AGENT.goodbye, Expects.ANYTHING),
    )


async def test_understanding_in_between_starts_the_count_anew() -> None:
    sorry = "I am sorry, I did not understand you."
    await talk(
        receptionist(),
        (NONSENSE, sorry, Expects.ANYTHING),
        ("where can i park", PARKING, Expects.ANYTHING),
        (NONSENSE, sorry, Expects.ANYTHING),
        (NONSENSE, sorry, Expects.ANYTHING),
    )


async def test_nothing_recognised_is_asked_again() -> None:
    brain = receptionist()
    assert (await hears(brain, "")).startswith("I am sorry, I did not understand you.")
    assert brain.believed(Heard("", "")) == ""


def unsure() -> Receptionist:
    """One that believes nothing at once, so that every likely guess is asked about."""
    return Receptionist(AGENT, Matcher(intents_of(AGENT), Letters(), thresholds=Thresholds(believe=1.1, ask=0.2)))


async def test_unsure_it_asks_whether_its_guess_was_meant() -> None:
    await talk(
        unsure(),
        (
            "where can i park",
            'I am not sure I understood you. Did you want to ask, "where can I park"?',
            Expects.YES_NO,
        ),
        ("yes", PARKING, Expects.ANYTHING),
    )


async def test_what_is_said_again_when_asked_back_is_believed() -> None:
    brain = unsure()
    await talk(brain, ("is there parking", "I am not sure", Expects.YES_NO), ("parking", PARKING, Expects.ANYTHING))


@pytest.mark.parametrize(("choice", "place"), [("the first", 0), ("the second one please", 1)])
async def test_at_most_two_guesses_are_offered_to_choose_from(choice: str, place: int) -> None:
    brain = unsure()
    both = Heard("is there parking", "do you take insurance")
    question = await said(brain.reply(both))
    assert brain.decision is not None
    first, second = brain.decision.guesses
    assert question.endswith(f'Did you want to ask, "{first.key}", or to ask, "{second.key}"?')
    assert await hears(brain, choice) == AGENT.knowledge[(first, second)[place].place].answer


async def test_a_guess_that_is_denied_is_given_up() -> None:
    brain = unsure()
    await talk(brain, ("where can i park", "I am not sure", Expects.YES_NO), ("no", "I am sorry", Expects.ANYTHING))


async def at_read_back() -> Receptionist:
    brain = receptionist()
    for text in ("can i leave a message", "john smith", "five five five oh one four two"):
        await hears(brain, text)
    return brain


@pytest.mark.parametrize(
    ("correction", "read_back"),
    [
        ("no five five five oh one four three", "John Smith. 5 5 5, 0 1 4 3. Is that right?"),
        ("no my name is tom jones", "Tom Jones. 5 5 5, 0 1 4 2. Is that right?"),
        ("five five five nine nine nine nine", "John Smith. 5 5 5, 9 9 9 9. Is that right?"),
    ],
)
async def test_a_correction_in_passing_is_taken_and_read_back(correction: str, read_back: str) -> None:
    await talk(await at_read_back(), (correction, read_back, Expects.YES_NO), ("yes", "Thank you.", Expects.MESSAGE))


async def test_what_was_wrong_is_asked_for() -> None:
    await talk(
        await at_read_back(),
        ("no", "I am sorry. Which is wrong", Expects.ANYTHING),
        ("the name", "Please say your name once more.", Expects.NAME),
        ("paul jones", "Paul Jones. 5 5 5, 0 1 4 2. Is that right?", Expects.YES_NO),
        ("no", "I am sorry. Which is wrong", Expects.ANYTHING),
        ("the number", "Please say your number once more", Expects.NUMBER),
        ("double seven oh nine", "Paul Jones. 7 7 0 9. Is that right?", Expects.YES_NO),
        ("yes", "Thank you.", Expects.MESSAGE),
    )


async def test_what_nobody_confirmed_is_marked() -> None:
    brain = await at_read_back()
    assert brain.results["message_unconfirmed"] == "message_name, message_number"
    await talk(
        brain,
        ("the weather", "Please listen to the end and say yes or no.", Expects.YES_NO),
        ("the weather", "Please listen to the end and say yes or no.", Expects.YES_NO),
        ("the weather", "Thank you. What may I tell", Expects.MESSAGE),
        ("i called", "Thank you. I have noted", Expects.ANYTHING),
    )
    assert brain.results["message_unconfirmed"] == "message_name, message_number"
    assert brain.results["message"] == "i called"


async def test_yes_over_the_question_after_the_whole_read_back_counts() -> None:
    brain = await at_read_back()
    brain.interrupted("John Smith. 5 5 5, 0 1 4 2. Is")
    await talk(brain, ("yes", "Thank you. What may I tell", Expects.MESSAGE))
    assert "message_unconfirmed" not in brain.results


async def test_a_read_back_that_was_cut_off_is_read_again() -> None:
    brain = await at_read_back()
    brain.interrupted("John Smith. 5 5 5,")
    await talk(
        brain,
        ("yes", "Please listen to the end and say yes or no. John Smith. 5 5 5, 0 1 4 2.", Expects.YES_NO),
        ("yes", "Thank you. What may I tell", Expects.MESSAGE),
    )


async def test_a_read_back_that_is_read_again_may_be_confirmed_before_its_end() -> None:
    brain = await at_read_back()
    brain.interrupted("John Smith.")
    await hears(brain, "yes")
    brain.interrupted("Please listen to the end and say yes or no. John Smith. 5 5 5, 0 1 4 2. Is that")
    await talk(brain, ("yes", "Thank you. What may I tell", Expects.MESSAGE))


async def test_a_read_back_that_was_cut_off_and_repeated_on_request_may_be_confirmed() -> None:
    brain = await at_read_back()
    brain.interrupted("John Smith.")
    await talk(
        brain,
        ("could you repeat that", "John Smith. 5 5 5, 0 1 4 2. Is that right?", Expects.YES_NO),
        ("yes", "Thank you. What may I tell", Expects.MESSAGE),
    )


async def test_a_name_and_a_number_that_stay_unheard_do_not_hold_up_the_message() -> None:
    brain = receptionist()
    await talk(
        brain,
        ("can i leave a message", "I will take a message. What is your name", Expects.NAME),
        ("um", "I did not get your name.", Expects.NAME),
        ("um", "Thank you. And your telephone number", Expects.NUMBER),
        ("i have none", "I did not get the number.", Expects.NUMBER),
        ("i have none", "Thank you. What may I tell my colleagues?", Expects.MESSAGE),
        ("it works again", "Thank you. I have noted your message.", Expects.ANYTHING),
    )
    assert brain.results == {"message": "it works again"}


async def test_good_bye_ends_the_taking_of_a_message_and_what_is_noted_stays() -> None:
    brain = receptionist()
    await talk(
        brain,
        ("can i leave a message", "I will take a message.", Expects.NAME),
        ("john smith", "Thank you. And your telephone number", Expects.NUMBER),
        ("good bye", f"{AGENT.goodbye} [finished]", Expects.ANYTHING),
    )
    assert brain.results == {"message_name": "John Smith", "message_unconfirmed": "message_name"}


async def test_say_that_again_while_a_message_is_taken_asks_the_same_again() -> None:
    await talk(
        await at_read_back(),
        ("could you repeat that", "John Smith. 5 5 5, 0 1 4 2. Is that right?", Expects.YES_NO),
        ("yes", "Thank you.", Expects.MESSAGE),
    )


async def test_the_words_of_a_message_are_no_commands() -> None:
    brain = await at_read_back()
    await hears(brain, "yes")
    await talk(brain, ("good bye", "Thank you. I have noted your message.", Expects.ANYTHING))
    assert brain.results["message"] == "good bye"


async def test_a_reply_that_nobody_heard_is_undone() -> None:
    """The caller paused, went on, and the whole utterance came again."""
    brain = receptionist()
    await talk(brain, ("can i leave a message", "I will", Expects.NAME), ("john", "Thank you.", Expects.NUMBER))
    brain.interrupted("")
    assert brain.expects is Expects.NAME
    await hears(brain, "john smith")
    assert brain.results["message_name"] == "John Smith"


async def test_a_reply_that_was_never_begun_is_undone_too() -> None:
    brain = receptionist()
    brain.reply(Heard("can i leave a message", "can i leave a message"))
    brain.interrupted("")
    assert brain.expects is Expects.ANYTHING


async def test_a_check_in_that_nobody_heard_takes_nothing_back() -> None:
    brain = receptionist()
    await hears(brain, "can i leave a message")
    await said(brain.check_in())
    brain.interrupted("")
    assert brain.expects is Expects.NAME


async def test_a_good_bye_that_was_interrupted_does_not_end_the_call() -> None:
    brain = receptionist()
    await hears(brain, "good bye")
    brain.interrupted("Thank you")
    assert await hears(brain, "where can i park") == PARKING


@pytest.mark.parametrize(
    ("own", "general", "off_topic", "believed"),
    [
        ("where can I park", "where can I bark", 0.0, "where can I park"),
        ("a tram", "my neighbour has a boat", 0.6, "my neighbour has a boat"),
        ("", "hello", 0.0, "hello"),
        ("hello", "", 0.0, "hello"),
    ],
)
def test_what_goes_into_the_transcript(own: str, general: str, off_topic: float, believed: str) -> None:
    assert receptionist().believed(Heard(own, general, off_topic=off_topic)) == believed


async def test_dictated_words_come_from_the_dictation_model_and_digits_from_the_agents_own() -> None:
    brain = receptionist()
    await hears(brain, "can i leave a message")
    assert brain.believed(Heard("anna miller", "jonas miller")) == "jonas miller"
    await hears(brain, "jonas miller")
    assert brain.believed(Heard("five five five", "strive for life")) == "five five five"
    await said(brain.reply(Heard("five five five", "strive for life")))
    await hears(brain, "yes")
    assert brain.believed(Heard("parking please", "call me tomorrow")) == "call me tomorrow"


async def test_calls_of_one_agent_share_nothing() -> None:
    one, other = receptionist(), receptionist()
    await hears(one, "can i leave a message")
    assert (one.expects, other.expects) == (Expects.NAME, Expects.ANYTHING)
    assert other.results == {}


async def test_hang_up_comes_last() -> None:
    actions = [action async for action in receptionist().reply(Heard("good bye", "good bye"))]
    assert [isinstance(action, HangUp) for action in actions] == [False] * (len(actions) - 1) + [True]


async def test_the_log_says_why_and_not_what(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="app.brains")
    await hears(receptionist(), "i would like to speak to anna miller")
    (record,) = caplog.records
    shown = repr(vars(record)).casefold()
    assert "'verdict': 'believe'" in shown
    assert "own_asked" in shown
    assert not {"anna", "miller", "speak"} & set(words(shown))
