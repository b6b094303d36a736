"""Callers put through by a real Asterisk: to somebody who answers, and back where nobody does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from app.transfers import Handover, TransferStep
from firmware.telephony import Account, Call, Cause, transfer
from tests.office.pbx import Pbx
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S
from tests.wire.box import answered, becomes, connection, next_call, served, until
from tests.wire.phone_process import employed, phone
from tests.wire.put_through import desks, hears, last_session, talk

pytestmark = pytest.mark.wire

BOX_RTP = (27_300, 27_399)
VOICE = SPEAKERS["rms-small"]
GREETING = "Good day, this is the reception. How can I help you?"
WISHES = ("Put me through to billing, please.", "Put me through to sales, please.")
SETTINGS = {
    "name": "Reception",
    "greeting": GREETING,
    "silence_s": 600,  # nobody asks whether we are still there
    "directory": [
        {"name": "Anna Miller", "extension": "201", "also": ["sales"]},
        {"name": "David Brown", "extension": "603", "also": ["billing"]},
    ],
}


@dataclass(frozen=True, slots=True)
class Scene:
    """`caller` has called the box, which has answered as `box`. `desk` is extension 201."""

    caller: Call
    box: Call
    desk: Account

    async def transfer(self, to: str, meanwhile: Callable[[], Awaitable[None]] | None = None) -> list[TransferStep]:
        """What it came to, step by step; the last is what it returned."""
        told: list[TransferStep] = []
        with trio.fail_after(PATIENCE_S + 2 * transfer.RING_S):
            async with trio.open_nursery() as nursery:
                if meanwhile:
                    nursery.start_soon(meanwhile)
                told.append(await self.box.transfer(to, told.append))
        return told

    async def is_whole(self) -> bool:
        """Caller and box still hear each other."""
        return await hears(self.caller, self.box) and await hears(self.box, self.caller)


@asynccontextmanager
async def office(pbx: Pbx, user: str = "200") -> AsyncGenerator[Scene, None]:
    accounts = (connection(pbx, each) for each in (user, "101", "201"))
    async with served(*accounts) as (_, (box, outside, desk)):
        for each in (box, outside, desk):
            await becomes(each, Cause.REGISTERED)
        caller = await outside.dial(user)
        at_box = await answered(box)
        await caller.connected()
        yield Scene(caller, at_box, desk)


async def test_two_people_hear_each_other_and_we_are_gone(pbx: Pbx) -> None:
    async with office(pbx) as scene:
        desk: list[Call] = []

        async def picks_up() -> None:
            desk.append(await answered(scene.desk))

        steps = await scene.transfer("201", picks_up)
        assert steps[-1].handover is Handover.ANSWERED
        assert Handover.TRYING in {each.handover for each in steps}
        assert scene.box.progress.transferred_s is not None
        await scene.box.hang_up()
        assert await hears(desk[0], scene.caller)
        assert await hears(scene.caller, desk[0])
        assert len(await pbx.channels()) == 2, "nobody but the two is on the line"


@pytest.mark.parametrize(("number", "code"), [("603", 486), ("604", 503), ("605", 403), ("699", 404), ("a b", 0)])
async def test_what_the_pbx_refuses_leaves_the_caller_with_us(pbx: Pbx, number: str, code: int) -> None:
    async with office(pbx) as scene:
        [last] = await scene.transfer(number)
        assert (last.handover, last.sip_code) == (Handover.FAILED, code)
        assert await scene.is_whole()
        assert scene.box.progress.transferred_s is None


async def test_declined_and_unanswered(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(pbx) as scene:

        async def declines() -> None:
            call = await next_call(scene.desk)
            await trio.sleep(0.5)  # it rings
            await call.hang_up(603)

        last = (await scene.transfer("201", declines))[-1]
        assert (last.handover, last.sip_code, last.rang) == (Handover.FAILED, 603, True)
        monkeypatch.setattr(transfer, "RING_S", 2.0)

        async def listens() -> None:
            await (await next_call(scene.desk)).ended()

        last = (await scene.transfer("201", listens))[-1]
        assert (last.handover, last.sip_code, last.rang) == (Handover.FAILED, 480, True)
        assert await scene.is_whole()


async def test_a_pbx_that_does_not_transfer(pbx: Pbx) -> None:
    async with office(pbx, "202") as scene:

        async def picks_up() -> None:
            await (await answered(scene.desk)).ended()

        last = (await scene.transfer("201", picks_up))[-1]
        assert (last.handover, last.sip_code, last.refused) == (Handover.FAILED, 603, True)
        assert await scene.is_whole()


async def test_the_caller_hangs_up_while_it_rings(pbx: Pbx) -> None:
    async with office(pbx) as scene:

        async def leaves() -> None:
            call = await next_call(scene.desk)
            await scene.caller.hang_up()
            await call.ended()

        last = (await scene.transfer("201", leaves))[-1]
        assert last.handover is Handover.FAILED
        assert scene.box.progress.transferred_s is None

        async def none_left() -> bool:
            return not await pbx.channels()

        await until(none_left)


async def test_put_me_through_to_sales_by_voice_and_back_where_it_is_busy(pbx: Pbx, tmp_path: Path) -> None:
    wavs = [await say(VOICE, text) for text in WISHES]  # before the call: nobody waits for them in it
    async with phone(tmp_path, BOX_RTP) as line, desks(pbx) as people:
        await employed(line, pbx, SETTINGS)
        caller = await people.call(*wavs)
        await talk(caller, await people.put_through(line))
        session = await last_session(line)
        said = [each.text for each in session.messages if each.speaker == "agent"]
    assert session.view.conclusion == "transferred to Anna Miller"
    assert session.view.outcome_text.startswith("Transferred: ")
    assert said == [
        GREETING,
        "I am putting you through to David Brown.",
        "I am sorry, David Brown is on the telephone. Shall I take a message for David Brown?",
        "I am putting you through to Anna Miller.",
    ]
    assert [each.text for each in session.notes] == ["David Brown could not be reached: 486 Busy Here"]
    assert session.results["wanted"] == "Anna Miller"
