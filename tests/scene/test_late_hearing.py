"""The recogniser takes longer than anybody waits in silence: it is still being loaded, or was started anew."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.reply import A_MOMENT_MORE, BRIDGES_AFTER_S, BRIDGES_AGAIN_AFTER_S, JUST_A_MOMENT
from app.settings import Agent
from app.turns.natural_pause import longest_pause_ms
from tests.scene.stage import Scene, ScriptedBrain, play

pytestmark = pytest.mark.scene

ASKS = (1_000, 900, "when do you open")
LONGEST_SILENCE_MS = 3_000


def silences_ms(scene: Scene, from_ms: int) -> list[int]:
    """Between what the caller said until `from_ms`, and each thing that the agent said then."""
    lines = [line for line in scene.lines("agent") if line.start_ms > from_ms]
    ends_ms = [from_ms, *(line.end_ms for line in lines)]
    return [line.start_ms - before_ms for line, before_ms in zip(lines, ends_ms, strict=False)]


async def test_nobody_waits_in_silence(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain()
    scene = await play([ASKS], brain, decode_s=9.0, hangs_up_at_ms=20_000)
    assert scene.said_by("agent") == [JUST_A_MOMENT, A_MOMENT_MORE, A_MOMENT_MORE, "Sorry?"]
    assert brain.heard == scene.said_by("caller") == ["when do you open"]
    waits_ms = silences_ms(scene, 1_900)
    assert max(waits_ms) < LONGEST_SILENCE_MS
    assert waits_ms[0] == pytest.approx(longest_pause_ms(Agent(name="Test").pause_ms) + BRIDGES_AFTER_S * 1000, abs=100)
    assert waits_ms[1] == pytest.approx(BRIDGES_AGAIN_AFTER_S * 1000, abs=100)
    assert brain.cut == [], "the brain knows nothing of it"


async def test_an_answer_in_time_is_not_announced(autojump_clock: MockClock) -> None:
    scene = await play([ASKS], ScriptedBrain(), decode_s=1.4, hangs_up_at_ms=10_000)
    assert scene.said_by("agent") == ["Sorry?"]


async def test_who_goes_on_meanwhile_is_heard_whole(autojump_clock: MockClock) -> None:
    """The moment that was asked for is broken off, and what was said before it is not lost."""
    brain = ScriptedBrain()
    scene = await play([ASKS, (5_000, 600, "on sundays")], brain, decode_s=4.0, hangs_up_at_ms=20_000)
    assert brain.heard == ["when do you open on sundays"]
    assert scene.said_by("caller") == ["when do you open on sundays"]
    first, *_, answer = scene.lines("agent")
    assert (first.interrupted, answer.text) == (True, "Sorry?")
    assert brain.cut == []


async def test_a_cough_that_was_taken_for_words_is_asked_about(autojump_clock: MockClock) -> None:
    """Whoever was told to wait is not left waiting."""
    scene = await play([(1_000, 300, "")], ScriptedBrain(), decode_s=3.0, hangs_up_at_ms=15_000)
    assert scene.said_by("agent") == [JUST_A_MOMENT, "Sorry?"]


async def test_who_hangs_up_meanwhile_is_in_the_transcript(autojump_clock: MockClock) -> None:
    scene = await play([ASKS], ScriptedBrain(), decode_s=4.0, hangs_up_at_ms=4_300)
    assert scene.said_by("caller") == ["when do you open"]
