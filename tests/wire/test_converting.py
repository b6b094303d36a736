"""What a codec does to a voice beside its sound: how much later it comes, and how loud."""

from __future__ import annotations

import pytest
import trio

from app.ports import FRAME_MS, Connected
from firmware.telephony import Cause, EndpointConfig
from firmware.telephony.conversion import there_and_back_ms
from tests.office.pbx import OfficeAccount, Pbx, office_accounts, office_pbx
from tests.wire.box import becomes, connection, heard, next_call, registered, served
from tests.wire.sound import level, onset_ms, tone

pytestmark = pytest.mark.wire


@pytest.mark.parametrize("codec", ["opus", "G722", "PCMU", "PCMA"])
async def test_what_converting_takes_is_known(pbx: Pbx, codec: str) -> None:
    """Our own sound comes back from a PBX that keeps it for no time: with the next tick, and what converting took."""
    async with registered(pbx, config=EndpointConfig(codecs=(codec,))) as box:
        call = await box.dial("600")
        both = call.both()
        await call.connected()
        await trio.sleep(0.5)
        await call.mouth.play(tone(200, hz=700))
        await trio.sleep(0.5)
        behind_ms = call.behind_ms
        await call.hang_up()
        pairs = [pair async for pair in both]
    took_ms = onset_ms(pair.caller for pair in pairs) - onset_ms(pair.agent for pair in pairs)
    assert took_ms == pytest.approx(FRAME_MS + there_and_back_ms(codec), abs=6)
    assert there_and_back_ms(codec) < behind_ms <= there_and_back_ms(codec) + 2 * FRAME_MS


async def test_a_voice_is_as_loud_over_g722_as_over_g711() -> None:
    """Where the PBX converts between them: both sides of it, so that nobody's scale is taken for granted."""
    accounts = office_accounts(u200=OfficeAccount("200", codecs=("g722",)), u201=OfficeAccount("201", codecs=("ulaw",)))
    async with (
        office_pbx(accounts=accounts) as pbx,
        served(connection(pbx, "200"), connection(pbx, "201")) as (_, (wide, narrow)),
    ):
        await becomes(wide, Cause.REGISTERED)
        await becomes(narrow, Cause.REGISTERED)
        placed = await narrow.dial("200")
        taken = await next_call(wide)
        await taken.answer()
        assert await placed.connected() == Connected("PCMU", narrow_band=True)
        assert await taken.connected() == Connected("G722", narrow_band=False)
        for mouth, ears in ((placed, taken), (taken, placed)):
            await mouth.mouth.play(tone(1_500))
            loudest = max(level(frame.pcm) for frame in await heard(ears, 100))
            assert loudest == pytest.approx(level(tone(1_500)), rel=0.12)  # one dB
            await mouth.mouth.drained()
        await placed.hang_up()
