"""Calls in which a language model presses keys."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.pressing import NOT_PRESSED
from tests.fakes.language_model import at_once, tool
from tests.scene.test_model_tools import AGENT, brain_of, call, notes

pytestmark = pytest.mark.scene

PRESSER = AGENT.model_copy(update={"presses_keys": True})


async def test_the_model_presses_keys_and_then_listens(autojump_clock: MockClock) -> None:
    brain, model = brain_of(at_once("", tool("send_digits", keys="1, 2#")), at_once("Lamps, please."), agent=PRESSER)
    menu = (500, 1_500, "for sales press one"), (4_000, 1_500, "what would you like to buy")
    scene = await call(brain, *menu, ends_ms=12_000)
    assert scene.call.pressed == "12#"
    assert scene.said_by("agent") == ["Lamps, please."]
    assert scene.said_by("caller") == ["for sales press one", "what would you like to buy"]
    assert notes(scene) == ["The agent pressed 3 keys."]
    assert [each.role for each in model.asked[1]] == ["system", "user", "assistant", "tool", "user"]


async def test_a_menu_that_talks_on_does_not_stop_keys(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(at_once("", tool("send_digits", keys="12345678")), at_once("Yes."), agent=PRESSER)
    scene = await call(brain, (500, 1_500, "type the number"), (3_000, 1_000, "or stay on the line"), ends_ms=9_000)
    assert scene.call.pressed == "12345678"
    assert scene.said_by("agent") == []


async def test_what_is_said_before_keys_is_heard_first(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(at_once("I press one for you.", tool("send_digits", keys="1")), agent=PRESSER)
    scene = await call(brain, ends_ms=8_000)
    assert (scene.said_by("agent"), scene.call.pressed) == (["I press one for you."], "1")


async def test_a_call_that_ends_meanwhile(autojump_clock: MockClock) -> None:
    brain, _ = brain_of(at_once("", tool("send_digits", keys="1,,,2")), agent=PRESSER)
    scene = await call(brain, ends_ms=4_000)
    assert scene.call.pressed == "1"
    assert notes(scene) == ["The agent pressed 2 keys.", NOT_PRESSED]
