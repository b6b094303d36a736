"""The form of a flow, its drawing and its words."""

from __future__ import annotations

import re

import pytest

from app.outbound.flow import END, AnyStep, CallStep, CheckStep, Flow, OtherFlowStep, Trigger, WaitStep, WebhookStep
from provisioning.web.flow_form import changed, flow_draft, flow_errors, typed_flow, typed_flow_of
from provisioning.web.flow_graph import WIDTH, drawn
from provisioning.web.flow_words import sentences
from provisioning.web.rendering import Form
from tests.unit.campaign_office import FLOW

pytestmark = pytest.mark.unit

EVERYTHING = Flow(
    triggers=(
        Trigger(on="participant created", then="call"),
        Trigger(on="participant updated", fields=("name", "number"), then="call"),
        Trigger(on="communication ended", then="check"),
    ),
    steps=(
        CallStep(id="call", greeting="", on_machine="leave message", message="Call us.", note="first"),
        CheckStep(id="check", of="calls", operator="at least", value="3", match="tell", otherwise="pause"),
        WaitStep(id="pause", minutes=90, then="again"),
        CallStep(id="again", greeting="Hello {name}", ring_s=20, then="check"),
        WebhookStep(id="tell", event="gave up", then="hand"),
        OtherFlowStep(id="hand", campaign="Letters"),
    ),
)


def form_of(flow: Flow, **typed: str) -> Form:
    """As the page shows it, and a browser sends it."""
    triggers, steps = typed_flow(flow)
    shown = {f"t{n}.{name}": value for n, each in enumerate(triggers) for name, value in each.items()}
    shown |= {f"s{n}.{name}": value for n, each in enumerate(steps) for name, value in each.items()}
    return Form(list((shown | typed).items()))


def flow_in(form: Form) -> Flow:
    return Flow.model_validate(flow_draft(*typed_flow_of(form)))


@pytest.mark.parametrize("flow", [FLOW, EVERYTHING, Flow()])
def test_a_flow_comes_back_from_its_form(flow: Flow) -> None:
    assert flow_in(form_of(flow)) == flow


def test_what_leads_to_a_step_follows_its_new_name() -> None:
    flow = flow_in(form_of(FLOW, **{"s0.id": "ring"}))
    assert {each.then for each in flow.triggers} == {"ring"}
    assert flow.steps[3].then == "ring"  # type: ignore[union-attr]


def after(flow: Flow, change: str, **typed: str) -> Flow:
    form = form_of(flow, **typed)
    return Flow.model_validate(flow_draft(*changed(*typed_flow_of(form), change, form)))


def test_a_step_is_put_between() -> None:
    flow = after(FLOW, "add step", kind="wait", after="call")
    assert [each.id for each in flow.steps] == ["call", "wait-2", "answered", "note", "wait"]
    call, wait = flow.steps[:2]
    assert isinstance(call, CallStep)
    assert isinstance(wait, WaitStep)
    assert (call.then, wait.then) == ("wait-2", "answered")


def test_a_check_that_is_put_between_goes_on_as_before_either_way() -> None:
    flow = after(FLOW, "add step", kind="check", after="call")
    check = flow.steps[1]
    assert isinstance(check, CheckStep)
    assert (check.match, check.otherwise) == ("answered", "answered")


def test_a_step_at_the_end_stands_alone() -> None:
    form = form_of(FLOW, kind="other flow", after="")
    steps = changed(*typed_flow_of(form), "add step", form)[1]
    assert [each["id"] for each in steps] == ["call", "answered", "note", "wait", "other-flow"]
    assert not any("other-flow" in (each["then"], each["match"], each["otherwise"]) for each in steps)


def test_what_led_to_a_step_that_goes_leads_on() -> None:
    flow = after(FLOW, "remove s3")
    check = flow.steps[1]
    assert isinstance(check, CheckStep)
    assert check.otherwise == "call"
    assert after(FLOW, "remove t0").triggers == FLOW.triggers[1:]


def test_steps_move_and_lead_where_they_did() -> None:
    flow = after(FLOW, "up s1")
    assert [each.id for each in flow.steps] == ["answered", "call", "note", "wait"]
    assert set(flow.steps) == set(FLOW.steps)
    assert after(FLOW, "down s0") == flow
    assert after(FLOW, "up s0") == FLOW


@pytest.mark.parametrize(
    "change", ["", "remove", "remove s99", "remove x1", "up s-1", "down s٤", "add nothing", "x" * 9999]
)
def test_changes_that_are_none_change_nothing(change: str) -> None:
    assert after(FLOW, change) == FLOW


def test_there_is_an_end_to_steps() -> None:
    flow = Flow(steps=tuple(WaitStep(id=f"w{n}", minutes=1, then=END) for n in range(100)))
    assert after(flow, "add step", kind="wait", after="") == flow


def test_faults_stand_at_their_field() -> None:
    told = flow_errors(
        {
            "flow.steps.2.call.ring_s": "a",
            "flow.steps.1.then": "b",
            "flow.triggers.0.then": "c",
            "flow.steps.0.check.of": "d",
            "flow.steps.3.wait.minutes": "e",
            "flow.steps": "f",
            "name": "g",
            "flow.steps.4": "h",
        }
    )
    assert told == {
        "s2.ring_s": "a",
        "s1.then": "b",
        "t0.then": "c",
        "s0.named": "d",
        "s3.count": "e",
        "flow": "f",
        "name": "g",
        "s4.id": "h",
    }


@pytest.mark.parametrize("flow", [FLOW, EVERYTHING, Flow()])
def test_the_drawing_stays_on_a_narrow_screen_and_boxes_do_not_touch(flow: Flow) -> None:
    graph = drawn(flow)
    assert len(graph.boxes) == len(flow.triggers) + len(flow.steps) + 1
    for box in graph.boxes:
        assert 0 <= box.x < box.x + box.width <= WIDTH
        assert all(len(line) * 7.3 <= box.width for line in box.lines)
    for upper, lower in zip(graph.boxes, graph.boxes[1:], strict=False):
        assert upper.y + upper.height < lower.y
    for line in graph.lines:
        assert all(-1 < float(x) < WIDTH for x in re.findall(r"M(-?[\d.]+)", line.path))


def test_each_way_is_drawn_once() -> None:
    assert len(drawn(FLOW).lines) == 2 + 1 + 2 + 1 + 1
    assert {line.kind for line in drawn(FLOW).lines} == {"", "yes", "otherwise"}


def test_a_call_that_leads_nowhere_leads_to_what_begins_when_it_is_over() -> None:
    assert len(drawn(EVERYTHING).lines) == 3 + 1 + 2 + 1 + 1 + 1


def test_what_leads_to_a_step_that_is_not_there_is_not_drawn() -> None:
    steps: tuple[AnyStep, ...] = (WaitStep(id="wait", minutes=5, then="nowhere"),)
    graph = drawn(Flow(steps=steps), {"wait"})
    assert graph.lines == ()
    assert [box.is_wrong for box in graph.boxes] == [True, False]


def test_a_hundred_steps_that_all_lead_far_are_still_as_wide() -> None:
    ways = [(f"c{(n * 37 + 11) % 100}", f"c{(n * 61 + 5) % 100}") for n in range(100)]
    steps = tuple(CheckStep(id=f"c{n}", of="calls", match=a, otherwise=b) for n, (a, b) in enumerate(ways))
    graph = drawn(Flow(steps=steps))
    assert min(box.width for box in graph.boxes) > 150
    assert len(graph.lines) == 200


def test_the_flow_in_words() -> None:
    assert sentences(FLOW) == [
        ("Begins", "A participant was added: go to “call”."),
        ("Begins", "Another campaign handed somebody over: go to “call”."),
        ("call", "Call, then go to “answered”."),
        ("answered", "If the result answer is “yes”: yes, go to “note”; otherwise, go to “wait”."),
        ("note", "Write “{result:answer}” into confirmed, then go to the end."),
        ("wait", "Wait 2 days, then go to “call”."),
    ]
