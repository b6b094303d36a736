"""A box as it looks after a year in an office: connections, agents, and the sessions of its calls."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import soundfile

from app.control import views
from app.ports import Line
from app.settings import Agent, ConnectionDraft
from app.turn_times import Turn
from firmware.storage import SqliteLedger, ledger
from provisioning.client import Box
from tests.fakes.ledger import TALKED
from tests.office.box import AGENT
from tests.office.pbx import Pbx

CONNECTIONS, AGENTS, SESSIONS = 20, 10, 500
SEATS = 4
_LINES, _TURNS = 12, 6
_BETWEEN = timedelta(hours=4)
_AT_ONCE = 40
"""Sessions in the ledger's queue, whose 1000 places they share."""


class _Calendar:
    """A clock that is set by hand, for sessions of long ago."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def remember_calls(data: Path, sessions: int = SESSIONS, *, recorded: bool = True) -> None:
    """A past for the box that starts on this data folder next: one call every four hours until now."""
    calendar = _Calendar(datetime.now(UTC) - sessions * _BETWEEN)
    recordings = data / "recordings"
    recordings.mkdir(mode=0o700, parents=True)
    async with ledger(data / "deskbell.sqlite", now=calendar) as store:
        for number in range(sessions):
            _remember(store, number, recordings if recorded else None)
            calendar.now += _BETWEEN
            if number % _AT_ONCE == 0:
                await store.settled()


def _remember(store: SqliteLedger, number: int, recordings: Path | None) -> None:
    log = store.open_session(
        call_id=f"call-{number}", agent="Reception", direction="inbound", remote=f"0151 555 {number:04d}"
    )
    log.connected("PCMU")
    if recordings:
        path = recordings / f"{log.id}.flac"
        soundfile.write(path, np.zeros((8000, 2), dtype=np.int16), 8000)
        log.recorded(path)
    for line in range(_LINES):
        said = f"This is line {line} of call {number}, and somebody says something about an appointment on Monday."
        log.line(Line("agent" if line % 2 == 0 else "caller", said, line * 5000, line * 5000 + 4000))
    for turn in range(_TURNS):
        at_ms = turn * 10_000
        log.turn(Turn(at_ms, at_ms + 450, at_ms + 520, decode_ms=40.0, brain_ms=1.5, voice_ms=20.0))
    log.close(TALKED, "message taken", {"message_name": "Peter Brown", "message": "Please call me back."})


async def furnish(box: Box, pbx: Pbx, connections: int = CONNECTIONS, agents: int = AGENTS) -> str:
    """Connections and agents; the id of the agent that answers extension 200, with SEATS seats. None runs yet."""
    password = pbx.accounts["200"].password
    lines = [await _connection(box, _draft(number, pbx, password)) for number in range(connections)]
    settings = Agent.model_validate(tomllib.loads(AGENT.read_text()) | {"max_opened_sessions": SEATS})
    made = []
    for number in range(agents):
        named = settings if number == 0 else settings.model_copy(update={"name": f"Reception {number + 1}"})
        attached = tuple(
            views.Attachment(connection_id=line, inbound=place == number)
            for place, line in enumerate(lines)
            if place in (number, number + agents)
        )
        plan = views.AgentPlan(
            settings=named, attachments=attached, speech_to_text="box-ears", text_to_speech="box-voice-slt"
        )
        agent = await box.ask("create_agent", views.AgentDetail, plan=plan)
        assert isinstance(agent, views.AgentDetail), agent
        made.append(agent.view.id)
    return made[0]


def _draft(number: int, pbx: Pbx, password: str) -> ConnectionDraft:
    """The first one is extension 200 of the office; the others are of houses that are not called here."""
    values = {"name": f"Office PBX, line {number + 1}", "description": "The extension of a room, on the second floor."}
    place = {"domain": pbx.address, "user": "200"} if number == 0 else {"domain": "pbx.lan", "user": str(1000 + number)}
    return ConnectionDraft.model_validate({**values, **place, "password": password})


async def _connection(box: Box, draft: ConnectionDraft) -> str:
    made = await box.ask("create_connection", views.ConnectionView, draft=draft)
    assert isinstance(made, views.ConnectionView), made
    return made.id
