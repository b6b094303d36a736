"""A real call, with real Asterisk, to an agent that hears and speaks by a Wyoming server of the office; and by its own
ears and voice, in the same call, once that is killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import trio

from app.control.connectivity import ConnectivityView
from firmware.storage import SessionDetail, read_session, read_sessions
from tests.office.bad_line import BadLine
from tests.office.calling import make_call
from tests.office.pbx import Pbx
from tests.office.script import HangUp, Listen, Pause, Say, Script
from tests.office.speech_servers import Kind, SpeechServer, speech_server
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S
from tests.wire.phone_process import Phone, employed, phone
from tests.wire.put_through import BRIDGES

pytestmark = pytest.mark.wire

PBX_RTP, BOX_RTP, CALLER_RTP = (24_000, 24_049), (24_050, 24_099), 24_100
KNOWN = "There is a car park behind the building, and another one across the street."
GONE = "the speech server cannot be used: nothing answers at its address"
AGENT = {
    "name": "Reception",
    "greeting": "Good day.",
    "knowledge": [{"questions": ["where can I park", "is there parking"], "answer": KNOWN}],
}


async def test_a_server_of_the_office_hears_and_speaks(pbx: Pbx, tmp_path: Path) -> None:
    async with speech_server("wyoming", tmp_path) as server, phone(tmp_path, BOX_RTP) as line:
        await employed(line, pbx, AGENT, **await by(server, line))
        await asks(pbx, times=1)
        session = await over(line)
        log = line.log.read_text()
    assert [each.text for each in session.lines] == ["Good day.", "Where can i park.", KNOWN]
    assert session.notes == ()
    assert server.did("speaks") >= 2
    assert "park" not in log, "what was said is in no log"
    assert session.summary.recording
    sound, _ = soundfile.read(session.summary.recording)
    assert abs(sound[:, 1]).max() > 0.05


async def test_a_server_that_is_killed_in_a_call_is_not_missed(pbx: Pbx, tmp_path: Path) -> None:
    """In the middle of a sentence: the box says the rest, hears the next question, and answers it."""
    async with (
        speech_server("wyoming", tmp_path, DESKBELL_PACED="1") as server,
        phone(tmp_path, BOX_RTP) as line,
        trio.open_nursery() as beside,
    ):
        await employed(line, pbx, AGENT, **await by(server, line))
        beside.start_soon(killed_while_it_answers, server)
        await asks(pbx, times=2)
        session = await over(line)
    said = [(each.speaker, each.text) for each in session.lines]
    assert said == [
        ("agent", "Good day."),
        ("caller", "Where can i park."),
        ("agent", KNOWN),
        ("caller", "where can i park"),
        ("agent", KNOWN),
    ]
    notes = [each.text for each in session.notes]
    assert notes[0].startswith("The voice on the box spoke: the speech server cannot be used: it broke off")
    assert any(each.startswith(f"The recogniser on the box heard this: {GONE}") for each in notes)
    assert session.turns[-1].response_ms < 3000


async def killed_while_it_answers(server: SpeechServer) -> None:
    await server.does("speaks", 2)
    await trio.sleep(1.0)
    await server.die()


async def by(server: SpeechServer | BadLine, line: Phone, kind: Kind = "wyoming") -> dict[str, Any]:
    """What an agent is given that hears and speaks by it."""
    where = {"address": server.address} if kind == "wyoming" else {"base_url": server.base_url, "model": "small"}
    ids = {}
    for role in ("speech-to-text", "text-to-speech"):
        engine = {"kind": f"{kind}-{role}", **where}
        if role == "text-to-speech" and kind == "openai":
            engine["voice"] = "rms"
        made = await line.ask(
            "create_connectivity", ConnectivityView, draft={"name": f"Office {role}", "engine": engine}
        )
        ids[role.replace("-", "_")] = made.id
    return ids


async def asks(pbx: Pbx, *, times: int) -> None:
    question = await say(SPEAKERS["slt-hts"], "Where can I park?")
    steps = (Pause(ms=300), Say(wav=question), Listen(quiet_ms=2500))
    script = Script(
        pbx=pbx.address, user="101", dial="200", steps=(Listen(), *steps * times, HangUp()), rtp_port=CALLER_RTP
    )
    made = await make_call(script, pbx.accounts["101"].password, limit_s=90)
    assert made.failure == "", "it heard the agent after each question"


async def over(line: Phone) -> SessionDetail:
    """The session, once the call is, without BRIDGES."""
    with trio.fail_after(PATIENCE_S):
        while True:
            found = await trio.to_thread.run_sync(_latest, line.data / "deskbell.sqlite")
            if found and found.summary.outcome:
                return replace(found, lines=tuple(each for each in found.lines if each.text not in BRIDGES))
            await trio.sleep(0.2)  # another process's file does not announce itself


def _latest(database: Path) -> SessionDetail | None:
    return read_session(database, read_sessions(database, 1)[0].id)
