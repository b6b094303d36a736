"""The Test page: what to do about an answering machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control import verbs, views
from app.control.call_views import Calls, SoundDevices
from app.control.refusals import Refusal, Why
from app.settings import Settings
from tests.unit.test_provisioning_pages import _agent, signed_in

pytestmark = pytest.mark.unit

TYPED = {"agent_id": "a1", "target": "201", "on_machine": "leave message"}


async def test_a_message_that_is_missing_is_asked_for_and_the_choice_is_kept(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        _lay_out(box.answers)
        answer = await client.post("/test/call", data=TYPED | {"csrf": csrf, "message": ""})
    assert answer.status_code == 422
    assert "it is the message that is left on the answering machine" in answer.text
    assert '<option value="leave message" selected>' in answer.text
    assert box.questions("place_call") == []


async def test_what_is_chosen_is_asked_of_the_box(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        _lay_out(box.answers)
        await client.post("/test/call", data=TYPED | {"csrf": csrf, "message": "Call us, please."})
    [asked] = box.questions("place_call")
    assert isinstance(asked, verbs.PlaceCall)
    assert (asked.on_machine, asked.message) == ("leave message", "Call us, please.")


def _lay_out(answers: dict[str, list[Settings]]) -> None:
    running = _agent().view.model_copy(update={"state": views.AgentState.RUNNING})
    answers["list_agents"] = [views.Agents(items=(running,))]
    answers["list_calls"] = [Calls(items=(), before=None)]
    answers["list_sound_devices"] = [SoundDevices(items=())]
    answers["place_call"] = [Refusal(why=Why.NOT_NOW, text="The agent is not running.")]
