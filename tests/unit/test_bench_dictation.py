"""The dictation bench's caller and arithmetic, and that what tunes is not what scores."""

from dataclasses import replace

import pytest

from app.brains.taking_results import begin
from tests.bench.dictation import NAME, NUMBER, Outcome, Task, figures, says, tasks
from tests.bench.intent import sentence_set

pytestmark = pytest.mark.unit

SPELLER = Task("ked", NAME, "Novak", 0)
DIALLER = Task("ked", NUMBER, "2125550147", 0)


def test_no_name_number_or_voice_both_tunes_and_scores() -> None:
    scored, tuning = tasks("scored"), tasks("tuning")
    assert not {each.voice for each in scored} & {each.voice for each in tuning}
    assert not {each.meant for each in scored} & {each.meant for each in tuning}
    assert {each.voice for each in scored} == set(sentence_set("scored").voices)
    assert all(len(each.meant) == 10 for each in scored if each.field is NUMBER)


@pytest.mark.parametrize(
    ("task", "read_back", "answer"),
    [
        (SPELLER, "", "N, O, V, A, K."),
        (SPELLER, "Novak", "Yes."),
        (SPELLER, "Nofak", "No, the third letter is V as in Victor."),
        (replace(SPELLER, habit=1), "Nofak", "No, V as in Victor."),
        (SPELLER, "Nofek", "No."),
        (SPELLER, "Nova", "No."),
        (DIALLER, "", "two one two, five five five, oh one four seven."),
        (DIALLER, "2125550146", "No, the tenth digit is seven."),
        (DIALLER, "212555014", "No, it is two one two, five five five, oh one four seven."),
    ],
)
def test_the_caller_says_what_is_wrong(task: Task, read_back: str, answer: str) -> None:
    assert says(task, replace(begin((task.field,))[0], unsure=read_back)) == answer


def test_the_caller_spells_in_words_when_asked_to() -> None:
    asking = replace(begin((NAME,))[0], asked=2)
    assert says(SPELLER, asking).startswith("N as in November, O as in Ocean, V as in Victor, A, as in Alfa")
    assert says(replace(SPELLER, habit=1), asking) == "November, Oscar, Victor, Alfa, Kilo."


def test_only_what_was_noted_as_it_was_meant_is_right() -> None:
    found = [
        Outcome(SPELLER, "Novak", 0, ()),
        Outcome(SPELLER, "Novak", 2, ()),
        Outcome(DIALLER, "", 2, ()),
        Outcome(replace(DIALLER, voice="slt-hts"), "2125550146", 0, ()),
    ]
    assert figures(found) == {
        "dictated": 4,
        "accuracy": 0.5,
        "accuracy_names": 1.0,
        "accuracy_numbers": 0.0,
        "at_once": 0.25,
        "at_once_names": 0.5,
        "wrong": 0.25,
        "corrections": 1.0,
        "accuracy_by_voice": {"ked": 0.667, "slt-hts": 0.0},
    }
