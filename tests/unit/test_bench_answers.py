"""The answers bench's own arithmetic, and that what tunes is not what scores."""

from __future__ import annotations

import pytest

from app.ports import Heard
from tests.bench.answers import FIELDS, Outcome, Said, figures, sentence_set

pytestmark = pytest.mark.unit

APPOINTMENT, REMINDER, SATISFACTION = FIELDS


def test_no_sentence_and_no_voice_both_tunes_and_scores() -> None:
    scored, tuning = sentence_set("scored"), sentence_set("tuning")
    assert not set(scored.voices) & set(tuning.voices)
    shared = {said.text for said in scored.sentences} & {said.text for said in tuning.sentences}
    assert {text for text in shared if " " in text} == set()


@pytest.mark.parametrize("name", ["scored", "tuning"])
def test_every_answer_can_be_given(name: str) -> None:
    for said in sentence_set(name).sentences:
        if said.field is APPOINTMENT:
            assert said.meant in APPOINTMENT.choices
        elif said.field is SATISFACTION:
            assert 1 <= int(said.meant) <= 10
        elif said.field is REMINDER:
            assert said.meant in ("yes", "no")


def test_the_figures() -> None:
    found: list[Outcome] = [
        ("a", Said("cancel", APPOINTMENT, "cancel"), Heard("cancel", "cancel")),
        ("a", Said("cancel", APPOINTMENT, "cancel"), Heard("cancel", "can sell")),
        ("b", Said("cancel", APPOINTMENT, "cancel"), Heard("confirm", "confirm")),
        ("b", Said("nine", SATISFACTION, "9"), Heard("and", "and")),
        ("b", Said("stop calling me", None, "no_more_calls"), Heard("stop calling me", "stop calling me")),
        ("b", Said("where can I park", None, "something_else"), Heard("where can i park", "stop calling me")),
    ]
    told = figures(found)
    assert (told["answers"], told["right"], told["wrong_at_once"]) == (4, 0.5, 0.25)
    assert (told["read_back"], told["asked_again"]) == (0.25, 0.25)
    assert told["cancel"] == {"right": 0.667, "at_once": 0.333}
    assert (told["no_more_calls"], told["stopped_wrongly"], told["asked_wrongly"]) == (1.0, 0.0, 1.0)
    assert told["voice"] == {"a": 1.0, "b": 0.0}
