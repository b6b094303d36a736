"""The scripted caller against an agent whose words are on a timetable: when does it speak, and when does it give up?"""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing

from app.ports import SAMPLE_RATE_HZ
from tests.fakes.line import FakeCall, Utterance
from tests.office.caller import Conversation, ScriptFailed
from tests.office.script import AwaitEnd, HangUp, Interrupt, Listen, Pause, Say, Step

pytestmark = pytest.mark.scene

LOUD = 5000  # above the level of speech; FakeCall's utterances are as loud as their number
SECOND = Path("second.wav")
SOUNDS = {SECOND: bytes(SAMPLE_RATE_HZ * 2)}


async def play(agent: list[Utterance], *steps: Step, hangs_up_at_ms: int = 60_000) -> list[tuple[int, str]]:
    """What the caller did, and when: milliseconds since the call began."""
    call = FakeCall(agent, hangs_up_at_ms=hangs_up_at_ms)
    did: list[tuple[int, str]] = []
    await call.answer()
    began_s = trio.current_time()

    def emit(event: str, **_: object) -> None:
        did.append((round((trio.current_time() - began_s) * 1000), event))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call.run)
        try:
            await Conversation(call, emit, SOUNDS).follow(steps)
        finally:
            nursery.cancel_scope.cancel()
    return did


def why(failure: BaseException) -> str:
    while isinstance(failure, BaseExceptionGroup):
        [failure] = failure.exceptions
    assert isinstance(failure, ScriptFailed)
    return str(failure)


async def test_it_waits_for_the_end_of_the_greeting_over_the_pause_in_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    greeting = [Utterance(LOUD, 500, 1000), Utterance(LOUD, 2000, 1000)]
    did = await play(greeting, Listen(quiet_ms=800), Pause(ms=210), Say(wav=SECOND))
    assert did == [(3800, "heard answer"), (4010, "saying"), (5000, "said")]


async def test_what_the_agent_said_before_is_not_the_answer(autojump_clock: trio.testing.MockClock) -> None:
    agent = [Utterance(LOUD, 0, 1000), Utterance(LOUD, 4000, 1000)]
    did = await play(agent, Listen(quiet_ms=500), Say(wav=SECOND), Listen(quiet_ms=500))
    assert did == [(1500, "heard answer"), (1500, "saying"), (2500, "said"), (5500, "heard answer")]


async def test_it_interrupts_after_so_much_of_the_agents_speech(autojump_clock: trio.testing.MockClock) -> None:
    did = await play([Utterance(LOUD, 1000, 9000)], Interrupt(wav=SECOND, after_ms=1500), HangUp())
    assert did == [(2500, "saying"), (3500, "said")]


async def test_a_silent_agent_is_waited_for_so_long(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await play([Utterance(3, 0, 9000)], Listen(timeout_s=7))
    assert why(caught.value) == "waited 7 s in vain for the agent's answer"


async def test_an_agent_that_hangs_up_too_early_is_a_failure(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await play([], Listen(timeout_s=7), hangs_up_at_ms=3000)
    assert why(caught.value) == "the call was over while waiting for the agent's answer"


async def test_it_waits_for_the_agent_to_hang_up(autojump_clock: trio.testing.MockClock) -> None:
    assert await play([], AwaitEnd(timeout_s=7), hangs_up_at_ms=3000) == []
    with pytest.raises(BaseExceptionGroup) as caught:
        await play([], AwaitEnd(timeout_s=7), hangs_up_at_ms=9000)
    assert why(caught.value) == "the agent did not hang up within 7 s"
