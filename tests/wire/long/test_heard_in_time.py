"""However a server of the office fails in mid-turn, the caller hears something within three seconds of their last word:
measured in the RTP that a real Asterisk gets from both, and not by what the box says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
import trio

from app.control.mail import MailServerView
from tests.fakes.mail_server import mail_server
from tests.office.bad_line import Fault, bad_line
from tests.office.calling import CallerEvent, CallMade, make_call
from tests.office.capture import capturing, tracks_by_sender
from tests.office.llama import llama_server
from tests.office.pbx import Pbx
from tests.office.script import HangUp, Listen, Pause, Say, Script
from tests.office.speech_servers import Kind, speech_server
from tests.office.track import Span, Track
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S
from tests.wire.phone_process import employed, phone
from tests.wire.test_language_model import AGENT, KEY
from tests.wire.test_llama import PARKING, connected
from tests.wire.test_speech_servers import by

pytestmark = pytest.mark.wire

BOX_RTP, CALLER_RTP = (24_100, 24_149), 24_150
WITHIN_S = 3.0
USUAL_S = 0.8
"""What nine of ten answers take at most, where the machine is idle (docs/measured.md)."""

BUSY_S = 1.0
"""Beside all other tests. Idle, the slowest of these turns takes 2.6 s (a frozen server that both hears and speaks)."""

NARROW = "203"
"""An extension whose audio we can decode."""


async def test_a_language_model_that_is_frozen_and_then_killed(pbx: Pbx, tmp_path: Path) -> None:
    async with llama_server([PARKING], key=KEY) as server, phone(tmp_path, BOX_RTP) as line:
        does = {"frozen": server.freeze, "thawed": server.thaw, "killed": server.die}
        agent = {**AGENT, "result_fields": []}
        await employed(line, pbx, agent, user=NARROW, language_model=await connected(line, server.base_url))
        waits = await waits_s(pbx, tmp_path, ("whole", "frozen", "thawed", "killed"), does)
    assert_in_time(waits)


async def test_ears_and_voice_of_a_server_that_is_frozen_and_then_killed(pbx: Pbx, tmp_path: Path) -> None:
    async with speech_server("wyoming", tmp_path) as server, phone(tmp_path, BOX_RTP) as line:
        does = {"frozen": server.freeze, "killed": server.crash}
        await employed(line, pbx, AGENT, user=NARROW, **await by(server, line))
        waits = await waits_s(pbx, tmp_path, ("whole", "frozen", "killed"), does)
    assert_in_time(waits)


@pytest.mark.parametrize("fault", ["late", "slow", "garbage"])
async def test_a_language_model_over_a_line_that_goes_bad(pbx: Pbx, tmp_path: Path, fault: Fault) -> None:
    async with (
        llama_server([PARKING], key=KEY) as server,
        bad_line(server.address.removeprefix("http://")) as way,
        phone(tmp_path, BOX_RTP) as line,
    ):
        agent = {**AGENT, "result_fields": []}
        await employed(line, pbx, agent, user=NARROW, language_model=await connected(line, way.base_url))
        waits = await waits_s(pbx, tmp_path, ("whole", fault), {fault: partial(way.makes, fault)})
    assert_in_time(waits)


@pytest.mark.parametrize("fault", ["late", "slow", "garbage"])
@pytest.mark.parametrize("kind", ["wyoming", "openai"])
async def test_ears_and_voice_over_a_line_that_goes_bad(pbx: Pbx, tmp_path: Path, kind: Kind, fault: Fault) -> None:
    async with (
        speech_server(kind, tmp_path) as server,
        bad_line(server.address) as way,
        phone(tmp_path, BOX_RTP) as line,
    ):
        await employed(line, pbx, AGENT, user=NARROW, **await by(way, line, kind))
        waits = await waits_s(pbx, tmp_path, ("whole", fault), {fault: partial(way.makes, fault)})
    assert_in_time(waits)


@pytest.mark.parametrize("fault", ["late", "garbage"])
async def test_a_mail_server_that_goes_bad_holds_nobody(pbx: Pbx, tmp_path: Path, fault: Fault) -> None:
    """One call is over and is being told of, while the next one talks."""
    async with mail_server() as post, bad_line(f"127.0.0.1:{post.port}") as way, phone(tmp_path, BOX_RTP) as line:
        way.makes(fault)
        host, port = way.address.split(":")
        mail = {"host": host, "port": int(port), "security": "none", "sender": "box@office.example"}
        version = (await line.ask("get_mail_server", MailServerView)).version
        await line.ask("update_mail_server", MailServerView, if_version=version, draft=mail)
        told = {"mail_to": ["owner@office.example"], "mail_when": "every call"}
        await employed(line, pbx, {**AGENT, **told}, user=NARROW)
        before = await waits_s(pbx, tmp_path, ("whole",), {})
        with trio.fail_after(PATIENCE_S):
            await way.used.wait()
        meanwhile = await waits_s(pbx, tmp_path, ("meanwhile",), {})
    assert_in_time(before | meanwhile)
    assert post.got == []


def assert_in_time(waits: Mapping[str, float]) -> None:
    """By how much a busy machine is late in a turn in which nothing fails, it is in the others too, up to a second."""
    print(waits)  # pytest shows it if it fails
    late_s = min(max(0.0, waits["whole"] - USUAL_S), BUSY_S)
    assert {name: wait for name, wait in waits.items() if wait > WITHIN_S + late_s} == {}, waits


async def waits_s(
    pbx: Pbx, folder: Path, turns: tuple[str, ...], does: Mapping[str, Callable[[], None]]
) -> dict[str, float]:
    """How long the caller waited in silence after each of their questions. What `does` has is done while they ask."""
    question = await say(SPEAKERS["slt-hts"], "Where can I park?")

    def on_event(event: CallerEvent) -> None:
        if event.kind == "saying" and (what := does.get(event.fields["name"])):
            what()

    asked = [each for name in turns for each in (Pause(ms=300), Say(wav=question, name=name), Listen(quiet_ms=2_500))]
    steps = (Listen(), *asked, HangUp())
    script = Script(pbx=pbx.address, user="101", dial=NARROW, steps=steps, codecs=("PCMA",), rtp_port=CALLER_RTP)
    async with capturing(folder / "call.pcap", pbx.rtp_ports):
        made = await make_call(script, pbx.accounts["101"].password, limit_s=120, on_event=on_event)
    assert made.failure == "", "it heard the agent after each question"
    return await trio.to_thread.run_sync(_waits_s, folder / "call.pcap", made)


def _waits_s(pcap: Path, made: CallMade) -> dict[str, float]:
    """The last packets of a call before may be in the capture, too; the agent may have more tracks than one."""
    tracks = tracks_by_sender(pcap)
    box = range(BOX_RTP[0], BOX_RTP[1] + 1)
    caller = _speech(tracks[CALLER_RTP])
    agent = _speech([each for port, found in tracks.items() if port in box for each in found])
    return {name: _silence_s(caller, agent, over_s) for name, over_s in made.named("said").items()}


def _speech(tracks: Sequence[Track]) -> list[Span]:
    return [span for track in tracks for span in track.speech(0.05)]


def _silence_s(caller: Sequence[Span], agent: Sequence[Span], over_s: float) -> float:
    """From the last sound of what was asked by `over_s`, until the agent's next."""
    last_s = max(each.end_s for each in caller if each.start_s < over_s)
    answers_s = [each.start_s for each in agent if each.start_s > last_s]
    assert answers_s, f"nothing of the agent's after {last_s}, asked by {over_s}: {agent}; the caller's: {caller}"
    return min(answers_s) - last_s
