"""A box with a week of office life behind it, for looking at: agents in several states, a connection that fails, calls.

    async with showroom(folder) as room: ...

The office is the demo's (`tests/office/agent.toml`); its PBX is a real Asterisk, and one call is on the line.
"""

from __future__ import annotations

import tomllib
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import trio

from app.control import views
from app.control.campaigns import Added, CampaignView, ImportView
from app.control.http_tools import HttpToolView
from app.control.refusals import Refusal
from app.outbound.campaign import WEEKDAYS
from app.ports import Line, Outcome, Result
from app.turn_times import Turn
from firmware.appliance import CONTROL_SOCKET
from firmware.storage import SqliteLedger, ledger
from provisioning.client import A, Box
from tests.office.pbx import Pbx, office_pbx
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S
from tests.web.appliance import PBX_RTP, Appliance, appliance
from tests.web.site import flow_of
from tests.wire.box import until

_ON_THE_LINE_S = 600
"""Longer than anybody looks, and the agent bears the silence for so long."""

_WORD_MS = 380
DOMAIN = "pbx.office.lan"
"""What people read; the way there is the proxy."""

OFFICE = tomllib.loads((Path(__file__).parents[1] / "office" / "agent.toml").read_text())

_HOURS_AGO = (0.4, 0.9, 1.2, 1.3, 2.1, 2.2, 2.8, 3.1, 3.3, 3.4, 4.6, 5.2, 6.1, 7.7, 9.5, 20.2, 21.1, 22.4, 22.6, 23.1)
_DAYS_AGO = (1.3, 1.9, 2.1, 2.2, 2.9, 3.2, 4.1, 5.3, 5.4, 6.2)
_CALLERS = ("101", "+44 20 7946 0123", "102", "+44 161 496 0455", "anonymous", "105", "+44 20 7946 0789")


Story = dict[str, Any]
STORIES: list[Story] = tomllib.loads(Path(__file__).with_name("stories.toml").read_text())["story"]
_SPEAKERS: dict[str, Literal["agent", "caller"]] = {"A": "agent", "C": "caller"}


@dataclass(frozen=True, slots=True)
class Showroom:
    page: Appliance
    box: Box


_STATES = {
    "first": "welcome",
    "states": [
        {
            "name": "welcome",
            "instructions": "Find out whether they want an appointment or something else.",
            "then": [
                {"to": "appointment", "when": "They want an appointment.", "said": ["an appointment"]},
                {"to": "done", "result": "confirmed", "value": "yes"},
            ],
        },
        {
            "name": "appointment",
            "says": "Let us find a day for you.",
            "instructions": "Offer Monday and Tuesday, mornings only.",
            "tools": ["set_result", "take_message"],
            "asks": ["confirmed"],
            "then": [{"to": "done", "result": "confirmed"}],
        },
        {"name": "done", "says": "You are booked.", "last": True},
    ],
}


@asynccontextmanager
async def showroom(folder: Path) -> AsyncGenerator[Showroom, None]:
    """Everything runs for as long as the block lasts. The page's password is not set yet: the set-up code is."""
    await trio.to_thread.run_sync(_folders, folder / "data")
    await _past(folder / "data")
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(folder) as page:
        box = Box(page.data / CONTROL_SOCKET)
        try:
            reception = await _furnish(box, pbx)
            await _caller(pbx, folder)
            await _settled(box)
            await _campaign(box, reception)
            yield Showroom(page, box)
        finally:
            await box.close()


_TOOL = {
    "tool": {
        "name": "Free appointments of the surgery",
        "when": "The caller wants another appointment. Ask first which day would suit them.",
        "url": "https://diary.llanfairpwllgwyngyllgogerychwyrndrobwll.example/surgery/{doctor}/appointments",
        "fields": [
            {"name": "doctor", "type": "choice", "choices": ["cole", "warren"], "example": "cole"},
            {"name": "day", "description": "as they say it", "example": "next Tuesday"},
            {"name": "people", "type": "number", "required": False},
        ],
        "headers": ["Authorization"],
    },
    "values": {"Authorization": "Bearer of the showroom"},
}


async def add_trouble(box: Box) -> None:
    """What pages must stand as well: long names, an agent in error, a stopped one, a domain that nobody knows."""
    branch = await _line(box, "Branch office in Llanfairpwllgwyngyllgogerych", "340", "x", domain="pbx.branch.invalid")
    silent = await _agent(box, {"name": "Night desk"}, {branch: True}, speech=False)
    reminds = await _agent(box, {"name": "Appointment reminders for the surgery in Harbour Street"}, {branch: False})
    await _told(box, "create_http_tool", HttpToolView, id=reminds, draft=_TOOL)
    upset = await _agent(box, {"name": "Orders by telephone"}, {branch: False})
    for agent in (silent, upset):
        await _told(box, "start_agent", views.AgentView, id=agent)
    await _settled(box)


def _folders(data: Path) -> None:
    data.mkdir(mode=0o700)
    (data / "recordings").mkdir()


async def _past(data: Path) -> None:
    """Written as the box writes it, before the box runs: the database has one writer."""
    now = datetime.now(UTC)
    ages = sorted((*(hours / 24 for hours in _HOURS_AGO), *_DAYS_AGO), reverse=True)
    clock = [now]
    async with ledger(data / "deskbell.sqlite", now=lambda: clock[0]) as store:
        for number, age in enumerate(ages):
            clock[0] = now - timedelta(days=age)
            _one_call(store, clock, number, data / "recordings")
        await store.settled()


def _one_call(store: SqliteLedger, clock: list[datetime], number: int, recordings: Path) -> None:
    story = STORIES[number % 3 if number % 4 == 0 else -1 - number % len(STORIES)]
    remote = _CALLERS[number % len(_CALLERS)]
    session = store.open_session(call_id=f"past-{number}", agent="Reception", direction="inbound", remote=remote)
    if story["said"]:
        session.connected(story["codec"])
    end_ms = 0
    for line, turn in _spoken(story, number):
        session.line(line)
        end_ms = line.end_ms
        if turn:
            session.turn(turn)
    if end_ms:
        recording = recordings / f"{session.id}.flac"
        soundfile.write(recording, np.zeros((end_ms * 16, 2), np.int16), 16_000)
        session.recorded(recording)
    clock[0] += timedelta(milliseconds=end_ms + 900)
    said = Result(story["outcome"])
    code, talk_ms = (200, end_ms) if said is Result.ANSWERED else (487, 0)
    outcome = Outcome(said, code, "", ring_ms=0, talk_ms=talk_ms, ended_by=story["ended_by"])
    session.close(outcome, story["conclusion"], story["results"])


def _spoken(story: Story, seed: int) -> Iterator[tuple[Line, Turn | None]]:
    """Lines with times as such a call has, and where the time of each answer went."""
    at_ms, heard_ms = 300, 0
    for count, said in enumerate(story["said"].strip().splitlines()):
        speaker, text = _SPEAKERS[said[0]], said[2:]
        jitter = (seed * 37 + count * 53) % 90
        pause_ms, brain_ms, voice_ms = 450 + jitter // 6 * 8, 2.0 + jitter / 30, 28.0 + jitter / 2
        if heard_ms and speaker == "agent":
            at_ms = heard_ms + pause_ms + int(brain_ms + voice_ms) + 20
        end_ms = at_ms + _WORD_MS * len(text.split())
        turn = Turn(heard_ms, heard_ms + pause_ms, at_ms, 60.0 + jitter, brain_ms, voice_ms)
        line = Line(speaker, text.removesuffix(" —"), at_ms, end_ms, text.endswith("—"))
        yield line, turn if heard_ms and speaker == "agent" else None
        heard_ms = end_ms if speaker == "caller" else 0
        at_ms = end_ms + 900


async def _furnish(box: Box, pbx: Pbx) -> str:
    """Returns the id of the agent who answers."""
    right, wrong = pbx.accounts["200"].password, "not the password"
    office = await _line(box, "Office PBX", "200", right, description="Main number, 0207 946 0100", proxy=pbx.address)
    warehouse = await _line(box, "Store room", "201", wrong, description="At the loading dock", proxy=pbx.address)
    results = [*OFFICE.get("result_fields", ()), {"name": "confirmed", "type": "yes-no"}]
    practice = {**OFFICE, "max_opened_sessions": 4, "silence_s": _ON_THE_LINE_S, "result_fields": results}
    practice["workflow"] = _STATES
    reception = await _agent(box, practice, {office: True}, description="Answers the main number of the practice.")
    greeting = {"name": "Deliveries", "greeting": "Hartwell stores, hello."}
    orders = await _agent(box, greeting, {warehouse: True}, description="Tells suppliers when and where to deliver.")
    for agent in (reception, orders):
        await _told(box, "start_agent", views.AgentView, id=agent)
    settings = {"name": "front-desk", "time_zone": "Europe/London", "retention_days": 90}
    await _told(box, "update_box", views.BoxView, if_version=1, settings=settings)
    return reception


async def _campaign(box: Box, agent: str) -> None:
    """Some of its calls are over at once, as the office's PBX refuses them each in its way."""
    settings = {
        "name": "Appointments of next week",
        "agent_id": agent,
        "flow": flow_of(FLOW),
        **_AROUND_THE_CLOCK,
    }
    made = await _told(box, "create_campaign", CampaignView, settings=settings)
    begun = await _told(box, "begin_import", ImportView, campaign_id=made.id, file_name="appointments.csv")
    rows = [{"number": number, "name": name, "appointment": "Tuesday at ten"} for number, name in _PATIENTS]
    await _told(box, "add_rows", ImportView, id=begun.id, first=1, rows=rows)
    await _told(box, "finish_import", ImportView, id=begun.id)
    await _told(box, "add_do_not_call", Added, numbers=["+44 20 7946 0199"], note="Asked by letter.")
    await _told(box, "start_campaign", CampaignView, id=made.id)

    async def under_way() -> bool:
        view = await _told(box, "get_campaign", CampaignView, id=made.id)
        return sum(each.count for each in view.progress.attempts) >= _REFUSED

    await until(under_way, PATIENCE_S)


FLOW = """
triggers:
- {on: participant created, then: call}
- {on: other flow, then: call}
steps:
- id: call
  do: call
  greeting: Hello {name}, this is the practice. Your appointment is {appointment}. Is that all right?
  then: answer
- {id: answer, do: check, of: result confirmed, value: "yes", match: note, otherwise: missed}
- {id: note, do: set, field: confirmed, value: "yes", then: end}
- {id: missed, do: check, of: calls, operator: at least, value: "3", match: end, otherwise: pause}
- {id: pause, do: wait, minutes: 1440, then: call}
"""
_AROUND_THE_CLOCK: dict[str, object] = {
    "description": "Reminds patients, and asks whether they will come.",
    "hours": [{"days": WEEKDAYS, "begin": "00:00", "end": "24:00"}],
    "at_once": 1,
    "fields": [
        {"name": "number", "type": "phone", "required": True},
        {"name": "name"},
        {"name": "appointment"},
        {"name": "confirmed", "type": "yes-no", "importable": False},
    ],
}
_PATIENTS = (
    ("603", "Mr Allen"),  # busy
    ("607", "Mrs Baker"),  # gone
    ("606", "Dr Carter"),  # not complete
    ("699", "Ms Dawson"),  # not there
    ("+44 20 7946 0199", "Mr Evans"),  # not to be called
    ("601", "Mrs Foster"),  # answers
    ("602", "Mr Green"),  # answers
    ("101", "Ms Harris"),
)
_REFUSED = 4


async def _line(box: Box, name: str, user: str, password: str, **more: str) -> str:
    draft = {"name": name, "domain": DOMAIN, "user": user, "password": password} | more
    return (await _told(box, "create_connection", views.ConnectionView, draft=draft)).id


async def _agent(
    box: Box, settings: Mapping[str, object], lines: dict[str, bool], *, speech: bool = True, description: str = ""
) -> str:
    plan = {
        "settings": {**settings, "description": description},
        "attachments": [{"connection_id": line, "inbound": inbound} for line, inbound in lines.items()],
        "speech_to_text": "box-ears",
        "text_to_speech": "box-voice-slt" if speech else None,
    }
    return (await _told(box, "create_agent", views.AgentDetail, plan=plan)).view.id


async def _told(box: Box, verb: str, answer: type[A], **question: object) -> A:
    told = await box.ask(verb, answer, **question)
    assert not isinstance(told, Refusal), f"{verb}: {told.text}"
    return told


async def _caller(pbx: Pbx, folder: Path) -> None:
    """Somebody who waits for the greeting, asks, and stays on the line."""

    async def registered() -> bool:
        return "200" in await pbx.contacts()

    await until(registered, PATIENCE_S)
    question = await say(SPEAKERS["rms"], "Where can I park?")
    sound, rate_hz = soundfile.read(question, dtype="int16")
    padded = folder / "question.wav"
    soundfile.write(padded, np.pad(sound, (5 * rate_hz, _ON_THE_LINE_S * rate_hz)), rate_hz, subtype="PCM_16")
    await pbx.originate("200", "Playback", pbx.add_sound(padded))


async def _settled(box: Box) -> None:
    """Somebody was answered, and every line in use knows whether it is registered."""

    async def settled() -> bool:
        around = await _told(box, "get_overview", views.Overview)
        lines = [each.registration for agent in around.agents for each in agent.connections if each.registration]
        return any(agent.calls for agent in around.agents) and all(each.cause != "trying" for each in lines)

    await until(settled, PATIENCE_S)
