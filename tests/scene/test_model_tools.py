"""Calls in which a language model does more than talk: puts through, hangs up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from math import inf

import pytest
from trio.testing import MockClock

from app.brains.language_model import ModelBrain
from app.brains.patience import FILLER, FILLER_AFTER_S
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist, matcher_of
from app.language_models import ChatMessage, ModelFailed, ToolsRefused
from app.ports import Heard, Say
from app.settings import Agent, Knowledge, Person, ResultField
from app.transfers import Handover, TransferStep
from tests.fakes.language_model import NEVER, FakeModel, Written, at_once, tool
from tests.scene.stage import Scene, play
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

PARKING = "There is a car park behind the building."
AGENT = Agent(
    name="Reception",
    pause_ms=450,
    knowledge=(Knowledge(questions=("where can i park", "is there parking"), answer=PARKING),),
    directory=(
        Person(name="Anna Miller", extension="201", also=("sales", "orders")),
        Person(name="Bob Stone"),
        Person(name="David Brown", extension="202", also=("orders",)),
    ),
    result_fields=(
        ResultField(name="lamps", type="number", description="how many"),
        ResultField(name="urgency", type="choice", choices=("low", "high")),
        ResultField(name="customer", type="yes-no", required=True),
    ),
)
MATCHER = matcher_of(AGENT, Letters())
NOW = datetime(2026, 11, 26, 10, 57, tzinfo=UTC)
ASKS = (500, 1_000, "i need somebody who sells lamps")
ANSWERED = [(1.0, TransferStep(Handover.ANSWERED, 200, "OK", rang=True))]
BUSY = [(1.0, TransferStep(Handover.FAILED, 486, "Busy Here"))]
ANNA = tool("transfer", person="Anna Miller")
PUTTING = "I am putting you through to Anna Miller."
OFFER = "I am sorry, Anna Miller is on the telephone. Shall I take a message for Anna Miller?"


def brain_of(*answers: Written, agent: Agent = AGENT) -> tuple[ModelBrain, FakeModel]:
    model = FakeModel(list(answers))
    receptionist = Receptionist(agent, MATCHER, asks=False)
    return ModelBrain(agent, receptionist, model, prompt=system_prompt(agent), first_word_s=3.0, now=NOW), model


async def call(
    brain: ModelBrain,
    *script: tuple[int, int, str],
    transfers: Sequence[tuple[float, TransferStep]] = (),
    ends_ms: int = 20_000,
) -> Scene:
    return await play(list(script or (ASKS,)), brain, agent=AGENT, hangs_up_at_ms=ends_ms, transfers=transfers)


def notes(scene: Scene) -> list[str]:
    return [each.text for each in scene.log.notes]


# -- putting through -----------------------------------------------------------------------------------------------


async def test_the_model_puts_a_caller_through(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("", ANNA))
    scene = await call(brain, transfers=ANSWERED)
    assert scene.call.put_through_to == ["201"]
    assert scene.said_by("agent") == [PUTTING]
    assert scene.conclusion == "transferred to Anna Miller"
    assert brain.results["wanted"] == "Anna Miller"
    assert len(model.asked) == 1
    assert notes(scene) == []


async def test_what_the_model_has_said_is_not_said_again(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(at_once("Lamps, that is Anna Miller. I put you through.", ANNA))
    scene = await call(brain, transfers=ANSWERED)
    assert scene.said_by("agent") == ["Lamps, that is Anna Miller. I put you through."]
    assert scene.call.put_through_to == ["201"]


async def test_whoever_comes_back_is_offered_a_message_and_the_model_hears_of_it(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("Gladly.", ANNA), at_once("We are open until five."))
    scene = await call(brain, ASKS, (14_000, 500, "no"), (24_000, 500, "until when"), transfers=BUSY, ends_ms=40_000)
    assert scene.said_by("agent")[:2] == [f"Gladly. {PUTTING}", OFFER]
    assert scene.said_by("agent")[-1] == "We are open until five."
    assert notes(scene) == ["Anna Miller could not be reached: 486 Busy Here"]
    roles = [each.role for each in model.asked[-1]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user", "assistant", "user"]
    called, told, said = model.asked[-1][2:5]
    assert called.text == "Gladly."
    assert [(each.name, each.id) for each in called.calls] == [("transfer", told.answers)]
    assert said.text == f"{PUTTING}\n{OFFER}"


async def test_who_interrupts_is_not_put_through(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("", ANNA), at_once("Yes, please?"))
    scene = await call(brain, ASKS, (2_600, 900, "no wait"), transfers=ANSWERED, ends_ms=9_000)
    assert scene.call.put_through_to == []
    assert scene.said_by("agent")[-1] == "Yes, please?"
    assert len(model.asked) == 2


async def test_who_interrupts_the_models_words_has_not_asked_for_a_message(autojump_clock: MockClock) -> None:
    """The receptionist takes the floor only with words that are heard."""
    brain, _ = brain_of(at_once("I see that this is about a lamp of ours.", ANNA), at_once("All right."))
    scene = await call(brain, ASKS, (2_800, 900, "no wait"), transfers=ANSWERED, ends_ms=9_000)
    assert scene.lines("agent")[0].interrupted
    assert scene.said_by("agent")[-1] == "All right."
    assert scene.call.put_through_to == []
    assert "wanted" not in brain.results


@pytest.mark.parametrize("person", ["anna miller", " Anna Miller ", "Sales"])
async def test_other_words_for_one_person_lead_to_them(autojump_clock: MockClock, person: str) -> None:
    brain, _ = brain_of(at_once("", tool("transfer", person=person)))
    scene = await call(brain, transfers=ANSWERED)
    assert scene.call.put_through_to == ["201"]


@pytest.mark.parametrize("person", ["orders", "Bob Stone", "Nobody"])
async def test_whom_it_cannot_mean_it_is_told_and_says_so(autojump_clock: MockClock, person: str) -> None:
    """Words for two people, and people without an extension."""
    brain, model = brain_of(at_once("", tool("transfer", person=person)), at_once("Anna or David?"))
    scene = await call(brain, transfers=ANSWERED, ends_ms=9_000)
    assert scene.call.put_through_to == []
    assert scene.said_by("agent") == ["Anna or David?"]
    told = model.asked[1][-1]
    assert told.role == "tool"
    assert "these only: Anna Miller, David Brown." in told.text
    assert notes(scene) == [
        "The language model was refused something: nobody of the directory was named who can be put through to."
    ]


async def test_only_who_has_an_extension_is_offered_to_the_model_and_never_the_extension(
    autojump_clock: MockClock,
) -> None:
    brain, model = brain_of(at_once("Good day."))
    await call(brain, ends_ms=6_000)
    [tools] = model.tools
    [transfer] = [each for each in tools if each.name == "transfer"]
    assert transfer.parameters["properties"] == {
        "person": {"type": "string", "enum": ["Anna Miller", "David Brown"], "description": "whom"}
    }
    assert "201" not in f"{tools}{model.asked}"


async def test_without_anybody_to_put_through_to_there_is_no_such_tool(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("Good day."), agent=Agent(name="Bare", pause_ms=450))
    await call(brain, ends_ms=6_000)
    assert "transfer" not in [each.name for each in model.tools[0]]


# -- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", AGENT.goodbye),
        ("You are welcome.", f"You are welcome. {AGENT.goodbye}"),
        ("You are welcome. Good-bye!", "You are welcome. Good-bye!"),
    ],
)
async def test_the_model_hangs_up_and_the_caller_hears_good_bye_once(
    autojump_clock: MockClock, text: str, said: str
) -> None:
    brain, _ = brain_of(at_once(text, tool("end_call")))
    scene = await call(brain)
    assert scene.said_by("agent") == [said]
    assert scene.conclusion == "finished"


# -- messages and results ------------------------------------------------------------------------------------------


async def test_the_receptionist_takes_the_message_and_the_model_goes_on(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("Of course.", tool("take_message", person="Bob Stone")), at_once("Until five."))
    said = ["my name is john smith", "five five five one two three", "yes", "i need ten lamps", "until when"]
    script = [(9_000 + 12_000 * place, 1_000, text) for place, text in enumerate(said)]
    scene = await call(brain, ASKS, *script, ends_ms=75_000)
    assert scene.said_by("agent")[:4] == [
        "Of course. I will take a message for Bob Stone. What is your name, please?",
        "Thank you. And your telephone number, digit by digit?",
        "John Smith. 5 5 5, 1 2 3. Is that right?",
        "Thank you. What may I tell Bob Stone?",
    ]
    assert scene.said_by("agent")[-1] == "Until five."
    assert len(model.asked) == 2
    noted = {key: brain.results[key] for key in ("message_for", "message_name", "message_number", "message")}
    assert noted == {
        "message_for": "Bob Stone",
        "message_name": "John Smith",
        "message_number": "555123",
        "message": "i need ten lamps",
    }


async def test_a_question_that_was_not_heard_was_not_asked(autojump_clock: MockClock) -> None:
    """The receptionist's first question is made while the model's last words are still on the line."""
    brain, model = brain_of(at_once("Of course.", tool("take_message")), at_once("Yes, please?"))
    async with aclosing(brain.reply(Heard("a message", "a message"))) as actions:
        said = [action.text async for action in actions if isinstance(action, Say)]
    assert said == ["Of course.", "I will take a message.", "What is your name, please?"]
    brain.interrupted("Of course.")
    async with aclosing(brain.reply(Heard("no wait", "no wait"))) as actions:
        assert [action async for action in actions] == [Say("Yes, please?")]
    assert len(model.asked) == 2


@pytest.mark.parametrize("arguments", [{}, {"person": ""}])
async def test_a_message_for_nobody_in_particular(autojump_clock: MockClock, arguments: dict[str, str]) -> None:
    brain, _ = brain_of(at_once("", tool("take_message", **arguments)))
    scene = await call(brain, ends_ms=8_000)
    assert scene.said_by("agent") == ["I will take a message. What is your name, please?"]


async def test_results_are_noted_in_the_call_and_stay_whatever_the_model_reads_out_of_it_later(
    autojump_clock: MockClock,
) -> None:
    calls = (tool("set_result", name="lamps", value="10"), tool("set_result", name="customer", value=True))
    found = '{"lamps": "12", "urgency": "high"}'
    brain, model = brain_of(at_once("", *calls), at_once("Ten lamps."), at_once(found))
    scene = await call(brain, ends_ms=9_000)
    assert scene.said_by("agent") == ["Ten lamps."]
    assert [each.text for each in model.asked[1][-2:]] == ["Noted.", "Noted."]
    assert brain.results == {"lamps": "10", "customer": "yes"}
    assert await brain.conclude() == {"lamps": "10", "urgency": "high", "customer": "yes"}
    transcript = model.asked[2][1].text
    assert transcript == f"Caller: {ASKS[2]}\nAgent: Ten lamps."


async def test_a_result_that_does_not_fit_is_told_and_put_right(autojump_clock: MockClock) -> None:
    brain, model = brain_of(
        at_once("", tool("set_result", name="urgency", value="somewhat")),
        at_once("", tool("set_result", name="urgency", value="High")),
        at_once("It is urgent."),
    )
    scene = await call(brain, ends_ms=9_000)
    assert scene.said_by("agent") == ["It is urgent."]
    assert model.asked[1][-1].text == 'Nothing was noted: urgency must be one of "low", "high".'
    assert brain.results == {"urgency": "high", "customer": ""}
    assert notes(scene) == ["The language model was refused something: the value does not fit the result."]


async def test_what_it_noted_beside_its_question_needs_no_other_word(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("Ten. Is it urgent?", tool("set_result", name="lamps", value=10)), at_once("Good."))
    scene = await call(brain, ASKS, (8_000, 800, "it is"), ends_ms=14_000)
    assert scene.said_by("agent") == ["Ten. Is it urgent?", "Good."]
    assert len(model.asked) == 2
    assert [each.role for each in model.asked[1]] == ["system", "user", "assistant", "tool", "user"]
    assert brain.results["lamps"] == "10"


async def test_what_the_receptionist_confirmed_counts_more(autojump_clock: MockClock) -> None:
    named = AGENT.model_copy(update={"result_fields": (ResultField(name="name"),)})
    brain, _ = brain_of(
        at_once("", tool("set_result", name="name", value="Jon Smit"), tool("take_message")), agent=named
    )
    await call(brain, ASKS, (9_000, 1_000, "my name is john smith"), ends_ms=16_000)
    assert brain.results["name"] == "John Smith"


# -- more than the prompt holds ------------------------------------------------------------------------------------


LONG = " ".join(["and so on"] * 50)
ENTRIES = tuple(Knowledge(questions=(f"item number {n}",), answer=LONG) for n in range(60))
REPAIR = Knowledge(questions=("do you repair lamps", "lamp repair"), answer="We repair lamps on Mondays.")
LIBRARY = AGENT.model_copy(update={"knowledge": (*ENTRIES, REPAIR), "result_fields": ()})
LIBRARIAN = matcher_of(LIBRARY, Letters())


def library(*answers: Written) -> tuple[ModelBrain, FakeModel]:
    model = FakeModel(list(answers))
    receptionist = Receptionist(LIBRARY, LIBRARIAN, asks=False)
    prompt = system_prompt(LIBRARY)
    return ModelBrain(LIBRARY, receptionist, model, prompt=prompt, first_word_s=3.0, now=NOW), model


async def test_what_the_prompt_has_no_room_for_is_looked_up_and_the_session_says_what(
    autojump_clock: MockClock,
) -> None:
    brain, model = library(at_once("", tool("look_up", words="repair of lamps")), at_once("On Mondays."))
    scene = await call(brain, ends_ms=9_000)
    assert REPAIR.answer not in model.asked[0][0].text
    assert model.asked[1][-1].text == "do you repair lamps: We repair lamps on Mondays."
    assert scene.said_by("agent") == ["On Mondays."]
    assert notes(scene) == ["The language model looked up “do you repair lamps”."]


async def test_people_are_found_by_what_they_do_and_never_their_numbers(autojump_clock: MockClock) -> None:
    brain, model = library(at_once("", tool("look_up", words="sales")), at_once("Anna does."))
    await call(brain, ends_ms=9_000)
    assert model.asked[1][-1].text == "Anna Miller (sales, orders): can be put through to"


@pytest.mark.parametrize("text", ["elephants", "the of and"])
async def test_what_nobody_wrote_down_is_not_found(autojump_clock: MockClock, text: str) -> None:
    brain, model = library(at_once("", tool("look_up", words=text)), at_once("I do not know."))
    scene = await call(brain, ends_ms=9_000)
    assert "Nothing is known of that." in model.asked[1][-1].text
    assert notes(scene) == []


@pytest.mark.parametrize("text", ["", "…", "lamp " * 13, "l" * 201, ["lamp"], 5])
async def test_a_search_is_for_a_few_words(autojump_clock: MockClock, text: object) -> None:
    brain, model = library(at_once("", tool("look_up", words=text)), at_once("I do not know."))
    scene = await call(brain, ends_ms=9_000)
    assert model.asked[1][-1].text == "Nothing was looked up: give one to 12 words."
    assert notes(scene) == ["The language model was refused something: it looked for no words, or for too many."]


async def test_where_the_prompt_holds_all_there_is_nothing_to_look_up(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("Good day."))
    await call(brain, ends_ms=6_000)
    assert [each.name for each in model.tools[0]] == ["end_call", "transfer", "take_message", "set_result"]


# -- time ----------------------------------------------------------------------------------------------------------


async def test_rounds_share_the_patience_of_one_turn(autojump_clock: MockClock) -> None:
    """The filler covers the second question, and the receptionist answers where it takes too long."""
    nobody = tool("transfer", person="Nobody")
    brain, _ = brain_of(Written([], ends_after_s=0.9, calls=(nobody,)), Written([(2.0, "I do not know.")]))
    scene = await call(brain, ends_ms=12_000)
    assert scene.said_by("agent") == [f"{FILLER} I do not know."]
    brain, _ = brain_of(Written([], ends_after_s=2.0, calls=(nobody,)), NEVER)
    scene = await call(brain, (500, 1_000, "where can i park"), ends_ms=12_000)
    assert scene.said_by("agent") == [f"{FILLER} {PARKING}"]
    [note] = [each for each in scene.log.notes if "answered" in each.text]
    assert "no whole sentence within 6 s" in note.text


async def test_a_model_that_writes_a_call_for_long_is_waited_for_as_for_a_sentence(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(Written([], ends_after_s=4.5, calls=(ANNA,)))
    scene = await call(brain, transfers=ANSWERED)
    assert scene.said_by("agent") == [f"{FILLER} {PUTTING}"]
    assert scene.call.put_through_to == ["201"]
    assert scene.lines("agent")[0].start_ms < 1_500 + 450 + FILLER_AFTER_S * 1_000 + 300


async def test_a_call_that_is_never_written_to_its_end_is_given_up(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(Written([], ends_after_s=inf, calls=(ANNA,)))
    scene = await call(brain, (500, 1_000, "where can i park"), transfers=ANSWERED, ends_ms=14_000)
    assert scene.said_by("agent") == [f"{FILLER} {PARKING}"]
    assert scene.call.put_through_to == []
    assert "no whole sentence within 6 s" in scene.log.notes[0].text


# -- servers that take no tools ------------------------------------------------------------------------------------


REFUSES = Written(breaks=ToolsRefused("the language model's server takes no tools (400)"))


async def test_a_server_that_takes_no_tools_is_asked_without_and_the_session_says_so(
    autojump_clock: MockClock,
) -> None:
    brain, model = brain_of(REFUSES, at_once("You need Anna."), at_once("Yes."))
    scene = await call(brain, ASKS, (8_000, 500, "is that so"), ends_ms=14_000)
    assert scene.said_by("agent") == ["You need Anna.", "Yes."]
    assert [bool(each) for each in model.tools] == [True, False, False]
    assert "You can talk, and nothing else" in model.asked[1][0].text
    assert notes(scene) == ["The language model could only talk: the language model's server takes no tools (400)."]


async def test_a_server_that_takes_none_any_more_is_told_only_what_was_said(autojump_clock: MockClock) -> None:
    nobody = tool("transfer", person="Nobody")
    brain, model = brain_of(at_once("Let me see.", nobody), REFUSES, at_once("I am sorry."))
    scene = await call(brain, ends_ms=12_000)
    assert scene.said_by("agent") == ["Let me see. I am sorry."]
    assert model.asked[2][1:] == [ChatMessage("user", ASKS[2]), ChatMessage("assistant", "Let me see.")]


async def test_a_server_that_takes_nothing_at_all_leaves_the_receptionist(autojump_clock: MockClock) -> None:
    brain, model = brain_of(REFUSES, Written(breaks=ModelFailed("it does not take the question")))
    scene = await call(brain, (500, 1_000, "where can i park"), ends_ms=9_000)
    assert scene.said_by("agent") == [PARKING]
    assert len(model.asked) == 2
