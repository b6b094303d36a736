"""The forms of a campaign's data and calling: text fields, and back."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from app.outbound.campaign import CallingHours, Campaign, FieldType, Retried, Retry
from provisioning.web.calling_form import RETRIED, calling_draft, calling_errors, typed_calling
from provisioning.web.data_form import FIELD_TYPES, data_draft, data_errors, typed_data
from provisioning.web.rendering import Form
from tests.unit.campaign_office import SETTINGS

pytestmark = pytest.mark.unit

BUSY_WEEK = Campaign(
    name="All of it",
    agent_id="a1",
    hours=(
        CallingHours(days=("monday", "tuesday"), begin="09:00", end="12:00"),
        CallingHours(days=("monday", "tuesday"), begin="13:30", end="17:00"),
        CallingHours(days=("sunday",), begin="18:00", end="24:00"),
    ),
    holidays=(date(2026, 12, 25), date(2027, 1, 1)),
    retries=(Retry(after="busy", attempts=2, wait_minutes=1, growth=1.5),),
    time_zone="Europe/Berlin",
)


def calling_form(settings: Campaign, **typed: str) -> Form:
    """As the page shows it, and a browser sends it."""
    shown: dict[str, str] = {}
    for name, value in typed_calling(settings, 1).items():
        if isinstance(value, tuple):
            parts = zip(("attempts", "wait_minutes", "growth"), value, strict=True)
            shown |= {f"{name}.{part}": text for part, text in parts}
        else:
            shown[name] = str(value)
    return Form(list((shown | typed).items()))


def data_form(settings: Campaign, **typed: str) -> Form:
    pairs: list[tuple[str, str]] = []
    for name, value in typed_data(settings, 1).items():
        if isinstance(value, list):
            pairs += [(f"field_{part}", text) for row in value for part, text in row.items()]
        else:
            pairs.append((name, typed.get(name, str(value))))
    return Form(pairs)


def test_what_can_be_chosen_is_what_there_is() -> None:
    assert {value for value, _ in FIELD_TYPES} == set(get_args(FieldType))
    assert {value for value, _ in RETRIED} == set(get_args(Retried))


@pytest.mark.parametrize("settings", [SETTINGS, BUSY_WEEK, Campaign(name="x", agent_id="a1", hours=(), retries=())])
def test_settings_come_back_from_their_forms(settings: Campaign) -> None:
    draft, errors = calling_draft(calling_form(settings))
    assert errors == {}
    stored = settings.model_dump(mode="json")
    read = Campaign.model_validate(stored | draft | data_draft(data_form(settings)))
    by_day = read.model_copy(update={"hours": settings.hours, "retries": settings.retries})
    assert by_day == settings
    assert {(day, each.begin, each.end) for each in read.hours for day in each.days} == {
        (day, each.begin, each.end) for each in settings.hours for day in each.days
    }
    assert set(read.retries) == set(settings.retries)


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("9-18", [("09:00", "18:00")]),
        ("9:00 – 12:30, 13.30 to 17:00", [("09:00", "12:30"), ("13:30", "17:00")]),
        ("0:00-24:00", [("00:00", "24:00")]),
        (" , ", []),
    ],
)
def test_hours_are_read_as_people_write_them(typed: str, spans: list[tuple[str, str]]) -> None:
    form = calling_form(Campaign(name="x", agent_id="a1", hours=()), **{"hours.monday": typed})
    draft, errors = calling_draft(form)
    assert errors == {}
    assert draft["hours"] == [{"days": ["monday"], "begin": begin, "end": end} for begin, end in spans]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("soon", "Write it like this"),
        ("9", "Write it like this"),
        ("18-9", "ends later than it begins"),
        ("9-9", "ends later than it begins"),
        ("9-25", "ends later than it begins"),
        ("9:60-10", "ends later than it begins"),
        ("22:00-24:30", "ends later than it begins"),
        ("٩-١٠", "Write it like this"),
    ],
)
def test_hours_that_are_none_are_told_at_their_day(typed: str, told: str) -> None:
    _, errors = calling_draft(calling_form(SETTINGS, **{"hours.tuesday": typed}))
    assert list(errors) == ["hours.tuesday"]
    assert told in errors["hours.tuesday"]


def test_holidays_are_read_in_two_spellings_and_once() -> None:
    draft, errors = calling_draft(calling_form(SETTINGS, holidays="2026-12-25\r\n\r\n25.12.2026\r\n1.1.2027"))
    assert errors == {}
    assert draft["holidays"] == ["2026-12-25", "2027-01-01"]


@pytest.mark.parametrize("line", ["30.2.2027", "Christmas", "2026-13-01", "12/25/2026", "0-0-0", "0000-01-01"])
def test_a_line_that_is_no_date_is_told(line: str) -> None:
    _, errors = calling_draft(calling_form(SETTINGS, holidays=f"2026-12-25\n{line}"))
    assert errors["holidays"].startswith("Line 2 is no date.")


def test_faults_of_retries_stand_at_their_outcome() -> None:
    form = calling_form(SETTINGS, **{"retry.busy.attempts": "1", "retry.no-answer.attempts": "99"})
    assert calling_errors({"retries.0.attempts": "too many", "at_once": "x"}, form) == {
        "retry.no-answer.attempts": "too many",
        "at_once": "x",
    }


def test_faults_of_fields_stand_at_their_row() -> None:
    form = Form([(f"field_{name}", value) for row in ("", "a b") for name, value in _row(row)])
    told = data_errors({"fields.0.name": "Has signs that cannot stand here.", "settings": "y", "name": "z"}, form)
    assert told == {
        "f2": "Use letters, digits and _ only, and begin with a letter, for example “first_name”.",
        "fields": "y",
        "name": "z",
    }


def _row(name: str) -> list[tuple[str, str]]:
    return [("name", name), ("type", "text"), ("required", ""), ("importable", "yes")]
