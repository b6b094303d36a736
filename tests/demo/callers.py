"""The demo's two callers: a recorded human, and a synthetic one with a longer errand."""

from __future__ import annotations

from tests.office.pbx import Pbx
from tests.office.script import AwaitEnd, Interrupt, Listen, Pause, Say, Script, Step
from tests.office.sounds import prompts
from tests.office.voices import SPEAKERS, say

VOICE = "rms"  # the agent speaks as slt
NUMBER = "5550142"
QUESTIONS = ("Where can I park?", "Do you take my insurance?")
CUT_SHORT = "How much is a check up?"
INTERRUPTING = "Thank you. Can I leave a message?"
MESSAGE = (
    "My name is Peter Brown.",
    "Five five five, oh one four two.",
    "Yes, that is right.",
    "Please call me back tomorrow morning.",
)
GOOD_BYE = "No, thank you. Good bye."
ERRAND = (*QUESTIONS, CUT_SHORT, INTERRUPTING, *MESSAGE, GOOD_BYE)
# Of all that she ever recorded for Asterisk, this is what a caller might say. The office has an answer to it here.
RECORDED = ("telephone-number", "vm-sorry", "vm-goodbye")
RECORDED_ANSWER = "Our telephone number is 5 5 5, 0 1 0 0."
KNOWLEDGE = f"""
[[agent.knowledge]]
questions = ["what is your telephone number", "telephone number", "which number can I call you on"]
answer = "{RECORDED_ANSWER}"
"""


def recorded_human(pbx: Pbx) -> Script:
    """Asterisk's prompts, spoken by a human: she asks for the number, did not understand, and says good-bye."""
    recorded = {prompt.name: prompt for prompt in prompts()}
    steps: list[Step] = [Listen()]
    for name in RECORDED:
        steps += [Say(wav=recorded[name].wav_path, name=recorded[name].text), Listen()]
    steps[-1] = AwaitEnd()
    return _script(pbx, "101", 25_000, tuple(steps))


async def with_an_errand(pbx: Pbx) -> Script:
    """Three questions; the answer to the third is interrupted by the wish to leave a message."""
    steps: list[Step] = [Listen()]
    for text in QUESTIONS:
        steps += [await _say(text), Listen()]
    steps += [await _say(CUT_SHORT), await _interrupt(INTERRUPTING), Listen()]
    for text in MESSAGE:
        steps += [await _say(text), Listen(), Pause(ms=200)]
    steps += [await _say(GOOD_BYE), AwaitEnd()]
    return _script(pbx, "102", 25_010, tuple(steps))


async def _say(text: str) -> Say:
    return Say(wav=await say(SPEAKERS[VOICE], text), name=text)


async def _interrupt(text: str) -> Interrupt:
    return Interrupt(wav=await say(SPEAKERS[VOICE], text), name=text, after_ms=1_500)


def _script(pbx: Pbx, user: str, rtp_port: int, steps: tuple[Step, ...]) -> Script:
    address = f"127.0.0.1:{pbx.sip_port}"
    return Script(pbx=address, user=user, dial="200", steps=steps, rtp_port=rtp_port)
