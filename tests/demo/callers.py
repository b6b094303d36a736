"""The demo's two callers: a recorded human, and a synthetic one with a longer errand."""

from __future__ import annotations

from tests.office.pbx import Pbx
from tests.office.script import AwaitEnd, Interrupt, Listen, Pause, Say, Script, Step
from tests.office.sounds import prompts
from tests.office.voices import SPEAKERS, say

VOICE = "rms"  # the agent speaks as slt
NUMBER = "5550142"
ERRAND = {
    "parking": "Where can I park?",
    "insurance": "Do you take my insurance?",
    "prices": "How much is a check up?",
    "interrupting": "Thank you. Can I leave a message?",
    "name": "My name is Peter Brown.",
    "number": "Five five five, oh one four two.",
    "yes": "Yes, that is right.",
    "message": "Please call me back tomorrow morning.",
    "good-bye": "No, thank you. Good bye.",
}


def recorded_human(pbx: Pbx) -> Script:
    """Two of Asterisk's prompts, spoken by a human: she asks for the hours, and says good-bye."""
    recorded = {prompt.name: prompt.wav_path for prompt in prompts()}
    steps = (
        Listen(),
        Say(wav=recorded["hours"], name="hours"),
        Listen(),
        Say(wav=recorded["goodbye"], name="good-bye"),
        AwaitEnd(),
    )
    return _script(pbx, "101", 25_000, steps)


async def with_an_errand(pbx: Pbx) -> Script:
    """Three questions; the answer to the third is interrupted by the wish to leave a message."""
    wavs = {name: await say(SPEAKERS[VOICE], text) for name, text in ERRAND.items()}
    steps: list[Step] = [Listen()]
    for name in ("parking", "insurance"):
        steps += [Say(wav=wavs[name], name=name), Listen()]
    steps += [
        Say(wav=wavs["prices"], name="prices"),
        Interrupt(wav=wavs["interrupting"], name="interrupting", after_ms=1_500),
        Listen(),
    ]
    for name in ("name", "number", "yes", "message"):
        steps += [Say(wav=wavs[name], name=name), Listen(), Pause(ms=200)]
    steps += [Say(wav=wavs["good-bye"], name="good-bye"), AwaitEnd()]
    return _script(pbx, "102", 25_010, tuple(steps))


def _script(pbx: Pbx, user: str, rtp_port: int, steps: tuple[Step, ...]) -> Script:
    address = f"127.0.0.1:{pbx.sip_port}"
    return Script(pbx=address, user=user, dial="200", steps=steps, rtp_port=rtp_port)
