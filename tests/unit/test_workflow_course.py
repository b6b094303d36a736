"""Where a conversation goes on, and workflows in which it could get stuck."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from app.brains.course import MOST_CHANGES, Course, allows
from app.brains.phrases import likely_phrases
from app.settings import Agent, ResultField, State, Workflow
from app.workflow_checks import problems

pytestmark = pytest.mark.unit

FIELDS = (
    ResultField(name="Reason", type="choice", choices=("appointment", "prescription")),
    ResultField(name="known", type="yes-no"),
    ResultField(name="day"),
)
WORKFLOW: dict[str, object] = {
    "first": "welcome",
    "states": [
        {
            "name": "welcome",
            "asks": ["reason"],
            "then": [
                {"to": "booking", "result": "reason", "value": "Appointment", "when": "They want an appointment."},
                {"to": "people", "said": ["a real person", "somebody else"]},
                {"to": "booking", "when": "They want to see the doctor."},
            ],
        },
        {
            "name": "booking",
            "asks": ["day"],
            "tools": ["take_message", "Free days"],
            "then": [{"to": "done", "result": "day"}],
        },
        {"name": "people", "then": [{"to": "welcome", "when": "They want something else."}]},
        {"name": "done", "says": "You are booked.", "last": True},
    ],
}


def workflow(changes: Mapping[str, object] | None = None) -> Workflow:
    return Workflow.model_validate(WORKFLOW | dict(changes or {}))


COURSE = Course(workflow())


def names(*states: State | None) -> list[str]:
    return [each.name for each in states if each]


def test_it_begins_at_the_first_and_an_unknown_one_is_the_first() -> None:
    assert COURSE.state("").name == "welcome"
    assert COURSE.state("booking").name == "booking"
    assert COURSE.state("gone").name == "welcome"


@pytest.mark.parametrize(
    ("results", "states"),
    [
        ({}, []),
        ({"Reason": ""}, []),
        ({"Reason": "prescription"}, []),
        ({"reason": "APPOINTMENT"}, ["booking"]),
        ({"Reason": "appointment", "day": "Monday"}, ["booking", "done"]),
    ],
)
def test_results_lead_on(results: dict[str, str], states: list[str]) -> None:
    assert names(*COURSE.by_results(COURSE.state("welcome"), results)) == states


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("I want to talk to a real person, please!", ["people"]),
        ("a really nice person", []),
        ("unreal personal", []),
        ("", []),
        ("somebody, else", ["people"]),
    ],
)
def test_phrases_lead_on(said: str, state: list[str]) -> None:
    assert names(COURSE.by_words(COURSE.state("welcome"), "", said)) == state
    assert names(COURSE.by_words(COURSE.state("welcome"), said, "")) == state


def test_a_model_may_choose_what_is_described_in_words_each_once() -> None:
    assert [each.to for each in COURSE.choices(COURSE.state("welcome"))] == ["booking"]
    assert COURSE.choices(COURSE.state("booking")) == ()


def test_tools_are_named_as_people_name_them() -> None:
    booking, welcome = COURSE.state("booking"), COURSE.state("welcome")
    assert allows(booking, "free_days")
    assert allows(booking, "take_message")
    assert not allows(booking, "transfer")
    assert allows(welcome, "transfer")
    assert not allows(State(name="x", tools=()), "end_call")


def ring(*, says: str = "") -> Workflow:
    states = [
        {"name": "a", "then": [{"to": "b", "result": "day"}]},
        {"name": "b", "says": says, "then": [{"to": "a", "result": "day"}], "last": True},
    ]
    return Workflow.model_validate({"first": "a", "states": states})


def test_whoever_goes_round_is_stopped() -> None:
    course = Course(ring())
    assert names(*course.by_results(course.state("a"), {"day": "Monday"})) == ["b", "a", "b"]
    assert len(course.by_results(course.state("a"), {"day": "Monday"}, 0)) == 0
    assert MOST_CHANGES == 3


# -- what is refused -------------------------------------------------------------------------------------------------


def wrong(changed: Workflow, tools: list[str] | None = None) -> dict[str, str]:
    return dict(problems(Agent(name="A", result_fields=FIELDS, workflow=changed), tools))


def changed(place: int, **state: object) -> Workflow:
    states = [dict(each) for each in WORKFLOW["states"]]  # type: ignore[attr-defined]
    states[place] |= state
    return workflow({"states": states})


def test_what_fits_together_is_taken() -> None:
    assert wrong(workflow()) == {}
    assert wrong(workflow(), ["free days"]) == {}
    assert dict(problems(Agent(name="A"))) == {}


@pytest.mark.parametrize(
    ("flow", "where", "text"),
    [
        (workflow({"first": "begin"}), "first", "There is no state “begin”: choose one of “welcome”"),
        (changed(3, name="welcome"), "states.3.name", "there twice"),
        (changed(0, then=[{"to": "booking", "when": "x"}]), "states.2.name", "No conversation comes to “people”"),
        (changed(3, last=False), "states.3.then", "Nothing leads out of “done”"),
        (changed(2, then=[{"to": "people", "when": "x"}]), "states.2.then.0.to", "leads to where it begins"),
        (changed(2, then=[{"to": "moon", "when": "x"}]), "states.2.then.0.to", "no state “moon”"),
        (changed(2, then=[{"to": "welcome"}]), "states.2.then.0.to", "It says not when"),
        (changed(1, asks=["date"]), "states.1.asks.0", "no result “date”"),
        (changed(2, then=[{"to": "welcome", "result": "x"}]), "states.2.then.0.result", "no result “x”"),
        (changed(2, then=[{"to": "welcome", "when": "x", "value": "y"}]), "states.2.then.0.value", "belongs to a"),
        (changed(2, then=[{"to": "welcome", "result": "known", "value": "y"}]), "states.2.then.0.value", "“yes”, “no”"),
        (changed(2, then=[{"to": "welcome", "result": "reason", "value": "y"}]), "states.2.then.0.value", "never has"),
        (ring(), "states.0.then", "a → b → a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_a_caller_could_get_stuck_is_told_with_its_place(flow: Workflow, where: str, text: str) -> None:
    assert text in wrong(flow)[f"workflow.{where}"]


def test_a_tool_that_is_none_is_told_once_they_are_known() -> None:
    assert wrong(changed(1, tools=["fly"])) == {}
    assert "no tool “fly”" in wrong(changed(1, tools=["fly"]), ["Free days"])["workflow.states.1.tools.0"]
    assert "no tool “go_to”" in wrong(changed(1, tools=["go_to"]), [])["workflow.states.1.tools.0"]


def test_a_ring_that_says_something_or_that_no_result_goes_round_is_no_loop() -> None:
    assert "workflow.states.0.then" not in wrong(ring(says="Once more."))
    states = [
        {"name": "a", "then": [{"to": "b", "result": "known", "value": "yes"}]},
        {"name": "b", "then": [{"to": "a", "result": "known", "value": "no"}], "last": True},
    ]
    assert wrong(Workflow.model_validate({"first": "a", "states": states})) == {}


def test_a_workflow_with_ways_without_number_is_looked_at_in_time() -> None:
    states = [
        {
            "name": f"s{n}",
            "last": True,
            "then": [
                {"to": f"s{(n + step) % 20}", "when": "x", "result": "day", "value": f"v{n}"} for step in range(1, 9)
            ],
        }
        for n in range(20)
    ]
    assert wrong(Workflow.model_validate({"first": "s0", "states": states})) == {}


@pytest.mark.parametrize(
    "states",
    [
        [],
        [{"name": f"s{n}"} for n in range(21)],
        [{"name": "Not A Name"}],
        [{"name": "a", "then": [{"to": "b"}] * 9}],
        [{"name": "a", "instructions": "x" * 2001}],
        [{"name": "a", "sings": "x"}],
        [{"name": "a", "then": [{"to": "b", "when": "two\nlines"}]}],
    ],
)
def test_what_is_no_workflow_at_all(states: list[object]) -> None:
    with pytest.raises(ValidationError):
        Workflow.model_validate({"first": "a", "states": states})


def test_phrases_that_lead_on_are_expected_by_the_recogniser() -> None:
    agent = Agent(name="A", result_fields=FIELDS, workflow=workflow())
    assert "a real person" in likely_phrases(agent)
