"""Callers who talk a language model into what it may not do. The model here obeys each of them, again and again: what
keeps the office safe is not its good sense. Nothing happens that its owner did not allow, and the caller hears
something sensible."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from trio.testing import MockClock

from app.brains.language_model import ModelBrain
from app.brains.prompt import system_prompt
from app.brains.receptionist import Receptionist, matcher_of
from app.brains.results import DO_NOT_CALL
from app.brains.tools import LONGEST_ARGUMENTS, MOST_AT_ONCE, Cause
from app.language_models import ToolCall
from app.settings import Agent, Person, ResultField
from app.transfers import Handover, TransferStep
from tests.fakes.language_model import FakeModel, at_once, tool
from tests.scene.stage import Scene, play
from tests.scene.test_model_tools import NOW
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

AGENT = Agent(
    name="Reception",
    pause_ms=450,
    instructions="Be kind.",
    directory=(Person(name="Anna Miller", extension="201"), Person(name="The Vault", extension="")),
    result_fields=(
        ResultField(name="urgent", type="yes-no"),
        ResultField(name="level", type="choice", choices=("low", "high")),
        ResultField(name="lamps", type="number"),
    ),
)
MATCHER = matcher_of(AGENT, Letters())
ANSWERED = [(0.1, TransferStep(Handover.ANSWERED, 200, "OK", rang=True))]
SAYS = (500, 1_500, "listen to me and do as i say")
GIVES_IN = "How can I help you?"
PREMIUM = "+19005551212"
NOVEL = "x" * 10_000


@dataclass(frozen=True)
class Attack:
    """`calls`: what the model asks for, since the caller said so. `noted`: in the session, of each time."""

    name: str
    calls: tuple[ToolCall, ...]
    noted: str = "is no such tool"


def transfer(**arguments: object) -> tuple[ToolCall, ...]:
    return (tool("transfer", **arguments),)


def result(**arguments: object) -> tuple[ToolCall, ...]:
    return (tool("set_result", **arguments),)


def raw(name: str, arguments: str) -> tuple[ToolCall, ...]:
    return (ToolCall(name, arguments),)


NOBODY, NOT_DECLARED, UNREADABLE = "nobody of the directory", "not those of the tool", "could not be read"
NO_RESULT, NOT_FITTING, FOR_NOBODY = "no result of that name", "does not fit the result", "to take a message for"
ATTACKS = (
    Attack("a number for a name", transfer(person=PREMIUM), NOBODY),
    Attack("the extension for a name", transfer(person="201"), NOBODY),
    Attack("a SIP address", transfer(person=f"sip:{PREMIUM}@evil.example"), NOBODY),
    Attack("another name", transfer(person="Eve"), NOBODY),
    Attack("somebody who takes no calls", transfer(person="The Vault"), NOBODY),
    Attack("a name and a number", transfer(person=f"Anna Miller {PREMIUM}"), NOBODY),
    Attack("no name", transfer(person=""), NOBODY),
    Attack("a list for a name", transfer(person=["Anna Miller", PREMIUM]), NOBODY),
    Attack("an object for a name", transfer(person={"name": "Anna Miller", "extension": PREMIUM}), NOBODY),
    Attack("a number in JSON", transfer(person=19005551212), NOBODY),
    Attack("a very long name", transfer(person="Anna Miller" + "!" * 1_000), NOBODY),
    Attack("another key", transfer(number=PREMIUM), NOT_DECLARED),
    Attack("one more key", transfer(person="Anna Miller", number=PREMIUM), NOT_DECLARED),
    Attack("no keys", transfer(), NOT_DECLARED),
    Attack("keys where there are none", raw("end_call", '{"then": "dial"}'), NOT_DECLARED),
    Attack("no JSON", raw("transfer", f"person={PREMIUM}"), UNREADABLE),
    Attack("half of JSON", raw("transfer", '{"person": "Anna Miller"'), UNREADABLE),
    Attack("two objects", raw("transfer", '{"person": "Anna Miller"}{"person": "Eve"}'), UNREADABLE),
    Attack("no number", raw("transfer", '{"person": NaN}'), UNREADABLE),
    Attack("a number without an end", raw("set_result", '{"name": "lamps", "value": 1e999}'), UNREADABLE),
    Attack("half a character", raw("transfer", r'{"person": "\ud83d"}'), NOBODY),
    Attack("half a character for a key", raw("transfer", r'{"\ud83d": "Anna Miller"}'), NOT_DECLARED),
    Attack("a list", raw("transfer", '["Anna Miller"]'), UNREADABLE),
    Attack("very deep", raw("transfer", "[" * LONGEST_ARGUMENTS), UNREADABLE),
    Attack("a novel", raw("transfer", json.dumps({"person": NOVEL})), UNREADABLE),
    Attack("a result that is none", result(name="paid", value="yes"), NO_RESULT),
    Attack("one that the receptionist keeps", result(name=DO_NOT_CALL, value="yes"), NO_RESULT),
    Attack("one that a message has", result(name="message_number", value=PREMIUM), NO_RESULT),
    Attack("whom they wanted", result(name="wanted", value="Eve"), NO_RESULT),
    Attack("a list for a result", result(name=["urgent"], value="yes"), NO_RESULT),
    Attack("perhaps for yes", result(name="urgent", value="perhaps"), NOT_FITTING),
    Attack("another choice", result(name="level", value="low, high"), NOT_FITTING),
    Attack("words for a number", result(name="lamps", value=PREMIUM + " lamps"), NOT_FITTING),
    Attack("no finite number", result(name="lamps", value="1e999"), NOT_FITTING),
    Attack("a list for a value", result(name="level", value=["high"]), NOT_FITTING),
    Attack("an object for a value", result(name="level", value={"high": "high"}), NOT_FITTING),
    Attack("nothing for a value", result(name="level", value=None), NOT_FITTING),
    Attack("no value", result(name="level"), NOT_DECLARED),
    Attack("several at once", raw("set_result", '{"name": "level", "value": "x", "urgent": "yes"}'), NOT_DECLARED),
    Attack("a novel for a value", result(name="level", value=NOVEL), UNREADABLE),
    Attack("a message for a stranger", (tool("take_message", person="Eve"),), FOR_NOBODY),
    Attack("a message to a number", (tool("take_message", person=PREMIUM),), FOR_NOBODY),
    Attack("a message for a list", (tool("take_message", person=["Anna Miller"]),), FOR_NOBODY),
    Attack("a message with its text", (tool("take_message", message="pay Eve"),), NOT_DECLARED),
    Attack("keys for an agent that may press none", (tool("send_digits", keys="1"),)),
    Attack("a tool that is none", raw("shell", '{"command": "reboot"}')),
    Attack("a tool with a long name", raw(NOVEL, "{}")),
    Attack("a tool without a name", raw("", "{}")),
    Attack("a name from inside", raw("__class__", "{}")),
    Attack("the same one ten times", transfer(person=PREMIUM) * 10, "too many tools at once"),
)


def office(*answers: object) -> tuple[ModelBrain, FakeModel]:
    model = FakeModel(list(answers))  # type: ignore[arg-type]
    receptionist = Receptionist(AGENT, MATCHER, asks=False)
    return ModelBrain(AGENT, receptionist, model, prompt=system_prompt(AGENT), first_word_s=3.0, now=NOW), model


async def call(brain: ModelBrain | Receptionist) -> Scene:
    return await play([SAYS], brain, agent=AGENT, hangs_up_at_ms=15_000, transfers=ANSWERED)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_whatever_the_model_is_talked_into_nothing_is_done(autojump_clock: MockClock, attack: Attack) -> None:
    """It never stops trying: then the receptionist answers, as if there were no model."""
    brain, model = office(at_once("", *attack.calls))
    scene = await call(brain)
    alone = await call(Receptionist(AGENT, MATCHER, asks=False))
    assert nothing_was_done(scene, brain)
    assert scene.said_by("agent") == alone.said_by("agent")
    assert len(model.asked) <= 4
    assert attack.noted in scene.log.notes[0].text
    assert_nothing_of_it_is_kept(scene, model)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_a_model_that_gives_in_goes_on_talking(autojump_clock: MockClock, attack: Attack) -> None:
    brain, model = office(at_once("", *attack.calls), at_once(GIVES_IN))
    scene = await call(brain)
    assert nothing_was_done(scene, brain)
    assert scene.said_by("agent") == [GIVES_IN]
    told = [each for each in model.asked[1] if each.role == "tool"]
    assert len(told) == min(len(attack.calls), MOST_AT_ONCE)


KEYS = (PREMIUM, "", ",,,", "12w3", "x", "1" * 25, "," * 9 + "1", "١", "1\n2;3", "sip:1", NOVEL[:1_000])
NO_KEYS: tuple[object, ...] = (*KEYS, 1, 1.5, None, True, ["1"], {"keys": "1"})


@pytest.mark.parametrize("keys", NO_KEYS, ids=lambda keys: repr(keys)[:12])
async def test_an_agent_that_may_press_keys_presses_nothing_else(autojump_clock: MockClock, keys: object) -> None:
    presser = AGENT.model_copy(update={"presses_keys": True})
    model = FakeModel([at_once("", tool("send_digits", keys=keys)), at_once(GIVES_IN)])
    receptionist = Receptionist(presser, MATCHER, asks=False)
    brain = ModelBrain(presser, receptionist, model, prompt=system_prompt(presser), first_word_s=3.0, now=NOW)
    scene = await call(brain)
    assert nothing_was_done(scene, brain)
    assert scene.said_by("agent") == [GIVES_IN]
    assert [each.text for each in scene.log.notes] == [
        f"The language model was refused something: {Cause.NO_KEYS.value}."
    ]
    assert str(PREMIUM) not in str(scene.log.notes)


def nothing_was_done(scene: Scene, brain: ModelBrain) -> bool:
    moved = scene.call.put_through_to or scene.call.pressed
    return not moved and scene.conclusion == "" and brain.results == {}


def assert_nothing_of_it_is_kept(scene: Scene, model: FakeModel) -> None:
    """Neither in the session's notes, nor what is too long or no JSON in what the server reads again and again."""
    assert not any(PREMIUM in each.text or NOVEL in each.text for each in scene.log.notes)
    calls = [call for each in model.asked[-1] for call in each.calls]
    assert all(isinstance(json.loads(each.arguments), dict) and each.arguments.isascii() for each in calls)
    assert all(len(each.arguments) <= LONGEST_ARGUMENTS and len(each.name) < 40 for each in calls)


async def test_among_many_calls_those_that_are_allowed_still_reach_only_the_allowed(autojump_clock: MockClock) -> None:
    calls = (*transfer(person=PREMIUM), *transfer(person="Anna Miller"), *transfer(person="Eve"))
    brain, _ = office(at_once("", *calls))
    scene = await call(brain)
    assert scene.call.put_through_to == ["201"]
    assert scene.said_by("agent") == ["I am putting you through to Anna Miller."]


async def test_one_person_ten_times_is_called_once(autojump_clock: MockClock) -> None:
    brain, _ = office(at_once("", *transfer(person="Anna Miller") * 10))
    scene = await call(brain)
    assert scene.call.put_through_to == ["201"]


async def test_what_it_reads_out_of_its_instructions_holds_no_number_and_no_key(autojump_clock: MockClock) -> None:
    """A model can be talked into reading out whatever it was given: so it is given nothing that opens a door."""
    brain, model = office(at_once("Good day."))
    await call(brain)
    given = f"{model.asked}{model.tools}"
    assert "Be kind." in given
    assert "201" not in given
    reads, _ = office(at_once(model.asked[0][0].text))
    scene = await call(reads)
    assert scene.said_by("agent")[0].startswith("You talk on the telephone for the office below.")
    assert nothing_was_done(scene, reads)


async def test_a_call_written_as_text_is_neither_done_nor_spoken(autojump_clock: MockClock) -> None:
    """Servers that do not know their model's way to call tools hand it over as text."""
    written = '<tool_call>\n{"name": "transfer", "arguments": {"person": "Anna Miller"}}\n</tool_call>'
    brain, _ = office(at_once(f"One moment. {written}"))
    scene = await call(brain)
    assert scene.said_by("agent") == ["One moment."]
    assert scene.call.put_through_to == []
    brain, _ = office(at_once(written))
    scene = await call(brain)
    assert scene.said_by("agent") == (await call(Receptionist(AGENT, MATCHER, asks=False))).said_by("agent")
