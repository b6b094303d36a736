"""Whoever is called for a caller is told first who it is, and may be asked whether they take the call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

import trio

from app.outbound.variables import filled, names_in
from app.ports import Call, Voice
from app.settings import Agent

TAKES = "1"
KEY_S = 10.0
"""For the key, once all was said: a telephone has to be taken from the ear. Nobody waits longer who hears it ring."""

LONGEST_S = 60.0
"""All in all: 500 characters are 47 s at the slowest pace."""

_ASKS = "Press 1 to take the call."
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_DIGITS = re.compile(r"\+?\d{3,}")


@dataclass(frozen=True, slots=True)
class Announcement:
    """`text`: what is said to them; personal. `by_key`: only whoever presses TAKES takes the call."""

    text: str
    by_key: bool

    async def __call__(self, call: Call, voice: Voice) -> bool:
        """Whether the person on the other side of `call` takes the caller. Not if they hang up, and not, where a key is
        asked for, if they press another one or none: a mailbox never does."""
        takes = False
        with trio.move_on_after(LONGEST_S):
            async with trio.open_nursery() as talk:
                talk.start_soon(self._say, call, voice, talk.cancel_scope)
                async for key in call.dtmf():
                    takes = key.digit == TAKES
                    if self.by_key or takes:
                        talk.cancel_scope.cancel()
                        break
                else:
                    talk.cancel_scope.cancel()  # they hung up
            takes = takes or not self.by_key
        call.mouth.hush()
        return takes and call.progress.ended_s is None

    async def _say(self, call: Call, voice: Voice, scope: trio.CancelScope) -> None:
        for sentence in _SENTENCE.split(self.text):
            async with aclosing(voice.speak(sentence)) as chunks:
                async for pcm in chunks:
                    await call.mouth.play(pcm)
        await call.mouth.drained()
        if self.by_key:
            await trio.sleep(KEY_S)
        scope.cancel()


def announcement_of(agent: Agent, remote: str, results: Mapping[str, str]) -> Announcement | None:
    """What is said to whomever `remote` is put through to; None where the agent announces nobody. Its text may hold
    `{caller}`, `{number}` and what the call has brought so far (`{message}`); a sentence that asks for something that
    is not there is left out."""
    known = {name.removeprefix("message_"): value for name, value in results.items() if value}
    number = known.get("number") or (remote if _DIGITS.fullmatch(remote) else "")
    known |= {"caller": known.get("name") or spelled(number) or remote, "number": spelled(number)}
    sentences = _SENTENCE.split(agent.announcement.strip())
    there = [filled(each, known) for each in sentences if all(known.get(name) for name in names_in(each))]
    text = " ".join([*filter(None, there), *([_ASKS] if agent.announced_take_by_key else [])])
    return Announcement(text, agent.announced_take_by_key) if text else None


def spelled(number: str) -> str:
    """Digit by digit, as people read it out."""
    return " ".join(each for each in number if each.isdecimal())
