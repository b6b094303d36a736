"""Values of participants as people and spreadsheets write them."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

import pytest

from app.outbound.campaign import FieldType, ParticipantField
from app.outbound.participants import Row, UnfitError, fitting, row

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("text", "  Ada  Lovelace ", "Ada  Lovelace"),
        ("text", "two\r\nlines\tand more", "two lines and more"),
        ("text", "", ""),
        ("phone", "+49 (0)30 / 12-34", "+49 (0)30 / 12-34"),
        ("phone", "\u202a+49\u00a030\u20131234\u202c", "+49 30-1234"),
        ("phone", "'0301234", "0301234"),
        ("phone", "101", "101"),
        ("phone", "*97", "*97"),
        ("phone", "j.smith", "j.smith"),
        ("phone", "sip:bob@pbx.office.lan;transport=tcp", "sip:bob@pbx.office.lan;transport=tcp"),
        ("number", "1250", "1250"),
        ("number", "-3", "-3"),
        ("number", "+3.50", "3.50"),
        ("number", "12,5", "12.5"),
        ("number", "0.125", "0.125"),
        ("number", "0,125", "0.125"),
        ("number", "1.250,00", "1250.00"),
        ("number", "1,250.5", "1250.5"),
        ("number", "1 250 000", "1250000"),
        ("number", "1'250", "1250"),
        ("number", "1\u202f250,5", "1250.5"),
        ("number", "1.250.000", "1250000"),
        ("number", "1250,125", "1250.125"),
        ("number", "\u221212", "-12"),
        ("date", "2026-12-31", "2026-12-31"),
        ("date", "2026-1-5", "2026-01-05"),
        ("date", "31.12.2026", "2026-12-31"),
        ("date", "5.1.2026", "2026-01-05"),
        ("date", "5. 1. 2026", "2026-01-05"),
        ("date", "2026-12-31 00:00:00", "2026-12-31"),
        ("date", "29.02.2028", "2028-02-29"),
        ("yes-no", "Yes", "yes"),
        ("yes-no", "TRUE", "yes"),
        ("yes-no", "0", "no"),
        ("yes-no", "nein", "no"),
        ("time zone", "Europe/Berlin", "Europe/Berlin"),
        ("time zone", "america/new york", "America/New_York"),
        ("time zone", "utc", "UTC"),
    ],
)
def test_a_value_is_kept_in_one_spelling(kind: FieldType, text: str, kept: str) -> None:
    assert fitting(kind, text) == kept
    assert fitting(kind, kept) == kept


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("text", "a" * 501, "too long"),
        ("text", "a\x00b", "another encoding"),
        ("text", "a\x96b", "another encoding"),
        ("text", "a\ud800b", "another encoding"),
        ("phone", "4.93012E+11", "spreadsheet"),
        ("phone", "4,93E+11", "spreadsheet"),
        ("phone", "493012345678.0", "spreadsheet"),
        ("phone", "030 1234; 030 5678", "one telephone number"),
        ("phone", "ask Bob", "one telephone number"),
        ("phone", "n/a", "one telephone number"),
        ("phone", "0" * 25, "too long"),
        ("number", "1.250", "thousands or for a fraction"),
        ("number", "1,250", "thousands or for a fraction"),
        ("number", "twelve", "must be a number"),
        ("number", "1e5", "must be a number"),
        ("number", "nan", "must be a number"),
        ("number", "1..5", "must be a number"),
        ("number", "12 34", "must be a number"),
        ("date", "12/31/2026", "written 2026-12-31 or 31.12.2026"),
        ("date", "31.12.26", "written 2026-12-31 or 31.12.2026"),
        ("date", "2026-12-31 14:30", "written 2026-12-31 or 31.12.2026"),
        ("date", "tomorrow", "written 2026-12-31 or 31.12.2026"),
        ("date", "31.02.2026", "does not exist"),
        ("date", "0000-01-01", "does not exist"),
        ("yes-no", "maybe", "yes or no"),
        ("time zone", "CET+1", "IANA"),
        ("time zone", "Munich", "IANA"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(kind: FieldType, text: str, says: str) -> None:
    with pytest.raises(UnfitError, match=says) as refused:
        fitting(kind, text)
    assert text not in str(refused.value)


def test_every_time_zone_of_the_system_can_be_given_and_used() -> None:
    for name in available_timezones():
        assert ZoneInfo(fitting("time zone", name.upper())).key == name


FIELDS = (
    ParticipantField(name="number", type="phone", required=True),
    ParticipantField(name="name"),
    ParticipantField(name="born", type="date"),
    ParticipantField(name="answer", importable=False),
)


def read(given: dict[str, str], *, imported: bool = False, partial: bool = False) -> Row:
    return row(given, FIELDS, imported=imported, partial=partial)


def said(found: Row) -> dict[str, str]:
    return {each.name: each.text for each in found.problems}


def test_a_row_has_the_values_that_fit_and_an_error_for_each_that_does_not() -> None:
    found = read({"number": "101", "name": " Ada ", "born": "31.2.1990"})
    assert found.values == {"number": "101", "name": "Ada"}
    assert said(found) == {"born": "is a day that does not exist"}


def test_what_is_required_must_be_there() -> None:
    assert said(read({"name": "Ada"})) == {"number": "is required and must not be empty"}
    assert said(read({"number": "   "})) == {"number": "is required and must not be empty"}


def test_an_edit_says_only_what_changes() -> None:
    assert read({"name": ""}, partial=True) == Row({"name": ""}, ())
    assert said(read({"number": ""}, partial=True)) == {"number": "is required and must not be empty"}


def test_a_stranger_among_the_fields_is_an_error() -> None:
    found = read({"number": "101", "Number": "102"})
    assert found.values == {"number": "101"}
    assert said(found)["Number"].startswith("is no field of this campaign")
    assert "number, name, born, answer" in said(found)["Number"]


def test_a_list_brings_only_what_it_may() -> None:
    given = {"number": "101", "answer": "yes"}
    assert read(given).problems == ()
    assert said(read(given, imported=True))["answer"].startswith("cannot come from a list")
    assert read({"number": "101", "answer": " "}, imported=True).problems == ()


def test_no_value_is_seen_in_what_is_logged() -> None:
    assert "Lovelace" not in repr(read({"number": "101", "name": "Lovelace"}))
