"""What a call brought, under the names and in the types that the agent's owner declared."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.brains.receptionist import Receptionist, matcher_of
from app.brains.results import as_text, completed
from app.ports import Heard
from app.settings import Agent, ResultField
from tests.unit.test_brains_matching import Letters
from tests.unit.test_receptionist import said

pytestmark = pytest.mark.unit

TEXT, NUMBER, YES_NO = (
    ResultField.model_validate({"name": "x", "type": kind}) for kind in ("text", "number", "yes-no")
)
CHOICE = ResultField(name="x", type="choice", choices=("Low", "very high"))


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (TEXT, "  Anna Miller ", "Anna Miller"),
        (TEXT, 12, "12"),
        (TEXT, True, "yes"),
        (TEXT, "", None),
        (TEXT, None, None),
        (TEXT, ["Anna"], None),
        (TEXT, {"name": "Anna"}, None),
        (TEXT, "x" * 600, "x" * 500),
        (TEXT, "half \ud83d of a smile", "half  of a smile"),
        (NUMBER, 3, "3"),
        (NUMBER, 2.5, "2.5"),
        (NUMBER, "007", "007"),
        (NUMBER, "three", None),
        (NUMBER, "nan", None),
        (NUMBER, "1e999", None),
        (NUMBER, True, None),
        (YES_NO, True, "yes"),
        (YES_NO, "No", "no"),
        (YES_NO, "maybe", None),
        (YES_NO, 1, None),
        (CHOICE, "low", "Low"),
        (CHOICE, "VERY HIGH", "very high"),
        (CHOICE, "high", None),
    ],
)
def test_a_value_fits_its_type_or_is_left_out(field: ResultField, value: object, text: str | None) -> None:
    assert as_text(field, value) == text


def test_a_required_result_that_was_not_found_is_there_and_empty() -> None:
    fields = (ResultField(name="who", required=True), ResultField(name="why"), ResultField(name="when", required=True))
    assert completed(fields, {"when": "monday", "something else": "x"}) == {"who": "", "when": "monday"}


def test_a_required_result_that_was_not_due_is_not_missing() -> None:
    fields = (
        ResultField(name="coming", type="choice", choices=("Yes", "Another day")),
        ResultField(name="day", only_after="another day", required=True),
    )
    assert completed(fields, {"coming": "yes"}) == {"coming": "Yes"}
    assert completed(fields, {"coming": "another day"}) == {"coming": "Another day", "day": ""}


async def test_the_receptionist_fills_what_it_notes_under_the_names_it_knows() -> None:
    fields = (ResultField(name="Name", required=True), ResultField(name="number"), ResultField(name="birthday"))
    agent = Agent(name="Office", result_fields=fields)
    brain = Receptionist(agent, matcher_of(agent, Letters()))
    assert brain.results == {"Name": ""}
    for heard in ("can i leave a message", "my name is john smith"):
        await said(brain.reply(Heard(heard, heard)))
    assert brain.results["Name"] == "John Smith"
    assert brain.results["message_name"] == "John Smith"
    assert "birthday" not in brain.results


@pytest.mark.parametrize(
    "fields",
    [
        [{"name": "urgency", "type": "choice"}],
        [{"name": "urgency", "type": "choice", "choices": ["one"]}],
        [{"name": "urgency", "choices": ["low", "high"]}],
        [{"name": "who"}, {"name": "WHO"}],
        [{"name": "day", "only_after": "yes"}],
        [{"name": "coming", "type": "yes-no"}, {"name": "day", "only_after": "later"}],
        [{"name": "day", "only_after": "yes"}, {"name": "coming", "type": "yes-no"}],
        [{"name": "x" * 41}],
        [{"name": ""}],
        [{"name": "who", "type": "date"}],
        [{"name": f"field {number}"} for number in range(31)],
    ],
)
def test_results_that_cannot_be_are_refused(fields: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        Agent.model_validate({"name": "Office", "result_fields": fields})
