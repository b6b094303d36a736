from __future__ import annotations

import pytest

from app.speech import Speech

pytestmark = pytest.mark.unit


def two_clauses() -> Speech:
    speech = Speech(start_ms=0)
    for text, from_ms, audio_ms in (("We open at nine,", 1_000, 1_600), ("and close at five.", 2_600, 1_800)):
        clause = speech.add(text, from_ms=from_ms)
        clause.audio_ms, clause.complete = audio_ms, True
    return speech


@pytest.mark.parametrize(
    ("played_ms", "heard"),
    [
        (1_000, ""),
        (1_080, ""),  # half of "We" is no word
        (1_200, "We"),
        (1_700, "We open"),
        (2_600, "We open at nine,"),
        (3_500, "We open at nine, and close"),
        (4_400, "We open at nine, and close at five."),
        (9_999, "We open at nine, and close at five."),
    ],
)
def test_only_whole_words_that_went_out_count(played_ms: int, heard: str) -> None:
    assert two_clauses().heard(played_ms) == heard


def test_a_clause_of_which_nothing_was_made_yet_was_not_heard() -> None:
    speech = Speech()
    speech.add("Hello.", from_ms=500)
    assert speech.heard(500) == ""


@pytest.mark.parametrize(("played_ms", "over"), [(2_600, False), (4_399, False), (4_400, True), (9_999, True)])
def test_it_is_over_once_every_clause_has_gone_out(played_ms: int, over: bool) -> None:
    assert two_clauses().over_at(played_ms) is over


def test_a_clause_that_is_still_being_made_is_not_over() -> None:
    speech = two_clauses()
    speech.clauses[-1].complete = False
    assert not speech.over_at(9_999)


def test_of_a_clause_that_is_still_being_made_only_what_went_out_counts() -> None:
    """Its length is not known yet: all that was made of it has gone out, and it is still not the whole."""
    speech = Speech(start_ms=0)
    speech.add("We are open from nine to five on weekdays.", from_ms=0).audio_ms = 500
    assert speech.heard(500) == "We are"
