"""Sounds that are no interruption, over a real line: the agent falls silent for a moment and goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from app.ports import FRAME_MS, Line
from firmware.storage import read_session, read_sessions
from tests.office.box import Box, office_box
from tests.office.pbx import Pbx
from tests.office.script import SPEECH_RMS, AgentVoice, rms
from tests.office.voices import SPEAKERS, samples, say
from tests.patience import PATIENCE_S
from tests.wire.box import registered

pytestmark = pytest.mark.wire

GREETING = (
    "Hartwell Dental, good day. There is a car park behind the building, and the first two hours are free. "
    "How can I help you?"
)
RTP = (20_300, 20_399)
_INTO_MS = 1_500
_WORD_MS = 200  # the shortest; beside other tests, frames at the edges of words make 120 of it
_GAP_MS = 100
"""Pauses between the agent's words are shorter than what a hold makes of one."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The greeting as it reached the caller. `voiced_ms`: of frames with sound; `longest_gap_ms`: between two of them,
    after the caller's sound had begun."""

    voiced_ms: int
    longest_gap_ms: int
    lines: tuple[Line, ...]


async def greeted(pbx: Pbx, box: Box, sound: bytes) -> Heard:
    """Call, make `sound` over the greeting, listen to the end of it."""
    async with registered(pbx, "101") as phone:
        call = await phone.dial("200")
        await call.connected()
        voice, voiced_ms, gap_ms, longest_ms = AgentVoice(), 0, 0, 0
        async with trio.open_nursery() as nursery:
            async for frame in call.ears():
                voice.feed(frame.at_ms, frame.pcm)
                is_loud = rms(frame.pcm) >= SPEECH_RMS
                voiced_ms += FRAME_MS * is_loud
                if is_loud and voiced_ms == _INTO_MS:
                    nursery.start_soon(call.mouth.play, sound)
                if is_loud and voiced_ms > _INTO_MS:
                    longest_ms = max(longest_ms, gap_ms)
                gap_ms = 0 if is_loud else gap_ms + FRAME_MS
                if voice.spoke and voice.quiet_ms >= 2_500:
                    break
        await call.hang_up()
    return Heard(voiced_ms, longest_ms, await _lines(box))


async def _lines(box: Box) -> tuple[Line, ...]:
    with trio.fail_after(PATIENCE_S):
        while not (latest := read_sessions(box.sessions, 1)) or latest[0].outcome is None:  # noqa: ASYNC110
            await trio.sleep(0.1)
    detail = read_session(box.sessions, latest[0].id)
    assert detail
    return detail.lines


async def test_after_a_false_alarm_the_agent_goes_on_where_it_was(pbx: Pbx, tmp_path: Path) -> None:
    listening = samples(await say(SPEAKERS["slt-hts"], "Uh-huh.")).tobytes()
    async with office_box(pbx, tmp_path, greeting=GREETING, rtp_ports=RTP) as box:
        undisturbed = await greeted(pbx, box, b"")
        held = await greeted(pbx, box, listening)
    assert [line.text for line in undisturbed.lines] == [GREETING]
    assert [line.text for line in held.lines if line.speaker == "agent"] == [GREETING]
    assert not any(line.interrupted for line in held.lines)
    assert held.longest_gap_ms >= undisturbed.longest_gap_ms + _GAP_MS, "it did not fall silent"
    assert abs(held.voiced_ms - undisturbed.voiced_ms) < _WORD_MS, "it said something twice, or left something out"
