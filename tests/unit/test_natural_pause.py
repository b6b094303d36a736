"""How long a pause ends a turn: what was asked and what was heard in, milliseconds out."""

from __future__ import annotations

import pytest

from app.ports import Expects, Heard
from app.turns.natural_pause import Because, Pause, longest_pause_ms, natural_pause

pytestmark = pytest.mark.unit

COMPLETE, PLAIN, LONG = Pause(300, Because.COMPLETE), Pause(450, Because.PLAIN), Pause(1050, Because.UNFINISHED)


def pause(
    text: str, expects: Expects = Expects.ANYTHING, *, understood: bool = False, general: str | None = None
) -> Pause:
    return natural_pause(expects, 450, Heard(text, text if general is None else general), understood=understood)


def test_as_long_as_the_words_are_not_known_what_was_asked_decides() -> None:
    pauses = {expects: natural_pause(expects, 450, None).ms for expects in Expects}
    assert pauses[Expects.YES_NO] == pauses[Expects.ANYTHING] == 450
    assert pauses[Expects.NUMBER] > pauses[Expects.MESSAGE] > pauses[Expects.NAME] > 450
    assert pauses[Expects.NUMBER] == longest_pause_ms(450) == 1050


@pytest.mark.parametrize("expects", [Expects.ANYTHING, Expects.YES_NO])
def test_what_was_understood_is_complete(expects: Expects) -> None:
    assert pause("when are you open", expects, understood=True) == COMPLETE
    assert pause("yes please", expects, understood=True) == COMPLETE


@pytest.mark.parametrize("text", ["can i bring my dog", "hello", "", "seven"])
def test_what_was_not_understood_gets_the_pause_that_the_owner_chose(text: str) -> None:
    assert pause(text) == PLAIN


@pytest.mark.parametrize(
    "text", ["my number is", "um", "i would like to speak to the", "yes but", "where can i park and", "because"]
)
@pytest.mark.parametrize("understood", [False, True])
def test_an_unfinished_phrase_is_waited_for(text: str, understood: bool) -> None:
    assert pause(text, understood=understood) == LONG


def test_a_preposition_holds_only_where_nothing_was_understood() -> None:
    assert pause("i want to speak to") == LONG
    assert pause("which city are you from", understood=True) == PLAIN


@pytest.mark.parametrize("text", ["i would like to", "i would like", "when are you", "can i speak", "do you have"])
def test_the_beginning_of_a_request_is_not_complete_although_it_was_understood(text: str) -> None:
    assert pause(text, understood=True) == PLAIN


def test_one_recogniser_alone_hears_an_ending_in_a_breath() -> None:
    assert pause("where can i park", general="where can i park and", understood=True) == COMPLETE
    assert pause("where can i park", general="where can i park and") == PLAIN
    assert pause("my number is", general="") == LONG


@pytest.mark.parametrize("expects", [Expects.NUMBER, Expects.MESSAGE, Expects.NAME])
@pytest.mark.parametrize("understood", [False, True])
def test_nothing_is_complete_while_it_is_dictated(expects: Expects, understood: bool) -> None:
    found = pause("five five five", expects, understood=understood)
    assert found.because is Because.DICTATED
    assert found == natural_pause(expects, 450, None)


def test_who_spells_a_name_gets_as_long_as_for_a_number() -> None:
    assert pause("john smith", Expects.NAME) == Pause(650, Because.DICTATED)
    assert pause("s m i", Expects.NAME) == Pause(1050, Because.DICTATED)


def test_every_pause_follows_the_owners() -> None:
    assert natural_pause(Expects.ANYTHING, 900, Heard("yes", "yes"), understood=True).ms == 600
    assert natural_pause(Expects.ANYTHING, 900, Heard("and", "and")).ms == 1500
