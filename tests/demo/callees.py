"""The people and machines that the demo's campaign calls: extensions of the office's PBX, played by its dial plan.

A callee tells the PBX's log what it does when it does it, so that what the box counts can be held against it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from tests.office.pbx import Pbx
from tests.office.voices import SPEAKERS, say

Deed = Literal["confirms", "cancels", "moves it", "asks not to be called", "is busy", "does not answer", "is a machine"]

FIRST = 700
_DEEDS: tuple[tuple[Deed, int], ...] = (
    ("confirms", 7),
    ("cancels", 3),
    ("moves it", 2),
    ("asks not to be called", 1),
    ("is busy", 2),
    ("does not answer", 2),
    ("is a machine", 3),
)
_WORDS: dict[Deed, str] = {
    "confirms": "Yes, I will be there.",
    "cancels": "No. Please cancel it.",
    "moves it": "Can we move it to another day?",
    "asks not to be called": "Please do not call me again.",
}
_AGAIN = "Yes, that is right."
_MACHINE = (
    "Hello. You have reached our answering machine. We cannot come to the telephone now. "
    "Please leave your name, your number and a message after the tone."
)
_NAMES = ("Adams", "Baker", "Carter", "Dixon", "Evans", "Foster", "Grant", "Harris", "Irving", "Jones")
_VOICES = ("rms", "awb", "kal", "slt-hts", "rms-small", "awb-small")
_LOGGED = re.compile(r"^\[[^]]+\] NOTICE\[.*\bcallee (\d+): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Callee:
    number: str
    name: str
    deed: Deed
    voice: str


def _callees() -> tuple[Callee, ...]:
    deeds = [deed for deed, times in _DEEDS for _ in range(times)]
    return tuple(
        Callee(str(FIRST + each), _NAMES[each % len(_NAMES)], deed, _VOICES[each % len(_VOICES)])
        for each, deed in enumerate(deeds)
    )


CALLEES = _callees()


async def seat_callees(pbx: Pbx) -> None:
    """All of them at their telephones."""
    await pbx.rx("module load app_waitforsilence.so")
    for callee in CALLEES:
        for priority, application in enumerate(await _plan(pbx, callee), start=1):
            await pbx.rx(f'dialplan add extension "{callee.number},{priority},{application}" into office')


def deeds_in(log: str) -> Counter[tuple[str, str]]:
    """How often each number did what, by the PBX's log."""
    return Counter((number, deed.strip()) for number, deed in _LOGGED.findall(log))


async def _plan(pbx: Pbx, callee: Callee) -> list[str]:
    """Applications of Asterisk's dial plan, in their order."""
    done = f"Log(NOTICE,callee {callee.number}: {callee.deed})"
    match callee.deed:
        case "is busy":
            return [done, "Hangup(17)"]
        case "does not answer":
            return [done, "Ringing()", "Wait(120)"]
        case "is a machine":
            greeting = await _spoken(pbx, callee.voice, _MACHINE)
            return [done, "Ringing()", "Wait(1)", "Answer()", f"Playback({greeting})", "Playback(beep)", "Wait(60)"]
    hello = await _spoken(pbx, callee.voice, "Hello?")
    words = await _spoken(pbx, callee.voice, _WORDS[callee.deed])
    again = await _spoken(pbx, callee.voice, _AGAIN)
    return [
        "Ringing()",
        "Wait(1)",
        "Answer()",
        f"Playback({hello})",
        *_LISTENS,
        f"Playback({words})",
        done,
        *_LISTENS,
        f"Playback({again})",
        *_LISTENS,
        "Wait(30)",
    ]


# Until the agent has spoken, and then paused for longer than it does between sentences; half a minute at most.
_LISTENS = ("WaitForNoise(100,1,15)", "WaitForSilence(1300,1,15)")


async def _spoken(pbx: Pbx, voice: str, text: str) -> str:
    return pbx.add_sound(await say(SPEAKERS[voice], text))
