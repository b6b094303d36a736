"""A participant's way through a flow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.outbound.campaign import Campaign, ParticipantField
from app.outbound.flow import CallStep, Flow
from app.outbound.walking import (
    CallNow,
    Done,
    Facts,
    HandOver,
    Stuck,
    TellWebhook,
    WaitUntil,
    Walk,
    compare,
    following,
    triggered,
    walk,
    written,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FIELDS = (
    ParticipantField(name="number", type="phone", required=True),
    ParticipantField(name="name"),
    ParticipantField(name="age", type="number"),
    ParticipantField(name="day", type="date"),
    ParticipantField(name="vip", type="yes-no"),
)


def flow(*steps: dict[str, Any], triggers: list[dict[str, Any]] | None = None) -> Flow:
    return Flow.model_validate({"steps": steps, "triggers": triggers or []})


def walked(step: str, *steps: dict[str, Any], **facts: object) -> Walk:
    campaign = Campaign(name="Survey", agent_id="a", fields=FIELDS, communications=3, flow=flow(*steps))
    known: dict[str, Any] = {"values": {}} | facts
    return walk(campaign, step, Facts(**known), NOW)


CALL = {"do": "call", "id": "call", "then": "end"}


def checked(of: str, operator: str, value: str = "", **facts: object) -> bool:
    step = {"do": "check", "id": "check", "of": of, "operator": operator, "value": value}
    way = walked("check", {**step, "match": "call", "otherwise": "end"}, CALL, **facts)
    return isinstance(way.stop, CallNow)


def test_a_call_and_a_wait_last() -> None:
    assert walked("call", CALL).stop == CallNow(CallStep(id="call", then="end"))
    pause = {"do": "wait", "id": "pause", "minutes": 90, "then": "call"}
    assert walked("pause", pause, CALL).stop == WaitUntil("pause", NOW + timedelta(minutes=90))
    assert walked("end").stop == Done()


def test_what_is_on_the_way_is_done_in_its_order_with_the_values_of_that_moment() -> None:
    way = walked(
        "before",
        {"do": "webhook", "id": "before", "event": "first", "then": "remember"},
        {"do": "set", "id": "remember", "field": "name", "value": "{result:Full name}, {age}", "then": "after"},
        {"do": "webhook", "id": "after", "event": "second", "then": "hand"},
        {"do": "other flow", "id": "hand", "campaign": "Thanks"},
        values={"age": "40"},
        results={"full name": "Ada"},
    )
    assert way.effects == (
        TellWebhook("before", "first", {"age": "40"}),
        TellWebhook("after", "second", {"age": "40", "name": "Ada, 40"}),
        HandOver("Thanks", {"age": "40", "name": "Ada, 40"}),
    )
    assert way.values == {"age": "40", "name": "Ada, 40"}
    assert way.changed == {"name"}
    assert way.stop == Done()


def test_a_field_keeps_one_spelling_and_what_does_not_fit_stays_out() -> None:
    def remember(value: str, field: str) -> dict[str, Any]:
        return {"do": "set", "id": "set", "field": field, "value": value, "then": "end"}

    results = {"day": "5.1.2027", "vip": "TRUE"}
    assert walked("set", remember("{result:day}", "day"), results=results).values == {"day": "2027-01-05"}
    assert walked("set", remember("{result:vip}", "vip"), results=results).values == {"vip": "yes"}
    way = walked("set", remember("{result:vip}", "day"), values={"day": "2026-12-31"}, results=results)
    assert (way.values, way.changed, way.stop) == ({"day": "2026-12-31"}, frozenset(), Done())
    assert way.notes == (
        'Step "set": what goes into "day" must be a date, written 2026-12-31 or 31.12.2026. It stays as it was.',
    )
    assert walked("set", remember("", "day"), values={"day": "2026-12-31"}).changed == {"day"}
    assert walked("set", remember("Ada", "name"), values={"name": "Ada"}).changed == frozenset()
    assert "no field" in walked("set", remember("x", "other")).notes[0]


def test_the_given_values_stay_as_they_are() -> None:
    given = {"name": "Ada"}
    remember = {"do": "set", "id": "set", "field": "name", "value": "Bob", "then": "end"}
    assert walked("set", remember, values=given).values == {"name": "Bob"}
    assert given == {"name": "Ada"}


def test_nobody_is_called_more_often_than_the_campaign_allows() -> None:
    assert isinstance(walked("call", CALL, communications=2).stop, CallNow)
    stop = walked("call", CALL, communications=3).stop
    assert isinstance(stop, Done)
    assert stop.reason.startswith("was called 3 times")


def test_a_flow_that_leads_nowhere_or_round_is_an_error_and_no_endless_loop() -> None:
    stop = walked("gone").stop
    assert isinstance(stop, Stuck)
    assert 'no step "gone"' in stop.reason
    there = {"do": "webhook", "id": "there", "event": "x", "then": "back"}
    back = {"do": "webhook", "id": "back", "event": "x", "then": "there"}
    way = walked("there", there, back)
    assert isinstance(way.stop, Stuck)
    assert "goes round" in way.stop.reason
    assert len(way.effects) == 200


def test_a_trigger_says_where_a_participant_is_put() -> None:
    triggers: list[dict[str, Any]] = [
        {"on": "participant created", "then": "call"},
        {"on": "participant updated", "fields": ["day"], "then": "pause"},
        {"on": "participant updated", "then": "end"},
    ]
    found = flow(CALL, triggers=triggers)
    assert triggered(found, "participant created") == "call"
    assert triggered(found, "participant updated", {"day", "name"}) == "pause"
    assert triggered(found, "participant updated", {"name"}) == "end"
    assert triggered(found, "incoming session") is None


def test_a_call_goes_on_where_its_step_says_or_where_the_trigger_does() -> None:
    calls = (
        {**CALL, "then": "tell"},
        {"do": "call", "id": "open"},
        {"do": "wait", "id": "w", "minutes": 1, "then": "x"},
    )
    ended = [{"on": "communication ended", "then": "sort"}]
    assert [following(flow(*calls, triggers=ended), each) for each in ("call", "open", "w")] == ["tell", "sort", "x"]
    assert following(flow(*calls), "open") == "end"
    assert following(flow(*calls), "gone") == "end"


# -- checks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "operator", "value", "holds"),
    [
        ("field name", "is", "ADA", True),
        ("field name", "is not", "Ada", False),
        ("field name", "contains", "d", True),
        ("field name", "contains", "x", False),
        ("field name", "is set", "", True),
        ("field name", "is not set", "", False),
        ("field other", "is not set", "", True),
        ("field other", "is not", "x", True),
        ("field age", "is", "40.0", True),
        ("field age", "at least", "40", True),
        ("field age", "at least", "41", False),
        ("field age", "at most", "100", True),
        ("field day", "is", "31.12.2026", True),
        ("field day", "at least", "1.12.2026", True),
        ("field day", "at most", "2026-12-30", False),
        ("field vip", "is", "true", True),
        ("field name", "at least", "1", False),
        ("field name", "at most", "1", False),
        ("field number", "is", "007", True),
        ("field number", "is", "7", False),
        ("result Mood", "is", "GOOD", True),
        ("result score", "is", "5", True),
        ("result score", "at least", "4.5", True),
        ("result nothing", "is set", "", False),
        ("outcome", "is", "Answered", True),
        ("status", "is", "completed", True),
        ("calls", "at least", "2", True),
        ("calls", "is", "2.0", True),
    ],
)
def test_a_check(of: str, operator: str, value: str, holds: bool) -> None:
    values = {"name": "Ada", "age": "40", "day": "2026-12-31", "vip": "yes", "number": "007"}
    results = {"mood": "good", "score": "5.0"}
    facts = {"results": results, "outcome": "answered", "status": "Completed", "communications": 2}
    assert checked(of, operator, value, values=values, **facts) is holds


def test_nothing_is_neither_more_nor_less() -> None:
    assert not compare("at least", "", "0", "number")
    assert not compare("at most", "", "0", "number")
    assert compare("is", "", "", "number")


def test_a_place_without_a_value_goes_with_the_space_before_it() -> None:
    assert written("for {name} at {result:time of day}", {}, {}) == "for at"
    assert written("{name}{result:x}", {"name": "Ada"}, {"x": "{name}"}) == "Ada{name}"
    assert written("{ name } {result:}", {"name": "Ada"}, {}) == "{ name } {result:}"
