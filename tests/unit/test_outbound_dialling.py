"""What is dialled for what somebody wrote."""

from __future__ import annotations

import re
from itertools import product

import pytest
from pydantic import ValidationError

from app.outbound.dialling import dial_string
from app.settings import DialRules

pytestmark = pytest.mark.unit

GERMANY = {"number_form": "national", "country_code": "49"}


def dialled(target: str, **rules: object) -> str:
    return dial_string(target, DialRules.model_validate(rules)).text


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("+49 30 1234", "00301234"),
        ("+49 (0)30 1234", "00301234"),
        ("0049 (0) 30/12-34", "00301234"),
        ("030 1234", "00301234"),
        ("(030) 1234", "00301234"),
        ("tel:+49-30-1234", "00301234"),
        ("+1 212 555 0100", "00012125550100"),
        ("001 212 555 0100", "00012125550100"),
        ("1234567", "01234567"),  # no area code: only the phone system can place it
    ],
)
def test_national_behind_an_outside_line(target: str, text: str) -> None:
    assert dialled(target, **GERMANY, prefix="0") == text


@pytest.mark.parametrize(
    ("target", "text"),
    [("030 1234", "+49301234"), ("0049 30 1234", "+49301234"), ("+1 212 555-0100", "+12125550100")],
)
def test_e164(target: str, text: str) -> None:
    assert dialled(target, number_form="e164", country_code="49") == text


def test_a_country_without_a_trunk_prefix_and_one_with_another() -> None:
    america = {"country_code": "1", "trunk_prefix": "", "international_prefix": "011"}
    assert dialled("(212) 555-0100", number_form="e164", **america) == "+12125550100"
    assert dialled("011 49 30 1234", number_form="e164", **america) == "+49301234"
    assert dialled("+49 30 1234", number_form="national", prefix="9", **america) == "901149301234"
    assert dialled("+1 212 555 0100", number_form="national", prefix="9", **america) == "92125550100"


def test_strip_then_prefix() -> None:
    assert dialled("+49 30 1234", strip="+49", prefix="0") == "0301234"
    assert dialled("+1 212 5550", strip="+49", prefix="") == "+12125550"
    assert dialled("00 30 1234", strip="0") == "0301234", "once"


EVERY_RULE = [
    {"number_form": form, "country_code": "49", "strip": strip, "prefix": prefix}
    for form, strip, prefix in product(("as given", "e164", "national"), ("", "0", "+"), ("", "0", "*9"))
]
NATIVE = [
    "7",
    "101",
    "99999",
    "*97",
    "*21*101#",
    "#31#",
    "**1",
    "reception",
    "j.smith",
    "sip:bob@pbx",
    "SIPS:b@c",
    "1-0-1",
]


@pytest.mark.parametrize("rules", EVERY_RULE, ids=str)
def test_what_the_phone_system_knows_is_dialled_as_given_whatever_the_rules(rules: dict[str, str]) -> None:
    assert [dialled(each, **rules) for each in NATIVE] == [*NATIVE[:-1], "101"]


@pytest.mark.parametrize("rules", EVERY_RULE, ids=str)
def test_a_number_becomes_one_that_can_be_dialled_without_losing_its_end(rules: dict[str, str]) -> None:
    for target in ("+49 30 123456", "0049 30 123456", "030 123456", "+44 20 7946 0018"):
        text = dialled(target, **rules)
        assert text.startswith(rules["prefix"])
        assert re.fullmatch(r"[0-9*#+]+", text)
        assert text.endswith(re.sub(r"\D", "", target)[-6:])


def test_without_rules_only_the_writing_goes() -> None:
    assert [dialled(each) for each in ("+49 30 1234", "030-1234", "0030 1234")] == ["+49301234", "0301234", "00301234"]


def test_how_long_an_extension_is_can_be_said() -> None:
    assert dialled("1234567", prefix="0", extension_digits=7) == "1234567"
    assert dialled("12345678", prefix="0", extension_digits=7) == "012345678"
    assert dialled("101", prefix="0", extension_digits=0) == "0101"
    assert dialled("1", prefix="0", extension_digits=0) == "01"
    assert [dialled(each, prefix="0") for each in ("12345", "123456")] == ["12345", "0123456"], "five, where not said"


def test_people_are_told_what_it_was_taken_for() -> None:
    rules = DialRules(prefix="0")
    taken_for = [dial_string(each, rules).how for each in ("101", "*97", "sip:a@b", "030 1234")]
    assert taken_for == [
        "an extension, dialled as given",
        "a code or name of the phone system, dialled as given",
        "a SIP address, dialled as given",
        "a number outside of the phone system",
    ]


@pytest.mark.parametrize(
    "rules",
    [
        {"number_form": "e164"},
        {"number_form": "national", "country_code": ""},
        {"country_code": "049"},
        {"prefix": "0 "},
        {"strip": "@pbx"},
        {"extension_digits": 11},
        {"number_form": "other"},
    ],
    ids=str,
)
def test_rules_that_cannot_be_are_refused(rules: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DialRules.model_validate(rules)
