"""Is it over? What the receptionist takes for something whole, before it answers it."""

from __future__ import annotations

import pytest

from app.brains.receptionist import Receptionist
from app.ports import Expects, Heard
from tests.unit.test_receptionist import NONSENSE, hears, receptionist

pytestmark = pytest.mark.unit


def understands(brain: Receptionist, text: str) -> bool:
    return brain.understands(Heard(text, text))


@pytest.mark.parametrize(
    ("text", "whole"),
    [("where can i park", True), ("good bye", True), ("hello", False), (NONSENSE, False), ("", False), ("yes", False)],
)
async def test_it_understands_what_it_would_act_on(text: str, whole: bool) -> None:
    assert understands(receptionist(), text) is whole


async def test_a_yes_is_whole_where_it_was_asked_for() -> None:
    brain = receptionist()
    for _ in range(3):  # then it offers to take a message
        await hears(brain, NONSENSE)
    assert brain.expects is Expects.YES_NO
    assert understands(brain, "yes please")
    assert not understands(brain, NONSENSE)


async def test_nothing_dictated_is_ever_whole() -> None:
    brain = receptionist()
    await hears(brain, "can i leave a message")
    assert brain.expects is Expects.NAME
    assert not understands(brain, "where can i park")


async def test_asking_whether_it_understands_changes_nothing() -> None:
    brain = receptionist()
    assert understands(brain, "can i leave a message")
    assert brain.expects is Expects.ANYTHING
    assert brain.results == {}
