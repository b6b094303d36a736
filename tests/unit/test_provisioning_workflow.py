"""A workflow as a form and as text: nothing is lost on the way there and back, and faults are told at their place."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from app.settings import Agent, ResultField, Workflow
from app.workflow_checks import problems
from provisioning.web.rendering import Form
from provisioning.web.workflow_form import (
    MOST_STATES,
    Typed,
    changed,
    label_of,
    typed_workflow,
    typed_workflow_of,
    workflow_draft,
    workflow_errors,
)
from provisioning.web.workflow_text import EXAMPLE, Parsed, mistakes_in, workflow_of, workflow_text
from provisioning.web.yaml_text import Mistake
from tests.unit.test_workflow_course import workflow

pytestmark = pytest.mark.unit

RICH = Workflow.model_validate(
    {
        "first": "a",
        "states": [
            {
                "name": "a",
                "says": "Hello: “you”\nagain",
                "instructions": "yes",
                "tools": [],
                "asks": ["no"],
                "then": [
                    {"to": "b", "when": "null", "result": "no", "value": "~", "said": ["yes", "0900"]},
                    {"to": "b", "said": ["go on"]},
                ],
            },
            {"name": "b", "tools": ["transfer", "Order status"], "last": True},
        ],
    }
)


def sent(typed: Typed, **other: str) -> Form:
    """As a browser sends it."""
    first, states = typed
    pairs = [("first", first)]
    for n, state in enumerate(states):
        pairs += [(f"s{n}.{name}", state[name]) for name in ("name", "was", "says", "instructions")]
        pairs += [(f"s{n}.{name}", "yes") for name in ("limited", "last") if state[name]]
        pairs += [(f"s{n}.{name}", each) for name in ("tools", "asks") for each in state[name]]
        rows = [*state["ways"], dict.fromkeys(("to", "when", "result", "value", "said"), "")]
        pairs += [(f"s{n}.t{m}.{name}", value) for m, way in enumerate(rows) for name, value in way.items()]
    pairs = [(name, other.get(name, value)) for name, value in pairs]
    return Form(parse_qsl(urlencode(pairs), keep_blank_values=True))


@pytest.mark.parametrize("flow", [workflow(), RICH], ids=["plain", "rich"])
def test_a_form_that_is_sent_as_it_came_changes_nothing(flow: Workflow) -> None:
    assert Workflow.model_validate(workflow_draft(typed_workflow_of(sent(typed_workflow(flow))))) == flow


def test_without_states_there_is_no_workflow() -> None:
    assert workflow_draft(typed_workflow(None)) is None


def test_what_leads_to_a_state_follows_its_name() -> None:
    first, states = typed_workflow_of(sent(typed_workflow(workflow()), **{"s0.name": "hello", "s1.name": " booked "}))
    assert first == "hello"
    assert [each["to"] for each in states[0]["ways"]] == ["booked", "people", "booked"]
    assert [each["to"] for each in states[2]["ways"]] == ["hello"]


def test_states_are_added_moved_and_removed_with_what_leads_there() -> None:
    first, states = changed(typed_workflow(None), "add")
    assert (first, [each["name"] for each in states]) == ("state-1", ["state-1"])
    typed = changed(typed_workflow(workflow()), "down s0")
    assert [each["name"] for each in typed[1]] == ["booking", "welcome", "people", "done"]
    first, states = changed(typed, "remove s1")
    assert first == "booking"
    assert [each["name"] for each in states] == ["booking", "people", "done"]
    assert states[1]["ways"] == []


@pytest.mark.parametrize(
    "change", ["", "remove s9", "remove s", "up s0", "down s3", "fly s0", "remove s-1", "remove s99999"]
)
def test_a_button_that_is_none_changes_nothing(change: str) -> None:
    assert changed(typed_workflow(workflow()), change) == typed_workflow(workflow())


def test_there_is_room_for_so_many_states() -> None:
    typed = typed_workflow(None)
    for _ in range(MOST_STATES + 3):
        typed = changed(typed, "add")
    assert len(typed[1]) == MOST_STATES
    assert len({each["name"] for each in typed[1]}) == MOST_STATES


def test_faults_stand_at_their_fields() -> None:
    told = workflow_errors(
        {
            "workflow.first": "No.",
            "workflow.states.2.name": "Has letters or signs that cannot stand here.",
            "workflow.states.2.then": "No way.",
            "workflow.states.2.then.1.said.0": "Too long.",
            "workflow.states.3.tools.0": "No tool.",
            "name": "Taken.",
        }
    )
    assert list(told) == ["first", "s2.name", "s2.t0.to", "s2.t1.said", "s3.tools", "name"]
    assert "small letters" in told["s2.name"]
    _, states = typed_workflow(workflow())
    labels = [label_of(each, states) for each in ("first", "s2.name", "s2.t1.said", "s9.tools")]
    assert labels == [
        "First state",
        "State “people”, name",
        "State “people”, way 2, phrases",
        "State “10”, what may be done",
    ]


# -- as text ----------------------------------------------------------------------------------------------------------


async def parsed(text: str) -> Workflow | None:
    found = await workflow_of(text)
    assert isinstance(found, Parsed), found
    return found.workflow


@pytest.mark.parametrize("flow", [workflow(), RICH], ids=["plain", "rich"])
async def test_text_that_is_saved_as_it_came_changes_nothing(flow: Workflow) -> None:
    assert await parsed(workflow_text(flow)) == flow


async def test_the_example_is_one_and_no_text_is_none() -> None:
    example = await parsed(EXAMPLE)
    assert example is not None
    assert workflow_text(None) == EXAMPLE
    assert workflow_text(example) == EXAMPLE
    assert await parsed(" \n") is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("first: a\nstates:\n- name: A b\n", 3, "“name”: has letters"),
        ("first: a\nstates:\n- name: a\n  sings: x\n", 4, "“sings”: is not known here"),
        ("first: a\nstates:\n- name: a\n  then:\n  - when: x\n", 5, "“to”: must be filled in"),
        ("first: a\nstates:\n- name: a\n  last: perhaps\n", 4, "“last”: must be true or false"),
        ("first: a\nstates: []\n", 2, "“states”: must have one state or more"),
        ("states:\n- name: a\n", 1, "“first”: must be filled in"),
        ("first: a\nstates:\n- name: a\n\tlast: true\n", 4, "tab"),
        ("first: a\nfirst: b\n", 2, "there twice"),
        ("just words", 1, ""),
    ],
)
async def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    found = await workflow_of(text)
    assert not isinstance(found, Parsed)
    assert found[0].line == line
    assert said in found[0].text


async def test_what_the_box_says_of_it_is_told_with_its_line() -> None:
    found = await workflow_of(EXAMPLE)
    assert isinstance(found, Parsed)
    told = mistakes_in(
        found.read,
        {
            "workflow.states.1.then.0.to": "Nowhere.",
            "workflow.states.1.asks.0": "What?",
            "workflow.first": "No.",
            "name": "x",
        },
    )
    assert told == (Mistake(1, "No."), Mistake(10, "What?"), Mistake(15, "Nowhere."))


async def test_the_example_in_the_documents_is_taken() -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
    [example] = re.findall(r"```yaml\n(first:.*?)```", handbook, re.DOTALL)
    flow = await parsed(example)
    assert flow is not None
    assert not problems(Agent(name="Practice", result_fields=(ResultField(name="day"),), workflow=flow))
    assert flow.states[0].then[0].said == ("an appointment", "see the doctor")
