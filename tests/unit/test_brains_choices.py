"""Which of several values somebody meant."""

from __future__ import annotations

import pytest

from app.brains.choices import PHRASES, Concept, concept_of, meant

pytestmark = pytest.mark.unit

APPOINTMENT = ("confirm", "cancel", "reschedule")


@pytest.mark.parametrize("concept", list(Concept))
def test_every_phrase_is_understood_among_the_others(concept: Concept) -> None:
    for phrase in PHRASES[concept]:
        found = meant(APPOINTMENT, phrase)
        assert found is not None, phrase
        assert found.value == concept.value, phrase


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes that works", "confirm"),
        ("okay I'll be there on monday", "confirm"),
        ("I'm afraid I can't make it", "cancel"),
        ("I can't make it, can we move it to another day", "reschedule"),
        ("yes but I have to cancel", "cancel"),
        ("cancel, no, reschedule", "reschedule"),
        ("I do not want to cancel, I want to confirm", "confirm"),
        ("could I come next week", None),
        ("please do not cancel it", None),
        ("I cannot confirm that", None),
        ("where can I park", None),
        ("", None),
    ],
)
def test_in_other_words_and_with_second_thoughts(text: str, value: str | None) -> None:
    found = meant(APPOINTMENT, text)
    assert (found.value if found else None) == value


def test_what_a_telephone_makes_of_its_opposite_is_never_sure() -> None:
    for text in ("I can come", "I can make it"):
        found = meant(APPOINTMENT, text)
        assert found is not None
        assert (found.value, found.sure) == ("confirm", False)


@pytest.mark.parametrize(
    ("choices", "text", "value", "sure"),
    [
        (("low", "very high"), "low", "low", True),
        (("low", "very high"), "it is very high", "very high", True),
        (("low", "very high"), "rather high", "very high", False),
        (("red wine", "white wine"), "white wine please", "white wine", True),
        (("red wine", "white wine"), "the white", "white wine", False),
        (("red wine", "white wine"), "wine", None, False),
        (("red wine", "white wine"), "red or white", None, False),
        (("billing", "delivery"), "it is about an invoice", "billing", False),
        (("Accepted", "Declined"), "that works for me", "Accepted", True),
    ],
)
def test_values_that_nobody_thought_of(choices: tuple[str, ...], text: str, value: str | None, sure: bool) -> None:
    found = meant(choices, text)
    assert (found.value if found else None) == value
    assert (found.sure if found else False) == sure


@pytest.mark.parametrize(
    ("choice", "concept"),
    [("Confirmed", Concept.CONFIRM), ("cancelled", Concept.CANCEL), ("another day", Concept.RESCHEDULE), ("red", None)],
)
def test_whatever_its_owner_calls_it(choice: str, concept: Concept | None) -> None:
    assert concept_of(choice) is concept
