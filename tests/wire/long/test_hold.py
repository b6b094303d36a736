"""A caller who puts the agent on hold, through a PBX that passes that on, and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from firmware.storage import read_session, read_sessions
from tests.office.box import office_box
from tests.office.hang_ups import QUESTION, hold, resume, sounds
from tests.office.pbx import OfficeAccount, office_accounts, office_pbx
from tests.patience import PATIENCE_S
from tests.wire.box import registered

pytestmark = pytest.mark.wire

RTP = (20_500, 20_599)
SILENCE_S, HELD_S = 6.0, 10.0
"""Longer than silence may last."""


async def test_on_hold_the_silence_stands_still_and_afterwards_the_agent_answers(tmp_path: Path) -> None:
    accounts = office_accounts(u200=OfficeAccount("200", more="moh_passthrough = yes"))
    spoken = await sounds("ked")
    async with (
        office_pbx(accounts=accounts, rtp_ports=(20_600, 20_699)) as pbx,
        office_box(pbx, tmp_path, silence_s=SILENCE_S, rtp_ports=RTP) as box,
        registered(pbx, "101") as phone,
    ):
        call = await phone.dial("200")
        await call.connected()
        await trio.sleep(4)  # the greeting
        hold(call)
        await trio.sleep(HELD_S)
        resume(call)
        await trio.sleep(1)
        await call.mouth.play(spoken[QUESTION])
        await trio.sleep(6)
        await call.hang_up()
        with trio.fail_after(PATIENCE_S):
            while (latest := read_sessions(box.sessions, 1)[0]).outcome is None:  # noqa: ASYNC110
                await trio.sleep(0.1)
        detail = read_session(box.sessions, latest.id)
    assert detail
    greeting, answer = (line.text for line in detail.lines if line.speaker == "agent")
    assert greeting.endswith("How can I help you?")
    assert answer.startswith("There is a car park")
