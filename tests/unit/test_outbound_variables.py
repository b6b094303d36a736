"""Variables in what the agent says."""

from __future__ import annotations

import pytest

from app.outbound.variables import filled, names_in

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {name}, this is the office.", "Hello Zoë, this is the office."),
        ("{name}", "Zoë"),
        ("{name}{name}", "ZoëZoë"),
        ("Hello {other}, this is the office.", "Hello, this is the office."),
        ("{other} hello", "hello"),
        ("Hello {empty}!", "Hello!"),
        ("A brace { stays }, {} too, and {two words}", "A brace { stays }, {} too, and {two words}"),
        ("", ""),
    ],
)
def test_what_is_said(text: str, said: str) -> None:
    assert filled(text, {"name": "Zoë", "empty": ""}) == said


def test_a_value_is_never_looked_into() -> None:
    assert filled("Hello {name}", {"name": "{secret}", "secret": "x"}) == "Hello {secret}"


def test_the_names_that_a_text_asks_for() -> None:
    assert names_in("{b} and {a}, {b} again, not {1} or {}") == ("b", "a")
