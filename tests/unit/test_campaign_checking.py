"""Why a campaign cannot start, in words and with its place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.control.views import AgentPlan, Attachment
from app.outbound.campaign import Campaign
from app.outbound.checking import problems
from app.outbound.flow import Flow
from app.outbound.step_checks import OF_EVERY_CALL
from app.screening import Screening
from app.settings import Account, Agent, ResultField
from app.turns.answering_machine import Answerer, Because, Verdict

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LINES = {each: Account(name=f"Line {each}", domain="pbx", user="200") for each in ("one", "two")}
OFFICE = Agent(
    name="Caller",
    greeting="Hello {name}",
    max_opened_sessions=4,
    result_fields=(
        ResultField(name="Mood", type="choice", choices=("good", "bad")),
        ResultField(name="score", type="number"),
        ResultField(name="comment"),
    ),
)
CALL: dict[str, Any] = {"do": "call", "id": "call", "then": "end"}
CREATED = {"on": "participant created", "then": "call"}
FIELDS = (
    {"name": "number", "type": "phone", "required": True},
    {"name": "name"},
    {"name": "age", "type": "number"},
    {"name": "day", "type": "date"},
    {"name": "vip", "type": "yes-no"},
)


def plan(agent: Agent = OFFICE, *lines: str) -> AgentPlan:
    return AgentPlan(settings=agent, attachments=tuple(Attachment(connection_id=each) for each in lines or ("one",)))


def campaign(*steps: dict[str, Any], triggers: list[dict[str, Any]] | None = None, **settings: Any) -> Campaign:  # noqa: ANN401
    flow = {"steps": steps or (CALL,), "triggers": [CREATED] if triggers is None else triggers}
    return Campaign.model_validate({"name": "Survey", "agent_id": "a", "fields": FIELDS, "flow": flow} | settings)


def found(checked: Campaign, *others: Campaign, agent: AgentPlan | None = None) -> dict[str, str]:
    """The words by their place."""
    told = problems(checked, {"a": agent or plan()}, LINES, others, NOW)
    places = {each.where: each.text for each in told}
    assert len(places) == len(told), told
    return places


def of_step(step: dict[str, Any], agent: AgentPlan | None = None) -> dict[str, str]:
    """What is wrong in a step that a call leads to, by the name of its field."""
    ways = dict.fromkeys(WAYS[step["do"]], "end")
    told = found(campaign({**CALL, "then": "x"}, {"id": "x", **ways, **step}), agent=agent)
    assert all(where.startswith("flow.steps.1.") for where in told), told
    return {where.removeprefix("flow.steps.1."): text for where, text in told.items()}


WAYS = {"call": ("then",), "set": ("then",), "check": ("match", "otherwise")}


def test_a_new_campaign_can_start_once_its_agent_can_call() -> None:
    fresh = Campaign(name="Survey", agent_id="a")
    assert problems(fresh, {"a": plan()}, LINES, (), NOW) == ()
    assert found(campaign()) == {}


# -- the agent, and its line -------------------------------------------------------------------------------------


def test_an_agent_must_be_there() -> None:
    assert problems(campaign(agent_id="gone"), {"a": plan()}, LINES, (), NOW)[0].text.startswith(
        "The agent was deleted"
    )
    assert found(campaign(agent_id=""))["agent_id"].startswith("Nobody is there to call")


def test_an_agent_must_have_a_line_to_call_through() -> None:
    nothing = AgentPlan(settings=OFFICE)
    assert "has no connection to call through" in found(campaign(), agent=nothing)["agent_id"]
    assert "has no connection to call through" in found(campaign(), agent=plan(OFFICE, "gone"))["agent_id"]


def test_with_several_lines_one_must_be_chosen() -> None:
    several = plan(OFFICE, "one", "two")
    assert "choose “Line one” or “Line two”" in found(campaign(), agent=several)["connection_id"]
    assert found(campaign(connection_id="two"), agent=several) == {}
    assert found(campaign(), agent=plan(OFFICE, "one", "gone")) == {}
    assert "does not use this connection" in found(campaign(connection_id="two"))["connection_id"]


def test_a_seat_must_be_left() -> None:
    small = plan(OFFICE.model_copy(update={"max_opened_sessions": 1}))
    assert "No seat is left" in found(campaign(), agent=small)["seats_for_inbound"]
    assert found(campaign(seats_for_inbound=0), agent=small) == {}


# -- hours -------------------------------------------------------------------------------------------------------


def test_hours_that_never_come() -> None:
    assert "no calling hours" in found(campaign(hours=()))["hours"]
    mondays = ({"days": ("monday",)},)
    holidays = tuple(date(2026, 11, 30) + timedelta(days=7 * week) for week in range(58))
    assert "is a holiday" in found(campaign(hours=mondays, holidays=holidays))["holidays"]
    assert found(campaign(hours=mondays, holidays=holidays[:50])) == {}


# -- triggers ----------------------------------------------------------------------------------------------------


def test_something_must_begin_the_flow() -> None:
    assert list(found(campaign(triggers=[]))) == ["flow.triggers"]


def test_a_flow_must_have_steps() -> None:
    empty = campaign().model_copy(update={"flow": Flow.model_validate({"triggers": [CREATED | {"then": "end"}]})})
    assert list(found(empty)) == ["flow.steps"]


def test_a_trigger_must_lead_somewhere() -> None:
    told = found(campaign(triggers=[CREATED, {"on": "incoming session", "then": "gone"}]))
    assert told == {
        "flow.triggers.1.then": "The trigger “incoming session” leads to “gone”, which does not exist: choose another "
        "step, or “end”."
    }
    assert found(campaign(triggers=[CREATED, {"on": "incoming session", "then": "end"}])) == {}


UPDATED = {"on": "participant updated", "then": "call"}


@pytest.mark.parametrize(
    ("triggers", "wrong"),
    [
        ([CREATED, CREATED], [1]),
        ([{**UPDATED, "fields": ["age"]}, UPDATED], []),
        ([UPDATED, {**UPDATED, "fields": ["age"]}], [1]),
        ([{**UPDATED, "fields": ["age"]}, {**UPDATED, "fields": ["day"]}], []),
        ([{**UPDATED, "fields": ["age", "day"]}, {**UPDATED, "fields": ["day"]}], [1]),
        ([{**UPDATED, "fields": ["age"]}, {**UPDATED, "fields": ["age", "day"]}], []),
        (
            [{**UPDATED, "fields": ["age"]}, {**UPDATED, "fields": ["day"]}, {**UPDATED, "fields": ["day", "age"]}],
            [2],
        ),
    ],
)
def test_of_two_triggers_that_fit_alike_the_second_would_never_come(
    triggers: list[dict[str, Any]], wrong: list[int]
) -> None:
    told = found(campaign(triggers=triggers))
    assert list(told) == [f"flow.triggers.{place}.on" for place in wrong]
    assert all("is there twice" in text for text in told.values())


def test_only_an_update_looks_at_fields_and_they_must_exist() -> None:
    assert "looks at no fields" in found(campaign(triggers=[CREATED | {"fields": ["age"]}]))["flow.triggers.0.fields"]
    told = found(campaign(triggers=[UPDATED | {"fields": ["age", "size"]}]))
    assert told["flow.triggers.0.fields"].startswith("There is no field “size”")


def test_an_end_of_a_communication_must_be_asked_for() -> None:
    ended = {"on": "communication ended", "then": "end"}
    assert "never happens here" in found(campaign(triggers=[CREATED, ended]))["flow.triggers.1.on"]
    assert found(campaign({**CALL, "then": ""}, triggers=[CREATED, ended])) == {}
    assert found(campaign({**CALL, "then": ""}))["flow.steps.0.then"].startswith("Nothing follows on the call “call”")


# -- ways --------------------------------------------------------------------------------------------------------


def check(name: str, match: str, otherwise: str) -> dict[str, Any]:
    return {"do": "check", "id": name, "of": "field name", "operator": "is set", "match": match, "otherwise": otherwise}


def test_every_way_leads_somewhere() -> None:
    told = found(campaign({**CALL, "then": "sort"}, check("sort", "gone", "away")))
    assert sorted(told) == ["flow.steps.1.match", "flow.steps.1.otherwise"]
    assert "leads to “gone”, which does not exist" in told["flow.steps.1.match"]


def test_a_step_that_nobody_comes_to() -> None:
    told = found(campaign(CALL, check("a", "b", "end"), check("b", "call", "end")))
    assert sorted(told) == ["flow.steps.1.id", "flow.steps.2.id"]
    assert told["flow.steps.1.id"].startswith("Nobody comes to the step “a”")


def test_a_step_behind_the_trigger_of_a_call_that_ended_is_come_to() -> None:
    ended = {"on": "communication ended", "then": "sort"}
    assert found(campaign({**CALL, "then": ""}, check("sort", "end", "end"), triggers=[CREATED, ended])) == {}


def test_a_flow_that_goes_round_must_call_or_wait() -> None:
    told = found(
        campaign({**CALL, "then": "a"}, check("a", "b", "end"), check("b", "end", "c"), check("c", "a", "end"))
    )
    assert told["flow.steps.1"].startswith("The flow goes round without end: a → b → c → a.")
    own = found(campaign({**CALL, "then": "a"}, check("a", "a", "end")))
    assert own["flow.steps.1"].startswith("The flow goes round without end: a → a.")
    pause = {"do": "wait", "id": "pause", "minutes": 5, "then": "a"}
    assert found(campaign({**CALL, "then": "a"}, check("a", "pause", "end"), pause)) == {}
    assert found(campaign({**CALL, "then": "a"}, check("a", "call", "end"))) == {}


def test_two_rounds_through_one_step_are_two() -> None:
    steps = (check("a", "b", "c"), check("b", "a", "end"), check("c", "a", "end"))
    told = problems(campaign({**CALL, "then": "a"}, *steps), {"a": plan()}, LINES, (), NOW)
    assert [each.where for each in told] == ["flow.steps.1"]
    split = (check("a", "b", "c"), check("b", "a", "end"), check("c", "d", "end"), check("d", "c", "end"))
    assert sorted(found(campaign({**CALL, "then": "a"}, *split))) == ["flow.steps.1", "flow.steps.3"]


# -- other campaigns ---------------------------------------------------------------------------------------------


def hand(to: str) -> dict[str, Any]:
    return {"do": "other flow", "id": "hand", "campaign": to}


TAKEN = {"on": "other flow", "then": "call"}


def test_a_participant_is_handed_to_another_campaign_that_takes_them() -> None:
    handing = campaign({**CALL, "then": "hand"}, hand("thanks"))
    assert found(handing, campaign(triggers=[TAKEN], name="Thanks")) == {}
    assert "There is no campaign “thanks”" in found(handing)["flow.steps.1.campaign"]
    assert "takes nobody over" in found(handing, campaign(name="Thanks"))["flow.steps.1.campaign"]
    itself = campaign({**CALL, "then": "hand"}, hand("SURVEY"))
    assert "to itself" in found(itself)["flow.steps.1.campaign"]


def test_campaigns_that_hand_participants_to_and_fro_must_call_or_wait() -> None:
    def passes(name: str, to: str) -> Campaign:
        return campaign(hand(to), triggers=[TAKEN | {"then": "hand"}], name=name)

    def calls(name: str, to: str) -> Campaign:
        return campaign({**CALL, "then": "hand"}, hand(to), triggers=[TAKEN], name=name)

    told = found(passes("A", "B"), passes("B", "C"), passes("C", "A"))
    assert "hands participants back at once" in told["flow.steps.0.campaign"]
    assert found(passes("A", "B"), passes("B", "C"), calls("C", "A")) == {}
    assert found(calls("A", "B"), passes("B", "A")) == {}


# -- what is said ------------------------------------------------------------------------------------------------


def test_only_fields_are_said() -> None:
    assert of_step({"do": "call", "greeting": "Hello {name}, {age}"}) == {}
    assert "says {size}, which is no field" in of_step({"do": "call", "greeting": "Hello {size}"})["greeting"]
    assert "{first name}" in of_step({"do": "call", "greeting": "Hello {first name}"})["greeting"]
    assert "{result:Mood}" in of_step({"do": "call", "greeting": "Last time {result:Mood}"})["greeting"]
    assert of_step({"do": "call", "greeting": ""}) == {}
    strange = plan(OFFICE.model_copy(update={"greeting": "Hello {title}"}))
    told = found(campaign(), agent=strange)["flow.steps.0.greeting"]
    assert told.startswith("The greeting of the agent “Caller” says {title}")


def test_a_message_is_checked_where_it_is_left() -> None:
    assert "{size}" in of_step({"do": "call", "on_machine": "leave message", "message": "{size}"})["message"]
    assert of_step({"do": "call", "on_machine": "hang up", "message": "{size}"}) == {}


# -- what is compared and written --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "operator", "value", "name", "says"),
    [
        ("field size", "is", "1", "of", "There is no field “size”"),
        ("result size", "is set", "", "of", "brings no result “size”"),
        ("field name", "is", "", "value", "Say what it is compared with"),
        ("field age", "is", "old", "value", "must be a number"),
        ("field day", "is not", "12/31/2026", "value", "must be a date"),
        ("field vip", "is", "perhaps", "value", "must be yes or no"),
        ("field age", "at least", "old", "value", "compares numbers and dates"),
        ("field number", "at least", "5", "operator", "is for numbers and dates"),
        ("field vip", "at most", "5", "operator", "is for numbers and dates"),
        ("outcome", "at most", "5", "operator", "is for numbers and dates"),
        ("outcome", "is", "hung up", "value", "must be one of answered, "),
        ("status", "is", "Over", "value", "must be one of Started, Completed"),
        ("calls", "is", "many", "value", "must be a number"),
        ("result mood", "is", "great", "value", "must be one of good, bad"),
        ("result score", "is", "high", "value", "must be of the type number"),
    ],
)
def test_a_check_that_cannot_be(of: str, operator: str, value: str, name: str, says: str) -> None:
    told = of_step({"do": "check", "of": of, "operator": operator, "value": value})
    assert list(told) == [name]
    assert says in told[name]


@pytest.mark.parametrize(
    ("of", "operator", "value"),
    [
        ("field name", "contains", "da"),
        ("field name", "at least", "5"),
        ("field day", "at most", "31.12.2026"),
        ("field vip", "is", "TRUE"),
        ("field number", "is", "+49 30 1234567"),
        ("outcome", "is", "Answered"),
        ("status", "is not", "noresponse"),
        ("calls", "at least", "2"),
        ("result MOOD", "is", "GOOD"),
        ("result comment", "contains", "nice"),
        ("result do not call", "is", "yes"),
        ("result answered_by", "is", "human"),
    ],
)
def test_a_check_that_can_be(of: str, operator: str, value: str) -> None:
    assert of_step({"do": "check", "of": of, "operator": operator, "value": value}) == {}


@pytest.mark.parametrize(
    ("field", "value", "name", "says"),
    [
        ("size", "", "field", "There is no field “size”"),
        ("name", "{size}", "value", "There is no field “size”"),
        ("name", "{result:size}", "value", "brings no result “size”"),
        ("name", "{first name}", "value", "{first name} stays as it is"),
        ("age", "old", "value", "must be a number"),
        ("day", "31.2.2026", "value", "does not exist"),
    ],
)
def test_a_field_that_cannot_be_written(field: str, value: str, name: str, says: str) -> None:
    told = of_step({"do": "set", "field": field, "value": value})
    assert list(told) == [name]
    assert says in told[name]


def test_a_field_that_can_be_written() -> None:
    assert of_step({"do": "set", "field": "age", "value": "{result:Score}"}) == {}
    assert of_step({"do": "set", "field": "name", "value": "{name} ({result:mood}, {number})"}) == {}
    assert of_step({"do": "set", "field": "day", "value": ""}) == {}


def test_results_that_every_call_brings_are_those_of_the_screening() -> None:
    class Silence:
        def heard(self, chunk: bytes) -> bool:
            return False

    screening = Screening("call", Silence())
    screening.verdict = Verdict(Answerer.HUMAN, 0.9, Because.WAITS, talk_ms=500)
    assert set(screening.results) == OF_EVERY_CALL - {"do not call"}


def test_without_its_agent_a_flow_is_checked_all_the_same() -> None:
    steps = ({**CALL, "then": "x"}, {"do": "check", "id": "x", "of": "result y", "operator": "is", "value": "1"})
    checked = campaign(steps[0], steps[1] | {"match": "gone", "otherwise": "end"}, agent_id="b")
    told = problems(checked, {"a": plan()}, LINES, (), NOW)
    assert [each.where for each in told] == ["agent_id", "flow.steps.1.match"]
