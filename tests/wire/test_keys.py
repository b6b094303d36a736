"""Keys that a caller presses, in the two ways in which a PBX passes them on; and an agent that takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from app.control import views
from firmware.telephony import Call, Cause, EndpointConfig
from tests.office.pbx import Pbx
from tests.office.script import AgentVoice
from tests.patience import PATIENCE_S
from tests.wire.box import answered, becomes, connection, registered, served, until
from tests.wire.phone_process import Phone, employed, phone
from tests.wire.test_calls import pressed

pytestmark = pytest.mark.wire

BOX_RTP, CALLER_RTP = (27_500, 27_599), 27_600
SETTINGS = {
    "name": "Reception",
    "greeting": "Good day.",
    "result_fields": [{"name": "customer", "type": "number", "question": "What is your customer number?"}],
}


@pytest.mark.parametrize("user", ["200", "info"])
async def test_keys_by_events_and_by_info(pbx: Pbx, user: str) -> None:
    async with served(connection(pbx, user), connection(pbx, "201")) as (_, (box, other)):
        await becomes(box, Cause.REGISTERED)
        await becomes(other, Cause.REGISTERED)
        outgoing = await box.dial("201")
        incoming = await answered(other)
        await outgoing.connected()
        incoming.send_dtmf("*19#")
        assert await pressed(outgoing, 4) == "*19#"


async def test_a_number_that_is_asked_for_may_be_keyed(pbx: Pbx, tmp_path: Path) -> None:
    config = EndpointConfig(user_agent="Caller", rtp_first_port=CALLER_RTP, rtp_ports=8)
    async with phone(tmp_path, BOX_RTP) as line, registered(pbx, "101", config=config) as telephone:
        await employed(line, pbx, SETTINGS)
        call = await telephone.dial("200")
        await call.connected()
        await is_asked(call)
        call.send_dtmf("4711#")
        await until(lambda: has_noted(line, "4711"))
        await call.hang_up()
        [session] = (await line.ask("list_sessions", views.Sessions)).items
        found = await line.ask("get_session", views.SessionDetail, id=session.id)
    assert [each.text for each in found.messages if each.speaker == "caller"] == ["4711"]


async def is_asked(call: Call) -> None:
    """Until the agent has spoken, and waits."""
    voice = AgentVoice()
    with trio.fail_after(PATIENCE_S):
        async for frame in call.ears():
            voice.feed(frame.at_ms, frame.pcm)
            if voice.spoke and voice.quiet_ms >= 1_500:
                return


async def has_noted(line: Phone, text: str) -> bool:
    [session] = (await line.ask("list_sessions", views.Sessions)).items
    found = await line.ask("get_session", views.SessionDetail, id=session.id)
    return text in [each.text for each in found.messages]
