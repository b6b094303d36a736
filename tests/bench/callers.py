"""Callers who are on the line at once and all talk, for the benches that want a busy box."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from tests.office.calling import CallerEvent, CallMade, make_call
from tests.office.pbx import Pbx
from tests.office.script import Listen, Pause, Say, Script, Step
from tests.office.voices import SPEAKERS, say

CODEC = "PCMU"
VOICES = ("ked", "slt-hts", "slt-hts-large", "ked-small")
LINES = ("Where can I park?", "Do you treat children?", "How much is a check up?", "What is your address?")
RTP_PORT = 22_700
CONNECT_S = 60.0


@asynccontextmanager
async def talking(pbx: Pbx, callers: int, length_s: float) -> AsyncGenerator[list[CallMade], None]:
    """So many callers on the line for `length_s` from now on; the block begins once all are connected, or after
    CONNECT_S, and its end waits for theirs. Yields where each call is noted when it is over."""
    scripts = [await _script(pbx, number, length_s) for number in range(callers)]
    made: list[CallMade] = []
    connected = _Countdown(callers)
    async with trio.open_nursery() as nursery:
        for script in scripts:
            nursery.start_soon(_talk, script, pbx, connected, made)
        with trio.move_on_after(CONNECT_S):
            await connected.done.wait()
        yield made


class _Countdown:
    """Waits for so many callers to be connected."""

    def __init__(self, number: int) -> None:
        self._left, self.done = number, trio.Event()

    def __call__(self, event: CallerEvent) -> None:
        self._left -= event.kind == "connected"
        if self._left <= 0:
            self.done.set()


async def _talk(script: Script, pbx: Pbx, connected: _Countdown, made: list[CallMade]) -> None:
    limit_s = script.repeat_s + 2 * CONNECT_S
    made.append(await make_call(script, pbx.accounts[script.user].password, limit_s=limit_s, on_event=connected))


async def _script(pbx: Pbx, number: int, length_s: float) -> Script:
    """One thing asked after the other, each caller beginning at another one, so that they do not all speak at once."""
    steps: list[Step] = []
    for line in range(len(LINES)):
        wav = await say(SPEAKERS[VOICES[number % len(VOICES)]], LINES[(line + number) % len(LINES)])
        steps += [Listen(quiet_ms=600, timeout_s=20), Pause(ms=200), Say(wav=wav, name=f"{number}.{line}")]
    return Script(
        pbx=pbx.address,
        user=str(101 + number),
        dial="200",
        steps=tuple(steps),
        codecs=(CODEC,),
        rtp_port=RTP_PORT + 10 * number,
        repeat_s=length_s,
    )
