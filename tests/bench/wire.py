"""`just bench wire`: how fast the agent answers and falls silent, from RTP captured at the PBX's side.

A real Asterisk, the real box, and callers in ten voices, one call at a time (half an hour): each asks four things and
interrupts the agent twice. Half of the calls use G.711 mu-law, half G.722. Each call has a capture of its own, of what
reaches the PBX from both sides.

    response_ms  end of the caller's last word to the first audio of the reply
    barge_in_ms  the caller's onset to the agent's silence
    stages_error_ms  by how much the stages of the session (pause, words, brain, voice) miss response_ms, either way

Both are edges at -50 dBFS in windows of 10 ms. What went wrong (no reply, cut in, did not stop, a call that failed) is
counted, never left out in silence; the figures are of the turns that went right.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import trio

from app.ports import Line
from app.turn_times import Turn
from firmware.storage import SessionDetail, read_session, read_sessions
from tests.bench.report import percentiles, publish
from tests.bench.turn_taking import BRIDGED_S, Answer, MeasuredTurn, SaidLine, Stop, measure
from tests.office.box import office_box
from tests.office.calling import CallMade, make_call
from tests.office.capture import capturing, tracks_by_sender
from tests.office.pbx import OfficeAccount, Pbx, office_accounts, office_pbx
from tests.office.script import HangUp, Interrupt, Listen, Pause, Say, Script, Step
from tests.office.track import SPEECH_DBFS, Span, Track
from tests.office.voices import SPEAKERS, say

VOICES = ("ked", "slt-hts", "slt-hts-large", "ked-small", "slt", "rms", "awb", "kal-diphone", "rms-small", "awb-small")
CODECS = {"PCMU": "ulaw", "G722": "g722"}  # SDP's name and Asterisk's
CALLS_PER_CODEC = 25  # of four turns each: 200 in all, half of them interruptions
# Long answers are what gets interrupted, so that they do not just happen to end.
LINES = (
    ("Where can I park?", "Do you take my insurance?", "How much is a check up?", "Do you treat children?"),
    ("What is your address?", "I have a tooth ache.", "Which bus do I take?", "Do you accept new patients?"),
    ("How can I pay?", "Is there an elevator?", "I have to cancel my appointment.", "When are you open?"),
    ("When are you open?", "How much is a check up?", "This is an emergency.", "What is your e-mail address?"),
)
INTERRUPTS = (False, False, True, True)
AFTER_MS = 1000
CALL_LIMIT_S = 120.0
_SESSION_S = 10.0
# The "k" of "park" is a burst of 20 ms, after up to 0.1 s of nothing.
_WORD_S = 0.15
SIP_PORT, PBX_RTP, BOX_RTP, CALLER_RTP = 15_210, (22_000, 22_199), (22_200, 22_299), 22_300


@dataclass(frozen=True, slots=True)
class Measured:
    """One call. `own`: the turns as the box itself measured them, on its own audio clock. `lines`: who said what."""

    codec: str
    voice: str
    turns: list[MeasuredTurn]
    own: tuple[Turn, ...]
    lines: tuple[Line, ...]
    failure: str

    @property
    def is_right(self) -> bool:
        rightly = all(turn.answer is Answer.ANSWERED and turn.stop in (None, Stop.STOPPED) for turn in self.turns)
        return rightly and not self.failure

    def stages_errors(self) -> Iterator[float]:
        """Of the turns that were answered, and whose stages the box has."""
        if len(self.own) == len(self.turns):
            for turn, own in zip(self.turns, self.own, strict=True):
                if turn.response_ms is not None:
                    yield abs(turn.response_ms - (own.pause_ms + own.words_ms + own.brain_ms + own.voice_ms))

    def details(self) -> Iterator[dict[str, Any]]:
        """Each turn; with the box's own stages where the box counted the same turns."""
        own: Sequence[Turn | None] = self.own if len(self.own) == len(self.turns) else [None] * len(self.turns)
        for turn, stages in zip(self.turns, own, strict=True):
            detail: dict[str, Any] = {"codec": self.codec, "voice": self.voice, "line": turn.name}
            detail |= {"answer": turn.answer.value, "response_ms": turn.response_ms}
            if turn.stop:
                detail |= {"stop": turn.stop.value, "stop_ms": turn.stop_ms}
            if stages:
                detail |= {"box": {**asdict(stages), "response_ms": stages.response_ms, "words_ms": stages.words_ms}}
            yield detail


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench wire", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS_PER_CODEC, help="per codec; fewer: the result is partial")
    calls: int = parser.parse_args(arguments).calls
    measured = trio.run(_measure, calls)
    publish("wire", figures(measured, partial=calls < CALLS_PER_CODEC))
    return 0 if any(turn.response_ms for call in measured for turn in call.turns) else 1


async def _measure(calls: int) -> list[Measured]:
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="bench-wire-") as scratch:
        for codec, asterisks in CODECS.items():
            accounts = office_accounts(u200=OfficeAccount("200", codecs=(asterisks,)))
            folder = Path(scratch) / codec
            async with (
                office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP, accounts=accounts) as pbx,
                office_box(pbx, folder, rtp_ports=BOX_RTP) as box,
            ):
                for number, voice in zip(range(calls), itertools.cycle(VOICES), strict=False):
                    lines = LINES[(number + number // len(VOICES)) % len(LINES)]
                    pcap = folder / f"{number}.pcap"
                    measured.append(await one_call(pbx, box.sessions, codec, voice, lines, pcap))
                    tell(f"{codec} {number + 1}/{calls}", measured[-1])
    return measured


async def one_call(
    pbx: Pbx, sessions: Path, codec: str, voice: str, lines: Sequence[str], pcap: Path, *, dial: str = "200"
) -> Measured:
    """A call to the agent with the extension `dial`, whose box keeps its sessions in the database `sessions`."""
    script = Script(
        pbx=pbx.address,
        user="101",
        dial=dial,
        steps=await _steps(voice, lines),
        codecs=(codec,),
        rtp_port=CALLER_RTP,
    )
    async with capturing(pcap, PBX_RTP):
        made = await make_call(script, pbx.accounts["101"].password, limit_s=CALL_LIMIT_S)
    turns = await trio.to_thread.run_sync(_turns, pcap, made)
    session = await _session(sessions)
    return Measured(codec, voice, turns, *_noted(session), made.failure)


async def _steps(voice: str, lines: Sequence[str]) -> tuple[Step, ...]:
    steps: list[Step] = [Listen()]
    for number, (line, interrupts) in enumerate(zip(lines, INTERRUPTS, strict=True)):
        wav = await say(SPEAKERS[voice], line)
        if interrupts:
            steps.append(Interrupt(wav=wav, name=str(number), after_ms=AFTER_MS, timeout_s=12))
        elif number + 1 < len(lines) and INTERRUPTS[number + 1]:
            steps += [Pause(ms=300), Say(wav=wav, name=str(number))]
        else:
            steps += [Pause(ms=300), Say(wav=wav, name=str(number)), Listen(timeout_s=12)]
    return (*steps, Listen(timeout_s=12), HangUp())


def _noted(session: SessionDetail | None) -> tuple[tuple[Turn, ...], tuple[Line, ...]]:
    return (session.turns, session.lines) if session else ((), ())


def _turns(pcap: Path, made: CallMade) -> list[MeasuredTurn]:
    tracks = tracks_by_sender(pcap)
    caller = _only(tracks.get(CALLER_RTP, []))
    agent = _only([track for port, each in tracks.items() if BOX_RTP[0] <= port <= BOX_RTP[1] for track in each])
    began, over = made.named("saying"), made.named("said")
    lines = [
        SaidLine(name, interrupts, Span(began[name], over[name]) if name in over else None)
        for name, interrupts in ((str(number), each) for number, each in enumerate(INTERRUPTS))
    ]
    if caller is None or agent is None:
        return measure([SaidLine(line.name, line.interrupts, None) for line in lines], [], [], 0.0)
    end_s = agent.at_s(len(agent.samples))
    return measure(lines, caller.speech(_WORD_S), agent.speech(BRIDGED_S), end_s)


def _only(tracks: Sequence[Track]) -> Track | None:
    """The one track of a side; None for a call that never had media."""
    if len(tracks) > 1:
        raise ValueError(f"a side of the call sent {len(tracks)} streams of sound: nothing can be measured in that")
    return tracks[0] if tracks else None


async def _session(sessions: Path) -> SessionDetail | None:
    """The latest session, once the box has closed it."""
    for _ in range(round(_SESSION_S / 0.1)):
        latest = await trio.to_thread.run_sync(read_sessions, sessions, 1)
        if latest and latest[0].outcome:
            return read_session(sessions, latest[0].id)
        await trio.sleep(0.1)
    return None


def figures(measured: Sequence[Measured], *, partial: bool) -> dict[str, Any]:
    """What is published."""
    turns = [turn for call in measured for turn in call.turns]
    answers = Counter(turn.answer for turn in turns)
    stops = Counter(turn.stop for turn in turns if turn.stop)
    return {
        "partial": partial,
        "response_ms": _split(measured, "response_ms"),
        "barge_in_ms": _split(measured, "stop_ms"),
        "response_ms_by_the_box": percentiles([turn.response_ms for call in measured for turn in call.own]),
        "stages_error_ms": percentiles([error for call in measured for error in call.stages_errors()]),
        "turns": len(turns),
        "turns_wrong": len(turns) - answers[Answer.ANSWERED],
        "voices": len({call.voice for call in measured}),
        "cut_off_rate": round(answers[Answer.CUT_IN] / max(1, len(turns)), 4),
        "turns_by_answer": {answer.value: answers[answer] for answer in Answer},
        "interruptions": sum(stops.values()),
        "interruptions_wrong": sum(stops.values()) - stops[Stop.STOPPED],
        "interruptions_by_end": {stop.value: stops[stop] for stop in Stop},
        "calls": len(measured),
        "calls_failed": sum(bool(call.failure) for call in measured),
        "edge_dbfs": SPEECH_DBFS,
        "failures": [call.failure for call in measured if call.failure],
        "wrong": [[asdict(line) for line in call.lines] for call in measured if not call.is_right],
        "all": [detail for call in measured for detail in call.details()],
    }


def _split(measured: Sequence[Measured], what: str) -> dict[str, Any]:
    """Over all calls, and for each codec."""

    def values(codecs: Sequence[str]) -> list[float]:
        found = [getattr(turn, what) for call in measured if call.codec in codecs for turn in call.turns]
        return [value for value in found if value is not None]

    return {**percentiles(values(list(CODECS))), **{codec: percentiles(values([codec])) for codec in CODECS}}


def tell(name: str, call: Measured) -> None:
    turns = ", ".join("-" if turn.response_ms is None else f"{turn.response_ms:.0f}" for turn in call.turns)
    stops = ", ".join("-" if turn.stop_ms is None else f"{turn.stop_ms:.0f}" for turn in call.turns if turn.stop)
    print(f"{name} {call.voice}: {turns} ms; stops {stops} ms {call.failure}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
