"""Calls with a language model behind the agent: quick, slow, broken, interrupted; a caller always hears something."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest
from trio.testing import MockClock

from app.brains.language_model import RESULTS_S, ModelBrain
from app.brains.patience import FILLER, FILLER_AFTER_S
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist, matcher_of
from app.brains.results import DO_NOT_CALL
from app.language_models import ModelFailed
from app.ports import Direction
from app.settings import Agent, Knowledge, ResultField
from tests.fakes.language_model import NEVER, FakeModel, Written, at_once
from tests.fakes.line import Utterance
from tests.scene.stage import CHUNK_MS, Scene, play
from tests.scene.test_reception import Office, ringing
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

PARKING = "There is a car park behind the building."
AGENT = Agent(
    name="Reception",
    pause_ms=450,
    knowledge=(Knowledge(questions=("where can i park", "is there parking"), answer=PARKING),),
    result_fields=(ResultField(name="name", required=True), ResultField(name="urgent", type="yes-no")),
)
MATCHER = matcher_of(AGENT, Letters())
FIRST_WORD_S = 3.0
NOW = datetime(2026, 11, 26, 10, 57, tzinfo=UTC)
ASKS = [(500, 1_000, "where can i park")]
ANSWER = "You can park behind the house. It is free for two hours."
DOWN = Written(breaks=ModelFailed("the language model cannot be used: nothing answers at its address"))
AGAIN = "I am sorry, I have to start again."
COMMIT_MS = 1_500 + 300
"""When the pause after ASKS is over."""

ODDS_MS = 2 * CHUNK_MS + 80 + 25 + 20
"""How exact that is, the recogniser and the voice, and a frame of the line."""


def brain_of(*answers: Written, agent: Agent = AGENT, direction: Direction = "inbound") -> tuple[ModelBrain, FakeModel]:
    model = FakeModel(list(answers))
    receptionist = Receptionist(agent, MATCHER, direction, asks=False)
    brain = ModelBrain(agent, receptionist, model, prompt=system_prompt(agent), first_word_s=FIRST_WORD_S, now=NOW)
    return brain, model


async def call(*answers: Written, script: list[tuple[int, int, str]] | None = None, ends_ms: int = 20_000) -> Scene:
    brain, _ = brain_of(*answers)
    return await play(script or ASKS, brain, agent=AGENT, hangs_up_at_ms=ends_ms)


def spoken(scene: Scene) -> list[str]:
    return scene.said_by("agent")


def first_sound_ms(scene: Scene) -> int:
    return scene.lines("agent")[0].start_ms


async def test_the_answer_is_spoken_as_it_comes(autojump_clock: MockClock) -> None:
    """A clause is, once the next has begun."""
    scene = await call(Written([(0.1, "You can park behind the house. It"), (5.0, " is free.")]))
    assert first_sound_ms(scene) <= COMMIT_MS + 100 + ODDS_MS
    assert spoken(scene) == ["You can park behind the house. It is free."]


async def test_a_slow_model_is_covered_by_one_filler(autojump_clock: MockClock) -> None:
    scene = await call(Written([(2.6, "You can park "), (0.1, "behind the house.")]))
    assert spoken(scene) == [f"{FILLER} You can park behind the house."]
    filler_ms = COMMIT_MS + FILLER_AFTER_S * 1000
    assert filler_ms - CHUNK_MS <= first_sound_ms(scene) <= filler_ms + ODDS_MS
    assert scene.log.notes == []


async def test_without_a_word_in_time_the_receptionist_answers_and_the_session_says_why(
    autojump_clock: MockClock,
) -> None:
    scene = await call(NEVER)
    assert spoken(scene) == [f"{FILLER} {PARKING}"]
    [note] = scene.log.notes
    assert note.text == "The receptionist answered: the language model was too slow: no word within 3 s."
    assert abs(note.at_ms - COMMIT_MS - 3_000) <= ODDS_MS


async def test_what_comes_while_the_filler_is_spoken_is_in_time(autojump_clock: MockClock) -> None:
    """The filler takes a second to say, and then the patience of a hurried owner is over."""
    model = FakeModel([Written([(1.4, "You can park "), (0.1, "behind the house.")])])
    receptionist = Receptionist(AGENT, MATCHER, asks=False)
    brain = ModelBrain(AGENT, receptionist, model, prompt="", first_word_s=1.5, now=NOW)
    scene = await play(ASKS, brain, agent=AGENT, hangs_up_at_ms=20_000)
    assert spoken(scene) == [f"{FILLER} You can park behind the house."]


async def test_words_that_never_make_a_sentence_are_given_up_too(autojump_clock: MockClock) -> None:
    scene = await call(Written([(0.5, "well ") for _ in range(100)]))
    assert spoken(scene) == [f"{FILLER} {PARKING}"]
    assert "no whole sentence within 6 s" in scene.log.notes[0].text


async def test_a_dead_server_costs_the_caller_no_time(autojump_clock: MockClock) -> None:
    scene = await call(DOWN)
    assert spoken(scene) == [PARKING]
    assert first_sound_ms(scene) <= COMMIT_MS + ODDS_MS
    assert "nothing answers at its address" in scene.log.notes[0].text


async def test_a_server_that_dies_in_its_answer_is_followed_by_the_receptionist(autojump_clock: MockClock) -> None:
    scene = await call(Written([(0.1, "You can park behind the house. And it ")], DOWN.breaks))
    assert spoken(scene) == [f"You can park behind the house. {AGAIN} {PARKING}"]


async def test_a_stream_that_stops_in_its_answer_is_followed_by_the_receptionist(autojump_clock: MockClock) -> None:
    scene = await call(Written([(0.1, "You can park behind the house. And it ")], ends_after_s=inf))
    assert spoken(scene) == [f"You can park behind the house. {AGAIN} {PARKING}"]
    assert "the answer stopped within 6 s" in scene.log.notes[0].text


async def test_after_two_failures_nobody_waits_for_it_any_more(autojump_clock: MockClock) -> None:
    brain, model = brain_of(NEVER)
    script = [(500 + 12_000 * turn, 1_000, "where can i park") for turn in range(3)]
    scene = await play(script, brain, agent=AGENT, hangs_up_at_ms=45_000)
    assert len(model.asked) == 2
    assert spoken(scene) == [f"{FILLER} {PARKING}", f"{FILLER} {PARKING}", f"{PARKING} Urgent: please say yes or no."]


async def test_a_server_that_comes_back_is_asked_again(autojump_clock: MockClock) -> None:
    brain, model = brain_of(DOWN, at_once(ANSWER), DOWN, at_once(ANSWER))
    script = [(500 + 12_000 * turn, 1_000, "where can i park") for turn in range(4)]
    scene = await play(script, brain, agent=AGENT, hangs_up_at_ms=50_000)
    assert len(model.asked) == 4
    assert spoken(scene) == [PARKING, ANSWER, PARKING, ANSWER]


async def test_an_interruption_stops_the_server_and_the_model_knows_what_was_heard(autojump_clock: MockClock) -> None:
    brain, model = brain_of(Written([(0.1, ANSWER), (0.1, " And so on.")], ends_after_s=inf), at_once("All right."))
    script = [*ASKS, (3_500, 800, "is it free")]
    scene = await play(script, brain, agent=AGENT, hangs_up_at_ms=8_000)
    cut, after = scene.lines("agent")
    assert cut.interrupted
    assert model.given[0].is_stopped
    assert after.text == "All right."
    roles = [(each.role, each.text) for each in model.asked[1][1:]]
    assert roles == [("user", "where can i park"), ("assistant", cut.text), ("user", "is it free")]


async def test_a_caller_who_goes_on_is_asked_about_once(autojump_clock: MockClock) -> None:
    """Until a word of the answer is heard, it is the same turn, and the model sees it whole."""
    brain, model = brain_of(at_once(ANSWER))
    scene = await play([(500, 1_000, "where can"), (2_000, 900, "i park")], brain, agent=AGENT, hangs_up_at_ms=9_000)
    assert [each.text for each in model.asked[-1][1:]] == ["where can i park"]
    assert model.given[0].is_stopped
    assert spoken(scene) == [ANSWER]


async def test_the_good_bye_is_the_receptionists(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("It is free. Is there anything else?"))
    script = [*ASKS, (6_000, 500, "no")]
    scene = await play(script, brain, agent=AGENT, hangs_up_at_ms=30_000)
    assert len(model.asked) == 1
    assert spoken(scene)[-1] == AGENT.goodbye
    assert scene.conclusion == "finished"


async def test_while_the_receptionist_asks_the_model_is_not(autojump_clock: MockClock) -> None:
    brain, model = brain_of(DOWN, at_once(ANSWER))
    script = [(500, 1_000, "can i leave a message"), (6_000, 1_000, "my name is john smith")]
    scene = await play(script, brain, agent=AGENT, hangs_up_at_ms=12_000)
    assert len(model.asked) == 1
    assert spoken(scene)[-1].endswith("And your telephone number, digit by digit?")
    assert brain.results["name"] == "John Smith"


async def test_what_was_not_understood_is_not_the_models_to_guess(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once(ANSWER))
    scene = await play([(500, 1_500, "")], brain, agent=AGENT, hangs_up_at_ms=8_000)
    assert model.asked == []
    assert spoken(scene)[0].startswith("I am sorry, I did not understand you.")


async def test_silence_is_minded_as_ever_and_the_model_hears_of_it(autojump_clock: MockClock) -> None:
    quiet = AGENT.model_copy(update={"silence_s": 5.0})
    brain, model = brain_of(at_once(ANSWER), agent=quiet)
    scene = await play([*ASKS, (10_350, 800, "where can i park")], brain, agent=quiet, hangs_up_at_ms=40_000)
    assert "Are you still there?" in spoken(scene)
    assert [each.role for each in model.asked[-1]] == ["system", "user", "assistant", "user"]
    assert model.asked[-1][2].text == f"{ANSWER}\nAre you still there?"
    assert scene.conclusion == "silence"


# -- what must not depend on it --------------------------------------------------------------------------------


async def test_who_does_not_want_to_be_called_again_needs_no_model(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once(ANSWER), direction="outbound")
    scene = await play([(500, 1_000, "please take me off your list")], brain, agent=AGENT)
    assert spoken(scene) == ["I am sorry. You will not be called again. Good-bye."]
    assert scene.conclusion == "asked not to be called"
    assert brain.results[DO_NOT_CALL] == "yes"
    assert model.asked == []


async def test_the_model_answers_whoever_calls_us_and_speaks_of_a_list(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(at_once(ANSWER))
    scene = await play([(500, 1_000, "please take me off your list")], brain, agent=AGENT, hangs_up_at_ms=9_000)
    assert spoken(scene) == [ANSWER]


async def test_where_the_model_is_down_the_receptionist_asks_for_what_the_call_should_bring(
    autojump_clock: MockClock,
) -> None:
    brain, _ = brain_of(NEVER)
    script = [(500 + 12_000 * turn, 1_000, "where can i park") for turn in range(3)]
    scene = await play([*script, (38_000, 500, "yes")], brain, agent=AGENT, hangs_up_at_ms=60_000)
    assert spoken(scene)[-1] == "Thank you. Is there anything else I can do for you?"
    assert brain.results["urgent"] == "yes"


# -- what the call brought ----------------------------------------------------------------------------------------


def office(*answers: Written) -> tuple[Office, FakeModel]:
    model = FakeModel(list(answers))

    def brain() -> ModelBrain:
        receptionist = Receptionist(AGENT, MATCHER, asks=False)
        return ModelBrain(AGENT, receptionist, model, prompt=system_prompt(AGENT), first_word_s=FIRST_WORD_S, now=NOW)

    return Office(seats=1, brain=brain, texts={1: "where can i park"}), model


CALLER = [Utterance(1, 500, 1_000)]


async def test_after_the_call_the_model_writes_down_what_was_declared(autojump_clock: MockClock) -> None:
    found = 'Here you are:\n```json\n{"name": "Anna", "urgent": "perhaps", "more": 1}\n```'
    desk, model = office(at_once(ANSWER), at_once(found))
    await desk.receive(ringing("a", CALLER))
    assert desk.ledger.logs[0].summary.results == {"name": "Anna"}
    asked = model.asked[1]
    assert '"urgent": "yes" or "no"' in asked[0].text
    assert asked[1].text == f"Caller: where can i park\nAgent: {ANSWER}"


@pytest.mark.parametrize(
    "answer",
    [at_once("I do not know."), at_once('["Anna"]'), DOWN, Written([(RESULTS_S + 1, '{"name": "Anna"}')]), NEVER],
    ids=["no JSON", "no object", "down", "late", "never"],
)
async def test_without_usable_results_those_of_the_receptionist_stay(
    autojump_clock: MockClock, answer: Written
) -> None:
    desk, model = office(at_once(ANSWER), answer)
    await desk.receive(ringing("a", CALLER))
    assert desk.ledger.logs[0].summary.results == {"name": ""}
    assert all(each.is_stopped for each in model.given)


async def test_a_call_without_the_models_words_asks_for_no_results(autojump_clock: MockClock) -> None:
    desk, model = office(DOWN)
    await desk.receive(ringing("a", CALLER))
    assert len(model.asked) == 1
    assert desk.ledger.logs[0].summary.ended_at is not None


async def test_the_seat_is_free_while_results_are_written_down(autojump_clock: MockClock) -> None:
    desk, _ = office(at_once(ANSWER), NEVER)
    calls = [ringing("a", CALLER, hangs_up_at_ms=5_000), ringing("b", hangs_up_at_ms=3_000)]
    await desk.receive(*calls, every_s=6)
    assert [desk.closed_as(each)[0] for each in calls] == ["answered", "answered"]


async def test_a_box_that_stops_meanwhile_keeps_the_session_whole(autojump_clock: MockClock) -> None:
    desk, model = office(at_once(ANSWER), NEVER)
    await desk.receive(ringing("a", CALLER, hangs_up_at_ms=5_000), until_s=7)
    assert desk.ledger.logs[0].summary.results == {"name": ""}
    assert model.given[1].is_stopped
