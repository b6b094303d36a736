"""What the receptionist tells ears and turn-taking while something is read out."""

from __future__ import annotations

import pytest

from app.dictation import Dictated
from app.ports import Heard
from app.settings import ResultField
from tests.unit.test_receptionist import hears, said
from tests.unit.test_receptionist_asks import asking

pytestmark = pytest.mark.unit

NUMBER = ResultField(name="customer number", type="number", question="Your customer number?")


async def test_a_no_is_not_the_end_of_it() -> None:
    brain = asking(ResultField(name="last name", question="Please spell your last name."))
    await said(brain.greet())
    await hears(brain, "s m i t h")
    assert brain.dictated is Dictated.SPELLING_WORDS
    assert not brain.understands(Heard("no", "no"))
    assert brain.understands(Heard("yes", "yes"))


async def test_a_number_may_be_keyed_while_it_is_read_back() -> None:
    brain = asking(NUMBER, ResultField(name="ok", type="yes-no"))
    await said(brain.greet())
    assert "I noted 5 5 5 4" in await said(brain.reply(Heard("five five five four", "hum")))
    assert (brain.dictated, brain.takes_keys) == (Dictated.DIGITS, True)
    await hears(brain, "5559")
    await hears(brain, "yes")
    assert (brain.dictated, brain.takes_keys) == (Dictated.NOTHING, False)
    assert brain.results["customer number"] == "5559"


async def test_the_number_of_a_message_is_read_out_too() -> None:
    brain = asking()
    await said(brain.greet())
    await hears(brain, "can i leave a message")
    await hears(brain, "john smith")
    assert brain.dictated is Dictated.DIGITS
    assert brain.believed(Heard("five oh", "high though")) == "five oh"
    assert brain.believed(Heard("pardon", "excuse me")) == "excuse me"
