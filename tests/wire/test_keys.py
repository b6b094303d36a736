"""Keys, in the ways in which a PBX takes them and passes them on; and an agent that takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from app.control import views
from firmware.telephony import Call, Cause, EndpointConfig
from models.tones import CHUNK_BYTES
from models.tones.spectral import SpectralTones
from tests.office.pbx import Pbx
from tests.office.script import AgentVoice
from tests.patience import PATIENCE_S
from tests.wire.box import answered, becomes, connection, pressed, registered, served, until
from tests.wire.phone_process import Phone, employed, phone
from tests.wire.put_through import hears

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
        assert await hears(outgoing, incoming), "what is pressed before it puts the two together is lost"
        assert await incoming.press("*19#")
        assert await pressed(outgoing, 4) == "*19#"
        assert await outgoing.press("0,7D")
        assert await pressed(incoming, 3) == "07D"
        assert (outgoing.remote, incoming.remote) == ("201", user)


@pytest.mark.parametrize(("caller", "user"), [("101", "200"), ("alaw", "203")])
async def test_a_number_that_is_asked_for_may_be_keyed(pbx: Pbx, tmp_path: Path, caller: str, user: str) -> None:
    """Also over a phone system that makes tones of them: the agent hears no word in these."""
    config = EndpointConfig(user_agent="Caller", rtp_first_port=CALLER_RTP, rtp_ports=8)
    async with phone(tmp_path, BOX_RTP) as line, registered(pbx, caller, config=config) as telephone:
        await employed(line, pbx, SETTINGS, user=user)
        call = await telephone.dial(user)
        await call.connected()
        await is_asked(call)
        assert await call.press("4711#")
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


async def test_keys_as_tones_come_with_no_events(pbx: Pbx) -> None:
    async with served(connection(pbx, "203"), connection(pbx, "201")) as (_, (box, other)):
        await becomes(box, Cause.REGISTERED)
        await becomes(other, Cause.REGISTERED)
        outgoing = await box.dial("201")
        incoming = await answered(other)
        await outgoing.connected()
        assert (outgoing.has_key_events, incoming.has_key_events) == (False, True)
        tones, keys, pcm = SpectralTones(), "", bytearray()
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(incoming.press, "*119#")
                async for frame in outgoing.ears():
                    pcm += frame.pcm
                    if len(pcm) >= CHUNK_BYTES:
                        keys += tones.feed(bytes(pcm[:CHUNK_BYTES]))
                        del pcm[:CHUNK_BYTES]
                    if len(keys) == 5:
                        break
        assert keys == "*119#"
