"""Calls through the whole phone process: placed, told of, cut off by a power cut, and asked for again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from app.control import views
from app.control.call_views import CallView
from app.control.figures import Figures
from app.control.webhook import WebhookView
from tests.fakes.webhook_receiver import Receiver, receiver
from tests.office.pbx import Pbx
from tests.patience import PATIENCE_S
from tests.wire.callee import ANSWERS, HUNG_UP, INVITED, RINGS, callee, refuses, says
from tests.wire.phone_process import Phone, employed, phone

pytestmark = pytest.mark.wire

RTP = (27_000, 27_099)
GREETS = {"name": "Reception", "greeting": "Hello {name}."}


async def becomes(line: Phone, call_id: str, state: str) -> CallView:
    with trio.fail_after(PATIENCE_S):
        while (found := await line.ask("get_call", CallView, id=call_id)).state != state:  # noqa: ASYNC110
            await trio.sleep(0.1)
    return found


async def greets(line: Phone, call: CallView) -> None:
    """Until the agent has said its greeting."""
    with trio.fail_after(PATIENCE_S):
        while not (await line.ask("get_session", views.SessionDetail, id=call.session_id)).messages:  # noqa: ASYNC110
            await trio.sleep(0.1)


async def tells(line: Phone, url: str) -> None:
    draft = {"url": url, "secret": "a secret of this test"}
    await line.ask("update_webhook", WebhookView, if_version=0, draft=draft)


def calls_in(there: Receiver) -> list[tuple[str, str]]:
    bodies = [json.loads(told.body)["call"] for told in there.told]
    return [(body["id"], body["outcome"]) for body in bodies]


async def test_a_call_is_greeted_by_name_and_its_end_is_told(pbx: Pbx, tmp_path: Path) -> None:
    async with receiver() as there, phone(tmp_path, RTP) as line:
        agent_id = await employed(line, pbx, GREETS)
        await tells(line, there.url)
        async with callee(tmp_path, RINGS, ANSWERS, HUNG_UP, says(200)) as number:
            call = await line.ask("place_call", CallView, agent_id=agent_id, target=number, variables={"name": "Anna"})
            await becomes(line, call.id, "talking")
            await greets(line, call)
            over = await line.ask("hang_up_call", CallView, id=call.id)
        assert (over.outcome, over.ended_by) == ("answered", "agent")
        session = await line.ask("get_session", views.SessionDetail, id=over.session_id)
        assert session.messages[0].text == "Hello Anna."
        assert session.view.has_recording
        figures = await line.ask("get_figures", Figures)
        assert [(each.direction, each.result, each.count) for each in figures.ended] == [("outbound", "answered", 1)]
        await there.is_told(1)
        assert calls_in(there) == [(call.id, "answered")]


async def test_a_power_cut_while_it_rings(pbx: Pbx, tmp_path: Path) -> None:
    async with receiver() as there:
        async with phone(tmp_path, RTP) as line:
            agent_id = await employed(line, pbx, GREETS)
            await tells(line, there.url)
            async with callee(tmp_path, INVITED, refuses(486)) as number:
                busy = await line.ask("place_call", CallView, agent_id=agent_id, target=number, variables={"name": "A"})
                await becomes(line, busy.id, "over")
            question = {"agent_id": agent_id, "target": "602", "variables": {"name": "A"}, "idempotency_key": "order 7"}
            cut = await line.ask("place_call", CallView, **question)
            await line.program.die()
        async with phone(tmp_path, RTP) as line:
            found = await line.ask("get_call", CallView, id=cut.id)
            assert (found.state, found.outcome) == ("over", "unknown")
            assert found.outcome_text == "Unknown: the box lost power or was restarted during the call"
            again = await line.ask("place_call", CallView, **question)
            assert again.id == cut.id
            sessions = await line.ask("list_sessions", views.Sessions, direction="outbound")
            assert [each.outcome for each in sessions.items] == ["unknown", "busy"]
            await there.is_told(2)
            assert set(calls_in(there)) == {(busy.id, "busy"), (cut.id, "unknown")}
