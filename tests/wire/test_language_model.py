"""A real call, with real Asterisk, to an agent whose language model is a real HTTP server that misbehaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
import trio

from app.control.connectivity import ConnectivityView
from firmware.storage import SessionDetail, read_session, read_sessions
from tests.fakes.model_server import ModelServer, Script, call_of, model_server
from tests.office.calling import make_call
from tests.office.pbx import Pbx
from tests.office.script import HangUp, Listen, Pause, Say
from tests.office.script import Script as CallersScript
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S
from tests.wire.phone_process import Phone, employed, phone
from tests.wire.put_through import desks, last_session, talk

pytestmark = pytest.mark.wire

PBX_RTP, BOX_RTP, CALLER_RTP = (22_800, 22_849), (22_850, 22_899), 22_900
KEY = "sk-canary-0123456789"
KNOWN = "There is a car park behind the building."
ANSWER = "You can park behind the house. It is free for two hours."
PARTIAL = "You can park in the street. It"
FOUND = '{"name": "Anna Miller", "parking": "yes", "invented": "x"}'
AGENT = {
    "name": "Reception",
    "greeting": "Good day.",
    "knowledge": [{"questions": ["where can I park", "is there parking"], "answer": KNOWN}],
    "result_fields": [{"name": "name"}, {"name": "parking", "type": "yes-no"}],
}


async def test_a_caller_always_hears_an_answer(pbx: Pbx, tmp_path: Path) -> None:
    """The model answers; then it breaks off in its answer; then it says nothing at all; then it writes down results."""
    question = await say(SPEAKERS["slt-hts"], "Where can I park?")
    asks = (Pause(ms=300), Say(wav=question), Listen(quiet_ms=2500))
    async with (
        model_server(
            Script([f"{word} " for word in ANSWER.split()]),
            Script([f"{word} " for word in PARTIAL.split()], ends="cut"),
            Script([], ends="open"),
            Script([FOUND]),
            key=KEY,
        ) as server,
        phone(tmp_path, BOX_RTP) as line,
    ):
        await employed(line, pbx, AGENT, language_model=await connected(line, server))
        script = CallersScript(
            pbx=pbx.address,
            user="101",
            dial="200",
            steps=(Listen(), *asks, *asks, *asks, HangUp()),
            rtp_port=CALLER_RTP,
        )
        made = await make_call(script, pbx.accounts["101"].password, limit_s=90)
        assert made.failure == "", "it heard the agent after each question"
        session = await concluded(line.data / "deskbell.sqlite")
    agent = [line.text for line in session.lines if line.speaker == "agent"]
    assert agent == [
        "Good day.",
        ANSWER,
        f"You can park in the street. I am sorry, I have to start again. {KNOWN}",
        f"One moment, please. {KNOWN}",
    ]
    assert len(session.turns) == 3
    assert [note.text.partition(":")[0] for note in session.notes] == ["The receptionist answered"] * 2
    assert session.summary.results == {"name": "Anna Miller", "parking": "yes"}
    assert server.keys == [KEY] * 4
    heard = [each["content"] for each in server.questions[2]["messages"] if each["role"] == "user"]
    assert len(heard) == 3
    assert all("park" in each for each in heard)
    assert KEY not in line.log.read_text()
    assert session.summary.recording
    sound, _ = soundfile.read(session.summary.recording)
    assert abs(sound[:, 1]).max() > 0.05


LAMPS = "I would like to buy some of your lamps."
"""Names nobody; the model knows who sells them."""

LAMPS_AGENT = {
    "name": "Reception",
    "greeting": "Good day, how can I help you?",
    "directory": [{"name": "Anna Miller", "extension": "201"}],
}


async def test_the_model_puts_a_caller_through(pbx: Pbx, tmp_path: Path) -> None:
    wav = await say(SPEAKERS["rms-small"], LAMPS)
    async with (
        model_server(Script(["That is Anna. "], calls=call_of("transfer", '{"person": "Anna Miller"}'))) as server,
        phone(tmp_path, BOX_RTP) as line,
        desks(pbx) as people,
    ):
        await employed(line, pbx, LAMPS_AGENT, language_model=await connected(line, server))
        caller = await people.call(wav)
        await talk(caller, await people.put_through(line))
        session = await last_session(line)
    said = [each.text for each in session.messages if each.speaker == "agent"]
    assert said == [LAMPS_AGENT["greeting"], "That is Anna. I am putting you through to Anna Miller."]
    assert session.view.conclusion == "transferred to Anna Miller"
    assert "201" not in json.dumps(server.questions, ensure_ascii=False), "numbers are not the model's business"


async def connected(line: Phone, server: ModelServer) -> str:
    """The id of the language model."""
    engine = {"kind": "language-model", "base_url": server.base_url, "model": "tiny"}
    draft = {"name": "Model", "engine": engine, "api_key": KEY}
    return (await line.ask("create_connectivity", ConnectivityView, draft=draft)).id


async def concluded(database: Path) -> SessionDetail:
    """The session, once its results are written down after the call."""
    with trio.fail_after(PATIENCE_S):
        while True:
            found = await trio.to_thread.run_sync(_latest, database)
            if found and found.summary.results:
                return found
            await trio.sleep(0.2)  # another process's file does not announce itself


def _latest(database: Path) -> SessionDetail | None:
    return read_session(database, read_sessions(database, 1)[0].id)
