"""Files as passages, and which of them a question is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.brains.passages import LONGEST_PASSAGE, MOST_FOUND, Library, Passage, cited, cut

pytestmark = pytest.mark.unit

TEXTS = (
    "Passports are issued on the second floor. Bring a photograph and your old passport.",
    "A parking permit costs thirty euros a year. It is sent by mail.",
    "Dogs are registered at the tax office, within two weeks.",
    "The library opens at ten. On Mondays it is closed.",
    "Weddings take place in the old town hall. Ask for a date three months before.",
)
OFFICE = Library([Passage("town.md", number, text) for number, text in enumerate(TEXTS, start=1)])


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("how much is a parking permit", 2),
        ("I need a new passport", 1),
        ("where can I register my dog", 3),
        ("when does the library open", 4),
        ("we would like to get married, are there weddings in the town hall", 5),
    ],
)
def test_what_a_question_is_about_comes_first(question: str, number: int) -> None:
    assert OFFICE.find(question)[0].number == number


@pytest.mark.parametrize("question", ["", "hello", "who are you", "can you tell me about elephants in africa please"])
def test_what_nothing_is_about_finds_nothing(question: str) -> None:
    assert OFFICE.find(question) == []


def test_a_rare_word_counts_for_more_than_a_common_one() -> None:
    common = [Passage("a", number, f"the office is open on day {number}") for number in range(1, 30)]
    rare = Passage("a", 30, "the office has an elevator")
    assert Library([*common, rare]).find("office elevator")[0] == rare


def test_few_are_found_and_none_in_an_empty_library() -> None:
    assert len(Library([Passage("a", n, "parking " * n) for n in range(1, 20)]).find("parking")) == MOST_FOUND
    assert Library([]).find("parking") == []


def test_paragraphs_are_put_together_and_long_ones_cut_between_sentences() -> None:
    sentence = "This is a sentence of some length about parking in the town. "
    assert cut("Parking\n\nIt costs\nthirty euros.\n\n\n\nBye.") == ("Parking\nIt costs thirty euros.\nBye.",)
    long = cut(sentence * 30)
    assert len(long) > 2
    assert all(each.endswith("town.") for each in long)
    assert cut("x" * 1500) == ("x" * 600, "x" * 600, "x" * 300)
    assert cut(" \n\n \t") == ()


@given(st.text(max_size=3 * LONGEST_PASSAGE))
def test_nothing_is_lost_or_too_long(text: str) -> None:
    passages = cut(text)
    assert all(0 < len(each) <= LONGEST_PASSAGE for each in passages)
    assert "".join("".join(passages).split()) == "".join(text.split())


def test_what_an_answer_was_made_of() -> None:
    found = OFFICE.find("parking permit") + OFFICE.find("passport")
    assert cited("It costs thirty euros a year, and we send it by mail.", found) == found[0]
    assert cited("Please bring a photograph and the old one.", found) == found[1]
    assert cited("I am sorry, I do not know that.", found) is None
    assert cited("", found) is None
    assert cited("Thirty euros.", []) is None
