"""What can be set of a campaign, and what is refused at once, in words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.outbound.campaign import Campaign
from app.outbound.flow import AnyStep, Flow, Trigger

pytestmark = pytest.mark.unit

STEP: TypeAdapter[AnyStep] = TypeAdapter(AnyStep)
CALL = {"do": "call", "id": "call", "then": "end"}


def campaign(**settings: object) -> Campaign:
    return Campaign.model_validate({"name": "Survey", "agent_id": "a"} | settings)


def refused(**settings: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as refusal:
        campaign(**settings)
    return words(refusal.value)


def words(refusal: ValidationError) -> dict[str, str]:
    errors = refusal.errors(include_input=False, include_url=False)
    return {".".join(map(str, each["loc"])): each["msg"].removeprefix("Value error, ") for each in errors}


def hours(begin: str | None = None, end: str | None = None, days: tuple[str, ...] = ("monday",)) -> dict[str, object]:
    given: dict[str, object] = {"days": days, "begin": begin, "end": end}
    return {"hours": [{name: value for name, value in given.items() if value is not None}]}


def test_what_is_left_out_is_as_a_new_campaign_has_it() -> None:
    fresh = campaign()
    assert (fresh.number_field, fresh.time_zone_field, fresh.time_zone) == ("number", "", "")
    assert [(each.begin, each.end, len(each.days)) for each in fresh.hours] == [("09:00", "18:00", 5)]
    assert Campaign.model_validate_json(fresh.model_dump_json()) == fresh


# -- hours -------------------------------------------------------------------------------------------------------


def test_hours_as_people_write_them() -> None:
    assert campaign(**hours("9:00", "17:30")).hours[0].begin == "09:00"
    assert campaign(**hours("0:00", "24:00")).hours[0].end == "24:00"


@pytest.mark.parametrize(
    ("begin", "end"),
    [("18:00", "09:00"), ("09:00", "09:00"), ("24:00", "24:00"), ("10:00", "9:00"), ("18:00", None), ("23:00", None)],
)
def test_hours_that_end_before_they_begin_are_refused(begin: str, end: str | None) -> None:
    """Also where the end is the one that nobody wrote."""
    assert refused(**hours(begin, end)) == {
        "hours.0.end": "must be later than the beginning; for hours past midnight, write two lines"
    }


@pytest.mark.parametrize("clock", ["25:00", "9", "09:60", "24:01", "9 am", "09:00:00", "", "-1:00", "٠٩:٠٠"])
def test_a_time_that_no_clock_shows_is_refused(clock: str) -> None:
    assert "hours.0.begin" in refused(**hours(clock, "24:00"))


def test_hours_without_a_day_are_refused() -> None:
    assert list(refused(**hours("09:00", "18:00", days=()))) == ["hours.0.days"]
    assert "hours.0.days.0" in refused(**hours("09:00", "18:00", days=("someday",)))


def test_a_time_zone_must_be_one() -> None:
    assert campaign(time_zone="Europe/Berlin").time_zone == "Europe/Berlin"
    assert "IANA" in refused(time_zone="Berlin")["time_zone"]
    assert "holidays.0" in refused(holidays=["24.12.2026"])


# -- fields ------------------------------------------------------------------------------------------------------


def test_the_number_must_be_a_field_that_is_a_telephone_number() -> None:
    assert "among the fields, of type phone" in refused(number_field="mobile")["number_field"]
    assert "among the fields, of type phone" in refused(number_field="name")["number_field"]
    assert "among the fields, of type phone" in refused(fields=[{"name": "mobile", "type": "phone"}])["number_field"]
    assert campaign(fields=[{"name": "mobile", "type": "phone"}], number_field="mobile").number_field == "mobile"


def test_the_time_zone_must_be_a_field_of_that_type() -> None:
    assert "of type time zone" in refused(time_zone_field="name")["time_zone_field"]
    fields = [{"name": "number", "type": "phone"}, {"name": "zone", "type": "time zone"}]
    assert campaign(fields=fields, time_zone_field="zone").time_zone_field == "zone"


def test_fields_have_names_of_their_own_that_can_stand_in_a_sentence() -> None:
    assert "same name" in refused(fields=[{"name": "number", "type": "phone"}, {"name": "Number"}])["fields"]
    for name in ("first name", "1st", "", "na{me", "a" * 41):
        assert "fields.0.name" in refused(fields=[{"name": name, "type": "phone"}])
    assert list(refused(fields=[])) == ["fields"]


def test_what_is_wrong_with_the_fields_is_said_once() -> None:
    told = refused(fields=[{"name": "number", "type": "telephone"}])
    assert "fields.0.type" in told
    assert "number_field" not in told


# -- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"retries": [{"after": "busy"}, {"after": "busy"}]}, "retries"),
        ({"retries": [{"after": "answered"}]}, "retries.0.after"),
        ({"retries": [{"after": "busy", "attempts": 0}]}, "retries.0.attempts"),
        ({"retries": [{"after": "busy", "wait_minutes": 0}]}, "retries.0.wait_minutes"),
        ({"retries": [{"after": "busy", "growth": 0.5}]}, "retries.0.growth"),
        ({"retries": [{"after": "busy", "growth": float("nan")}]}, "retries.0.growth"),
        ({"attempts": 0}, "attempts"),
        ({"at_once": 0}, "at_once"),
        ({"seats_for_inbound": -1}, "seats_for_inbound"),
        ({"breaker": {"percent": 0}}, "breaker.percent"),
        ({"breaker": {"window": 1000}}, "breaker.window"),
        ({"communications": 0}, "communications"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_where_it_stands(settings: dict[str, object], where: str) -> None:
    assert list(refused(**settings)) == [where]


# -- the flow ----------------------------------------------------------------------------------------------------


def test_a_flow_that_is_half_written_can_be_kept() -> None:
    flow = Flow.model_validate({"triggers": [{"on": "incoming session", "then": "later"}], "steps": []})
    assert campaign(flow=flow).flow == flow


def test_steps_have_ids_of_their_own() -> None:
    with pytest.raises(ValidationError) as refusal:
        Flow.model_validate({"steps": [CALL, CALL]})
    assert words(refusal.value)["steps"].startswith("two steps have the same id (call)")


def test_no_step_is_called_as_the_end_is() -> None:
    with pytest.raises(ValidationError) as refusal:
        STEP.validate_python({**CALL, "id": "end"})
    assert words(refusal.value)["call.id"].startswith('must not be "end"')


@pytest.mark.parametrize(
    "wrong",
    [
        {"do": "dance"},
        {"id": "Call"},
        {"id": ""},
        {"then": "no such id"},
        {"ring_s": 3},
        {"on_machine": "leave message"},
        {"on_machine": "leave message", "message": "  "},
        {"greeting": "a\x00b"},
        {"colour": "red"},
        {"do": "wait", "minutes": 0},
        {"do": "wait", "minutes": 60 * 24 * 366},
        {"do": "check", "of": "field first name", "match": "end", "otherwise": "end"},
        {"do": "check", "of": "colour", "match": "end", "otherwise": "end"},
        {"do": "set", "field": "a", "value": "two\nlines"},
        {"do": "webhook", "event": ""},
        {"do": "other flow", "campaign": ""},
    ],
    ids=str,
)
def test_a_step_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    kept = {} if wrong.get("do") in ("check", "other flow") else {"then": "end"}
    with pytest.raises(ValidationError):
        STEP.validate_python({"do": "call", "id": "x", **kept, **wrong})


@pytest.mark.parametrize(
    "right",
    [
        {"do": "call", "then": ""},
        {"do": "call", "greeting": ""},
        {"do": "call", "on_machine": "leave message", "message": "Call us back, {name}"},
        {"do": "wait", "minutes": 60 * 24 * 365, "then": "x"},
        {"do": "check", "of": "result do not call", "value": "yes", "match": "end", "otherwise": "x"},
        {"do": "set", "field": "a", "value": "", "then": "end"},
        {"do": "webhook", "event": "confirmed", "then": "end"},
        {"do": "other flow", "campaign": "Thanks"},
    ],
    ids=str,
)
def test_a_step_goes_to_the_disk_and_back(right: dict[str, Any]) -> None:
    step = STEP.validate_python({"id": "x", **right})
    assert isinstance(step, BaseModel)
    assert STEP.validate_json(step.model_dump_json()) == step


def test_a_trigger_leads_to_a_step() -> None:
    with pytest.raises(ValidationError):
        Trigger.model_validate({"on": "participant created"})
    with pytest.raises(ValidationError):
        Trigger.model_validate({"on": "new moon", "then": "call"})
