"""`just bench barge`: an agent that speaks for half an hour, and nobody on the line who speaks to it.

What comes back is its own voice, 20 dB down, once alone and once with the noise of an office, 10 dB below a voice.

    offline  the real voice activity and echo detectors and the real deciders, without a recogniser (it hears nothing),
             echoes later by 20 to 300 ms, over G.711 and G.722: half an hour with each noise
    wire     four calls at a time through a real Asterisk, over each codec, recognisers and all, in real time. The
             caller's telephone adds 0 to 200 ms to what the way there and back takes (some 100 ms)

    false_barge_ins  the agent stopped for good although nobody spoke: its session has a note of why
    broken_off       wire: it was not heard for 2.5 s all the same. A machine that has no time for it, so no result
    holds            offline: it fell silent for a moment, and went on; held_share: how much of the time
    imagined         wire: turns of a caller who never said anything
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trio

from app.conversation import INTERRUPTED_BY
from app.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ
from firmware.storage import SessionDetail, read_session, read_sessions
from firmware.telephony import Account, Call, Cause, EndpointConfig
from models.vad.silero import SileroModel
from tests.bench.report import publish
from tests.bench.telephone import through_g711, through_g722
from tests.bench.turns import ECHO_DB, Floats, agents_speech, clipped, false_stops, line_noise, office_noise
from tests.office.box import Box, office_box
from tests.office.pbx import OfficeAccount, office_accounts, office_pbx
from tests.office.script import AgentVoice
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, connection, served

MINUTES = 30.0
CODECS = {"PCMU": "ulaw", "G722": "g722"}  # SDP's name and Asterisk's
NOISES = ("line", "office")
CALLERS = ("101", "102", "103", "104")
"""One after the other with a quiet line and in an office."""
MORE_MS = (0, 60, 120, 200)
SIP_PORT, PBX_RTP, BOX_RTP = 15_250, (23_600, 23_799), (23_800, 23_899)
# As long as a greeting may be, so that nobody has to ask for it.
GREETING = (
    "Hartwell Dental, good day. We are open Monday to Thursday from eight to six, and on Friday from eight to one. "
    "There is a car park behind the building, and the first two hours are free. A check-up costs 45 dollars, "
    "a cleaning 80 dollars, and for all other work you get an estimate first. You can pay by card, in cash, or by "
    "invoice within thirty days. With severe pain come in right away, we see you on the same day. How can I help you?"
)
_OVER_MS, _LONGEST_CALL_S, _CALLS = 2_500, 90.0, 10_000
# What two clocks of 20 ms may differ by, and a clause that was made late.
_HELD_MS = 60


class Room:
    """What a telephone in a room sends back of what it plays: frame in, frame out. The room goes on between calls, so
    that no two of them begin with the same noise."""

    def __init__(self, delay_ms: int, noise: Floats) -> None:
        self._late = bytes(delay_ms // FRAME_MS * FRAME_BYTES)
        self._back = bytearray(self._late)
        self._noise, self._at = noise, 0

    def call(self) -> None:
        """A new one: nothing is on its way back."""
        self._back[:] = self._late

    def frame(self, heard: bytes) -> bytes:
        self._back += heard
        echo = np.frombuffer(bytes(self._back[:FRAME_BYTES]), np.int16) * 10 ** (ECHO_DB / 20)
        del self._back[:FRAME_BYTES]
        if self._at + len(echo) > len(self._noise):
            self._at = 0
        noise = self._noise[self._at : self._at + len(echo)]
        self._at += len(echo)
        return clipped(echo + noise).tobytes()


@dataclass(frozen=True, slots=True)
class Spoken:
    """One call in which the agent spoke alone. `lasted_ms`: its greeting, holds included. `interrupted`: it thought so;
    a greeting that was neither is not `whole` because it was silent for so long that the caller had enough."""

    codec: str
    noise: str
    lasted_ms: int
    interrupted: bool
    whole: bool
    imagined: int


async def _listen(call: Call, room: Room) -> None:
    """Until the agent has said what it had to say."""
    voice = AgentVoice()
    room.call()
    await call.mouth.play(bytes(2 * FRAME_BYTES))  # so that a late frame of theirs makes no hole in ours
    async for frame in call.ears():
        voice.feed(frame.at_ms, frame.pcm)
        if voice.spoke and voice.quiet_ms >= _OVER_MS:
            return
        await call.mouth.play(room.frame(frame.pcm))


async def _keep_listening(phone: Account, room: Room, until_s: float) -> None:
    while trio.current_time() < until_s:
        call = await phone.dial("200")
        try:
            with trio.move_on_after(_LONGEST_CALL_S):
                await call.connected()
                await _listen(call, room)
        finally:
            with trio.move_on_after(3, shield=True):
                await call.hang_up()
        await call.ended()
        await trio.sleep(1)


async def on_the_wire(codec: str, minutes: float, folder: Path) -> list[Spoken]:
    """`minutes` of calls with each noise, over `codec`; four at a time, so half of that in real time."""
    accounts = office_accounts(u200=OfficeAccount("200", codecs=(CODECS[codec],)))
    chance = np.random.default_rng(6)
    length = 60 * SAMPLE_RATE_HZ
    noises = {"line": line_noise(length, chance), "office": office_noise(length, chance)}
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP, accounts=accounts))
        office = office_box(pbx, folder, seats=2 * len(CALLERS), greeting=GREETING, rtp_ports=BOX_RTP)
        box = await stack.enter_async_context(office)
        config = EndpointConfig(user_agent="Deskbell/barge", codecs=(codec,))
        users = [connection(pbx, user) for user in CALLERS]
        _, phones = await stack.enter_async_context(served(*users, config=config))
        for phone in phones:
            await becomes(phone, Cause.REGISTERED)
        until_s = trio.current_time() + minutes * 60 / (len(CALLERS) / len(NOISES))
        async with trio.open_nursery() as nursery:
            for number, phone in enumerate(phones):
                room = Room(MORE_MS[number], noises[NOISES[number % 2]])
                nursery.start_soon(_keep_listening, phone, room, until_s)
        await _all_over(box)
        return await trio.to_thread.run_sync(_spoken, box.sessions, codec)


async def _all_over(box: Box) -> None:
    with trio.fail_after(PATIENCE_S):
        while any(each.outcome is None for each in read_sessions(box.sessions, _CALLS)):  # noqa: ASYNC110 - a file
            await trio.sleep(0.2)


def _spoken(sessions: Path, codec: str) -> list[Spoken]:
    details = [read_session(sessions, each.id) for each in read_sessions(sessions, _CALLS)]
    return [_of(detail, codec) for detail in details if detail and detail.lines]  # else it never began to speak


def _of(detail: SessionDetail, codec: str) -> Spoken:
    own = [line for line in detail.lines if line.speaker == "agent"]
    greeting = own[0]
    return Spoken(
        codec=codec,
        noise=NOISES[CALLERS.index(detail.summary.remote) % 2],
        lasted_ms=greeting.end_ms - greeting.start_ms,
        interrupted=any(note.text.startswith(INTERRUPTED_BY) for note in detail.notes),
        whole=greeting.text.endswith("How can I help you?"),
        imagined=len(detail.lines) - len(own),
    )


def of_noise(calls: Sequence[Spoken], noise: str) -> dict[str, Any]:
    """Calls in which the agent was not stopped all last the same, but for what it was held."""
    with_it = [call for call in calls if call.noise == noise]
    shortest_ms = min((call.lasted_ms for call in calls if call.whole), default=0)
    held_ms = [call.lasted_ms - shortest_ms for call in with_it if call.whole]
    seconds = sum(call.lasted_ms for call in with_it) / 1000
    return {
        "false_barge_ins": sum(call.interrupted for call in with_it),
        "broken_off": sum(not (call.interrupted or call.whole) for call in with_it),
        "held_share": round(sum(held_ms) / 1000 / max(seconds, 1), 4),
        "calls_held": sum(each > _HELD_MS for each in held_ms),
        "imagined": sum(call.imagined for call in with_it),
        "calls": len(with_it),
        "minutes": round(seconds / 60, 1),
    }


async def offline(minutes: float) -> dict[str, Any]:
    """Half of `minutes` over each codec, with each noise."""
    vad, chance = SileroModel(), np.random.default_rng(6)
    spoken = await agents_speech(minutes / 2)
    noises = {"line": line_noise(len(spoken), chance), "office": office_noise(len(spoken), chance)}
    found = {}
    for name, noise in noises.items():
        parts = [false_stops(spoken, noise, vad, codec) for codec in (through_g711, through_g722)]
        found[name] = {
            "false_barge_ins": sum(part["false_stops"] for part in parts),
            "holds": sum(part["false_holds"] for part in parts),
            "held_share": round(sum(part["held_share"] for part in parts) / len(parts), 4),
            "minutes": round(sum(part["minutes"] for part in parts), 1),
        }
    return found


async def measure(minutes: float, wire_minutes: float, folder: Path) -> dict[str, Any]:
    """`wire_minutes`: of calls with each noise, half of them over each codec."""
    calls = [call for codec in CODECS for call in await on_the_wire(codec, wire_minutes / 2, folder / codec)]
    return {
        "partial": minutes < MINUTES or wire_minutes < MINUTES,
        "wire": {noise: of_noise(calls, noise) for noise in NOISES},
        "offline": await offline(minutes),
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench barge", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="offline, with each noise; fewer: partial")
    parser.add_argument("--wire-minutes", type=float, default=MINUTES, help="on the wire, with each noise")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-barge-") as scratch:
        result = trio.run(measure, given.minutes, given.wire_minutes, Path(scratch))
    publish("barge", result)
    stopped = {noise: result["wire"][noise]["false_barge_ins"] for noise in NOISES}
    broken_off = sum(result["wire"][noise]["broken_off"] for noise in NOISES)
    return 0 if stopped["line"] == 0 and stopped["office"] <= 1 and not broken_off else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
