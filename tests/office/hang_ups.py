"""Callers who hang up when nobody expects it: before the answer, in their own words, in the agent's, on hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from random import Random

import trio

from firmware.telephony import Account, Call
from firmware.telephony.call import _call_parameters
from tests.office.voices import SPEAKERS, samples, say

VOICES = ("ked", "slt-hts", "awb", "kal-diphone")
QUESTION, TRANSFER, MESSAGE, NAME = (
    "Where can I park?",
    "Can I speak to Anna Miller, please?",
    "I would like to leave a message.",
    "My name is John Brown.",
)
KEYS = "5551234567"
LONGEST_S = 30.0
"""A call that is not over by then hangs."""

Sounds = Mapping[str, bytes]


class Moment(Enum):
    """When the caller hangs up."""

    BEFORE_ANSWER = "before the answer"
    GREETING = "in the greeting"
    TALKING = "in the caller's own words"
    DRAFT = "in the pause after them"
    REPLY = "in the answer"
    TRANSFER = "while somebody else is called"
    HOLD = "on hold"
    BACK = "back from hold"
    DICTATION = "while something is dictated"
    KEYS = "while keys are pressed"


async def sounds(voice: str) -> Sounds:
    """What is said, by its text."""
    lines = (QUESTION, TRANSFER, MESSAGE, NAME)
    return {text: samples(await say(SPEAKERS[voice], text)).tobytes() for text in lines}


async def call_and_leave(account: Account, dial: str, moment: Moment, chance: Random, spoken: Sounds) -> bool:
    """One call, which the caller ends at that moment; whether it was answered. Raises: trio.TooSlowError if it does not
    end."""
    with trio.fail_after(LONGEST_S):
        call = await account.dial(dial)
        try:
            await _WAYS[moment](call, chance, spoken)
        finally:
            with trio.move_on_after(3, shield=True):  # hang_up itself gives up after 2
                await call.hang_up()
        await call.ended()
    return call.progress.answered_s is not None


async def _before_answer(_call: Call, chance: Random, _spoken: Sounds) -> None:
    await trio.sleep(chance.uniform(0, 0.2))


async def _greeting(call: Call, chance: Random, _spoken: Sounds) -> None:
    await call.connected()
    await trio.sleep(chance.uniform(0, 3))


async def _talking(call: Call, chance: Random, spoken: Sounds) -> None:
    await _greeting(call, chance, spoken)
    with trio.move_on_after(chance.uniform(0.1, 1.4)):
        await _say(call, spoken[QUESTION])


async def _draft(call: Call, chance: Random, spoken: Sounds) -> None:
    await _asked(call, chance, spoken, QUESTION)
    await trio.sleep(chance.uniform(0, 0.6))


async def _reply(call: Call, chance: Random, spoken: Sounds) -> None:
    await _asked(call, chance, spoken, QUESTION)
    await trio.sleep(chance.uniform(0.6, 3))


async def _transfer(call: Call, chance: Random, spoken: Sounds) -> None:
    await _asked(call, chance, spoken, TRANSFER)
    await trio.sleep(chance.uniform(1, 7))


async def _hold(call: Call, chance: Random, spoken: Sounds) -> None:
    await _draft(call, chance, spoken)
    hold(call)
    await trio.sleep(chance.uniform(0, 2))


async def _back(call: Call, chance: Random, spoken: Sounds) -> None:
    await _hold(call, chance, spoken)
    resume(call)
    await trio.sleep(chance.uniform(0, 1))


async def _dictation(call: Call, chance: Random, spoken: Sounds) -> None:
    await _asked(call, chance, spoken, MESSAGE)
    await trio.sleep(chance.uniform(2, 3))
    with trio.move_on_after(chance.uniform(0.2, 4)):
        await _say(call, spoken[NAME])
        await trio.sleep_forever()


async def _keys(call: Call, chance: Random, spoken: Sounds) -> None:
    await _asked(call, chance, spoken, MESSAGE)
    await trio.sleep(2)
    await _say(call, spoken[NAME])
    with trio.move_on_after(chance.uniform(0.5, 4)):
        await call.press(KEYS)
        await trio.sleep_forever()


async def _asked(call: Call, chance: Random, spoken: Sounds, line: str) -> None:
    """Over the greeting, or after it."""
    await call.connected()
    await trio.sleep(chance.choice((1.0, 3.6)))
    await _say(call, spoken[line])


async def _say(call: Call, pcm: bytes) -> None:
    await call.mouth.play(pcm)
    await call.mouth.drained()


_WAYS: Mapping[Moment, Callable[[Call, Random, Sounds], Awaitable[None]]] = {
    Moment.BEFORE_ANSWER: _before_answer,
    Moment.GREETING: _greeting,
    Moment.TALKING: _talking,
    Moment.DRAFT: _draft,
    Moment.REPLY: _reply,
    Moment.TRANSFER: _transfer,
    Moment.HOLD: _hold,
    Moment.BACK: _back,
    Moment.DICTATION: _dictation,
    Moment.KEYS: _keys,
}


def hold(call: Call) -> None:
    """As the key of a desk phone does: the product's own telephone has no such key."""
    if call._leg and not call.is_over:
        call._leg.setHold(_call_parameters(0))


def resume(call: Call) -> None:
    if call._leg and not call.is_over:
        parameters = _call_parameters(0)
        parameters.opt.flag = 1  # PJSUA_CALL_UNHOLD
        call._leg.reinvite(parameters)
