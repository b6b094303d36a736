"""One number in many spellings."""

from __future__ import annotations

from itertools import combinations

import pytest

from app.outbound.do_not_call import canonical, index_key, is_listed, same
from app.settings import DialRules

pytestmark = pytest.mark.unit

GERMANY = DialRules(number_form="national", country_code="49", prefix="0")
NO_RULES = DialRules()
AMERICA = DialRules(country_code="1", trunk_prefix="", international_prefix="011")


@pytest.mark.parametrize(
    "written",
    [
        "+49 30 1234",
        "0049301234",
        "00 49 30 1234",
        "030/1234",
        "(030) 1234",
        "030-12-34",
        "tel:+49-30-1234",
        "TEL:+49301234",
        "+49 (0)30 1234",
        "+49 030 1234",
        "\u202a+49 30 1234\u202c",
        "\uff10\uff13\uff10 1234",
        "\u0660\u0663\u0660 \u0661\u0662\u0663\u0664",
        "030\u20131234",
        "\u00a0030\u00a01234\u200b",
        "sip:+49301234@pbx.office.lan",
        "SIPS:0301234@pbx;transport=tls",
        "sip:0301234:secret@pbx",
    ],
)
def test_a_public_number_is_one_however_it_is_written(written: str) -> None:
    assert canonical(written, GERMANY) == "+49301234"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("101", "101"),
        ("1-0-1", "101"),
        ("sip:101@pbx", "101"),
        ("*97", "*97"),
        ("Reception", "reception"),
        ("sip:Bob@PBX.office.lan;user=phone", "sip:bob@pbx.office.lan"),
        ("sip:bob", "sip:bob"),
        ("1234567", "1234567"),  # no area code: only the phone system can place it
    ],
)
def test_what_belongs_to_the_phone_system_is_folded(written: str, number: str) -> None:
    assert canonical(written, GERMANY) == number


@pytest.mark.parametrize("written", ["", "  ", "Mr Smith", "-", "+", "...", "sip:", "sip:@pbx", "030 1234 or 5678"])
def test_what_cannot_be_called_has_no_canonical_number(written: str) -> None:
    assert canonical(written, GERMANY) == ""


def test_without_a_country_code_numbers_with_one_still_agree() -> None:
    assert canonical("+49 30 1234567", NO_RULES) == canonical("0049301234567", NO_RULES) == "+49301234567"
    assert canonical("030 1234567", NO_RULES) == "301234567"
    spellings = [canonical(each, NO_RULES) for each in ("+49 30 1234567", "0049 30 1234567", "030/1234567", "1234567")]
    assert all(same(one, other) for one, other in combinations(spellings, 2))


def test_a_country_without_a_trunk_prefix() -> None:
    spellings = ("+1 212 555 0100", "(212) 555-0100", "011 1 212 555 0100", "tel:+1-212-555-0100")
    assert {canonical(each, AMERICA) for each in spellings} == {"+12125550100"}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("+49301234567", "+49301234567", True),
        ("+49301234567", "301234567", True),
        ("301234567", "1234567", True),
        ("49301234567", "+49301234567", True),  # the plus was forgotten
        ("101", "101", True),
        ("+49301234567", "+43301234567", False),  # both tell their country
        ("+49301234567", "234567", False),  # too few digits
        ("+49301234567", "301234568", False),
        ("101", "+49301010101", False),
        ("101", "1010101", False),
        ("*97", "97", False),
        ("sip:bob@pbx", "sip:bob@other", False),
        ("", "", False),
        ("", "101", False),
    ],
)
def test_two_numbers_are_one_where_that_may_well_be(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is same(other, one) is alike
    if alike:
        assert index_key(one) == index_key(other)


def test_a_list_is_asked_by_canonical_number() -> None:
    listed = [canonical(each, NO_RULES) for each in ("030 1234567", "102")]
    assert is_listed(canonical("+49 30 1234567", GERMANY), listed)
    assert is_listed("102", listed)
    assert not is_listed(canonical("+49 30 7654321", GERMANY), listed)
    assert not is_listed("", listed)
