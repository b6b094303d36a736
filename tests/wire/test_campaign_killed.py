"""The phone process of a box, killed while its campaign calls through a real Asterisk: whoever was called, was called
once, and nobody is forgotten. The telephones count."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import trio

from app.control import campaigns
from app.outbound.campaign import WEEKDAYS
from tests.office.pbx import office_pbx
from tests.patience import PATIENCE_S
from tests.wire.phone_process import RECEPTION, Phone, employed, phone
from tests.wire.rude_server import RudeServer

pytestmark = pytest.mark.wire

RTP = (27_200, 27_299)
PARTICIPANTS, KILLS, AT_ONCE = 20, 2, 3


async def test_everybody_is_called_once(tmp_path: Path) -> None:
    """All are busy, and nobody is called a second time: each life ends with some calls under way."""
    dice = Random(11)
    async with office_pbx() as pbx, _telephones(PARTICIPANTS) as callees:
        for life in range(KILLS + 1):
            async with phone(tmp_path, RTP) as line:
                if life == 0:
                    settings = {**RECEPTION, "max_opened_sessions": AT_ONCE}
                    campaign_id = await _begun(line, await employed(line, pbx, settings), callees)
                await _called(line, campaign_id, callees, 4 if life < KILLS else PARTICIPANTS)
                if life < KILLS:
                    await trio.sleep(dice.uniform(0, 0.3))
                    await line.program.die()
                else:
                    everybody = await _everybody(line, campaign_id)
    calls = [_calls(each) for each in callees]
    assert max(calls) == 1, "nobody is called a second time"
    assert {each.place for each in everybody} == {"done"}
    assert {each.attempts for each in everybody} == {1}
    outcomes = [each.outcome for each in everybody]
    assert set(outcomes) <= {"busy", "unknown"}
    assert outcomes.count("unknown") <= KILLS * AT_ONCE
    assert all(called == 1 for called, outcome in zip(calls, outcomes, strict=True) if outcome == "busy")


@asynccontextmanager
async def _telephones(count: int) -> AsyncGenerator[list[RudeServer], None]:
    """All of them busy."""
    with ExitStack() as stack:
        async with trio.open_nursery() as nursery:
            callees = []
            for _ in range(count):
                socket = stack.enter_context(trio.socket.socket(type=trio.socket.SOCK_DGRAM))
                await socket.bind(("127.0.0.1", 0))
                callees.append(RudeServer(socket, "486 Busy Here", ""))
                nursery.start_soon(callees[-1].run)
            yield callees
            nursery.cancel_scope.cancel()


async def _begun(line: Phone, agent_id: str, callees: list[RudeServer]) -> str:
    hours = [{"days": WEEKDAYS, "begin": "00:00", "end": "24:00"}]
    settings = {"name": "Survey", "agent_id": agent_id, "hours": hours, "seats_for_inbound": 0, "retries": []}
    made = await line.ask("create_campaign", campaigns.CampaignView, settings=settings)
    for each in callees:
        values = {"number": _number(each)}
        await line.ask("create_participant", campaigns.ParticipantDetail, campaign_id=made.id, values=values)
    await line.ask("start_campaign", campaigns.CampaignView, id=made.id)
    return made.id


async def _called(line: Phone, campaign_id: str, callees: list[RudeServer], more: int) -> None:
    """Until so many more were called, or everybody is done."""
    enough = sum(map(_calls, callees)) + more
    with trio.fail_after(PATIENCE_S):
        while sum(map(_calls, callees)) < enough:
            if (await line.ask("get_campaign", campaigns.CampaignView, id=campaign_id)).state == "done":
                return
            await trio.sleep(0.02)


async def _everybody(line: Phone, campaign_id: str) -> tuple[campaigns.ParticipantView, ...]:
    found = await line.ask("list_participants", campaigns.Participants, campaign_id=campaign_id)
    return found.items


def _number(callee: RudeServer) -> str:
    return f"9{callee.address.rpartition(':')[2]}"


def _calls(callee: RudeServer) -> int:
    """INVITEs of the same call are one."""
    invites = [each for each in callee.requests if each.startswith("INVITE ")]
    return len({re.search(r"^Call-ID: (.*)\r$", each, re.MULTILINE)[1] for each in invites})  # type: ignore[index]
