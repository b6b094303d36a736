from __future__ import annotations

import pytest

from app.speech import Speech

pytestmark = pytest.mark.unit


def two_clauses() -> Speech:
    speech = Speech(start_ms=0)
    speech.add("We open at nine,", from_ms=1_000).audio_ms = 1_600
    speech.add("and close at five.", from_ms=2_600).audio_ms = 1_800
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
