"""The phone process as it runs on a box, without the page: asked over its control socket, killed and started again."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import trio

from app.control import views
from app.control.refusals import Refusal
from app.settings import Settings
from firmware.appliance import CONTROL_SOCKET
from provisioning.client import Box
from tests.office.pbx import Pbx
from tests.office.program import Program, program
from tests.patience import PATIENCE_S

A = TypeVar("A", bound=Settings)

_STOP_S = 30.0  # saying good-bye, unregistering, and the last of a recording
RECEPTION = {"name": "Reception", "greeting": "Good day."}


@dataclass(frozen=True, slots=True)
class Phone:
    """`data`: its folder. `log`: all that it writes, in every detail."""

    program: Program
    box: Box
    data: Path

    @property
    def log(self) -> Path:
        return self.program.log

    async def ask(self, verb: str, answer: type[A], **question: object) -> A:
        given = await self.box.ask(verb, answer, **question)
        assert not isinstance(given, Refusal), given
        return given

    async def runs(self, agent_id: str) -> None:
        """Until the agent runs, and its connection is registered."""
        with trio.fail_after(PATIENCE_S):
            while True:
                view = (await self.ask("get_agent", views.AgentDetail, id=agent_id)).view
                lines = [each.registration for each in view.connections]
                if view.state is views.AgentState.RUNNING and all(line and line.registered for line in lines):
                    return
                await trio.sleep(0.2)


@asynccontextmanager
async def phone(folder: Path, rtp_ports: tuple[int, int]) -> AsyncGenerator[Phone, None]:
    """Its data and log are in `folder`, and stay there. Raises: BoxFailed; see `program`."""
    data = folder / "data"
    environment = {
        "DESKBELL_DATA": str(data),
        "DESKBELL_LOG_LEVEL": "DEBUG",
        "DESKBELL_RTP_FIRST_PORT": str(rtp_ports[0]),
        "DESKBELL_RTP_LAST_PORT": str(rtp_ports[1]),
    }
    command = [sys.executable, "-m", "firmware"]
    async with program(command, environment, folder / "phone.log", stop_s=_STOP_S) as running:
        await running.says("^(ready)$", PATIENCE_S)
        box = Box(data / CONTROL_SOCKET)
        try:
            yield Phone(running, box, data)
        finally:
            await box.close()


async def employed(
    line: Phone, pbx: Pbx, settings: Mapping[str, object] = RECEPTION, *, user: str = "200", **plan: object
) -> str:
    """A running agent with the extension `user`; its id. `settings`: of the agent; `plan`: what is attached to it
    besides."""
    account = {"name": f"Office {user}", "domain": pbx.address, "user": user, "password": pbx.accounts[user].password}
    connection = await line.ask("create_connection", views.ConnectionView, draft=account)
    speech = {"speech_to_text": "box-ears", "text_to_speech": "box-voice-slt"}
    attachments = [{"connection_id": connection.id, "inbound": True}]
    whole = {"settings": settings, "attachments": attachments, **speech, **plan}
    agent = await line.ask("create_agent", views.AgentDetail, plan=whole)
    await line.ask("start_agent", views.AgentView, id=agent.view.id)
    await line.runs(agent.view.id)
    return agent.view.id
