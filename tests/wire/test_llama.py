"""A real call, with real Asterisk, to an agent whose language model is a real llama.cpp server."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.brains.patience import FILLER
from app.brains.stages import went_on
from app.control.connectivity import ConnectivityView
from firmware.telephony import EndpointConfig
from tests.office.calling import CallerEvent, make_call
from tests.office.llama import llama_server
from tests.office.pbx import Pbx
from tests.office.recital import Recital, call_text
from tests.office.script import HangUp, Interrupt, Listen, Pause, Say
from tests.office.script import Script as CallersScript
from tests.office.voices import SPEAKERS, say
from tests.wire.box import pressed, registered
from tests.wire.phone_process import Phone, employed, phone
from tests.wire.put_through import asks, desks, last_session, talk
from tests.wire.test_language_model import AGENT, KEY, KNOWN, LAMPS, LAMPS_AGENT

pytestmark = pytest.mark.wire

PBX_RTP, BOX_RTP, CALLER_RTP = (22_800, 22_849), (22_850, 22_899), 22_900
OFFICE = EndpointConfig(user_agent="Office", rtp_first_port=CALLER_RTP + 20, rtp_ports=16)
PARKING = Recital("park", "You can park behind the house. It is free for two hours.")
ENDLESS = Recital("", "Listen, o, p,", again=True)
LONGEST_ANSWER = 1_500
"""Characters that are spoken of an answer."""


async def test_a_caller_always_hears_an_answer(pbx: Pbx, tmp_path: Path) -> None:
    """It answers; it is interrupted; it is frozen in one turn and goes on in the next; it is killed."""
    parking, hello = [await say(SPEAKERS["slt-hts"], text) for text in ("Where can I park?", "Hello, good afternoon.")]
    listen, pause = Listen(quiet_ms=2500), Pause(ms=300)
    steps = (
        *(Listen(), pause, Say(wav=parking), listen),
        *(pause, Say(wav=hello), Interrupt(wav=parking, after_ms=1000, name="over"), listen),
        *(pause, Say(wav=parking, name="frozen"), listen),
        *(pause, Say(wav=parking, name="thawed"), listen),
        *(pause, Say(wav=parking, name="dead"), listen, HangUp()),
    )
    async with (
        llama_server([PARKING, ENDLESS], key=KEY) as server,
        phone(tmp_path, BOX_RTP) as line,
    ):
        does = {"frozen": server.freeze, "thawed": server.thaw, "dead": server.die}

        def on_event(event: CallerEvent) -> None:
            if event.kind == "saying" and (what := does.get(event.fields["name"])):
                what()

        await employed(line, pbx, {**AGENT, "result_fields": []}, language_model=await connected(line, server.base_url))
        script = CallersScript(pbx=pbx.address, user="101", dial="200", steps=steps, rtp_port=CALLER_RTP)
        made = await make_call(script, pbx.accounts["101"].password, limit_s=120, on_event=on_event)
        assert made.failure == "", "it heard the agent after each question"
        session = await last_session(line)
    said = [each for each in session.messages if each.speaker == "agent"]
    assert [each.interrupted for each in said] == [False, False, True, False, False, False, False]
    assert said[2].text.startswith("Listen")
    assert len(said[2].text) < LONGEST_ANSWER
    assert [each.text for each in said[:2] + said[3:]] == [
        "Good day.",
        PARKING.text,
        PARKING.text,
        f"{FILLER} {KNOWN}",
        PARKING.text,
        KNOWN,
    ]
    assert KEY not in line.log.read_text()


async def test_the_model_puts_a_caller_through(pbx: Pbx, tmp_path: Path) -> None:
    wav = await say(SPEAKERS["rms-small"], LAMPS)
    anna_sells = Recital("", f"That is Anna. {call_text('transfer', person='Anna Miller')}")
    async with (
        llama_server([anna_sells], key=KEY) as server,
        phone(tmp_path, BOX_RTP) as line,
        desks(pbx) as people,
    ):
        await employed(line, pbx, LAMPS_AGENT, language_model=await connected(line, server.base_url))
        caller = await people.call(wav)
        await talk(caller, await people.put_through(line))
        session = await last_session(line)
    said = [each.text for each in session.messages if each.speaker == "agent"]
    assert said == [LAMPS_AGENT["greeting"], "That is Anna. I am putting you through to Anna Miller."]


async def test_the_model_presses_keys(pbx: Pbx, tmp_path: Path) -> None:
    menu = await say(SPEAKERS["rms-small"], "For sales, please press four.")
    presses = Recital("", call_text("send_digits", keys="4,2#"))
    async with (
        llama_server([presses], key=KEY) as server,
        phone(tmp_path, BOX_RTP) as line,
        registered(pbx, "101", config=OFFICE) as machine,
    ):
        agent = {"name": "Buyer", "greeting": "Good day.", "presses_keys": True}
        await employed(line, pbx, agent, language_model=await connected(line, server.base_url))
        call = await machine.dial("200")
        await call.connected()
        await asks(call, [menu])
        assert await pressed(call, 3) == "42#"
        await call.hang_up()
        session = await last_session(line)
    assert [each.text for each in session.messages if each.speaker == "agent"] == ["Good day."]
    assert [each.text for each in session.notes] == ["The agent pressed 3 keys."]


async def test_a_conversation_goes_through_its_states(pbx: Pbx, tmp_path: Path) -> None:
    question = await say(SPEAKERS["slt-hts"], "Where can I park?")
    asks_there = Recital("park", call_text("go_to", state="parking"))
    there = Recital("you are in “parking” now", PARKING.text, after_tool=True)
    states = [
        {"name": "welcome", "then": [{"to": "parking", "when": "They want to park."}]},
        {"name": "parking", "says": "Let me see.", "tools": [], "last": True},
    ]
    workflow = {"first": "welcome", "states": states}
    async with (
        llama_server([asks_there, there, Recital("", "What may I do for you?")], key=KEY) as server,
        phone(tmp_path, BOX_RTP) as line,
    ):
        agent = {**AGENT, "result_fields": [], "workflow": workflow}
        await employed(line, pbx, agent, language_model=await connected(line, server.base_url))
        steps = (Listen(), Pause(ms=300), Say(wav=question), Listen(quiet_ms=2500), HangUp())
        script = CallersScript(pbx=pbx.address, user="101", dial="200", steps=steps, rtp_port=CALLER_RTP)
        made = await make_call(script, pbx.accounts["101"].password, limit_s=90)
        assert made.failure == "", "it heard the agent after the question"
        session = await last_session(line)
    assert [each.text for each in session.messages if each.speaker == "agent"] == ["Good day.", PARKING.text]
    assert [each.text for each in session.notes] == [went_on("parking", "the language model chose it")]


async def connected(line: Phone, base_url: str) -> str:
    """The id of the language model."""
    engine = {"kind": "language-model", "base_url": base_url, "model": "tiny"}
    draft = {"name": "llama.cpp", "engine": engine, "api_key": KEY}
    return (await line.ask("create_connectivity", ConnectivityView, draft=draft)).id
