"""What every app.ports.Call does: the fake on its scripted line, the telephone's with a real PBX, and the handset's
with a sound card of files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from app.ports import FRAME_BYTES, FRAME_MS, Call, Connected, Ended, EndedBy, Frame
from app.pressing import PAUSE_S
from app.transfers import Handover, TransferStep
from firmware.telephony import EndpointConfig
from tests.fakes.line import FakeCall
from tests.fakes.sound_card import handset_in_a_quiet_room
from tests.office.pbx import office_pbx
from tests.patience import PATIENCE_S
from tests.wire.box import next_call, registered

pytestmark = pytest.mark.contract

PBX_RTP, BOX_RTP = (21_200, 21_299), 21_300
"""Apart from those of tests with telephones, which run at the same time."""

Ringing = Callable[[int], AbstractAsyncContextManager[Call]]
"""A call that rings, from somebody who says nothing and hangs up so many milliseconds after the answer."""


@asynccontextmanager
async def fake_call(hangs_up_at_ms: int) -> AsyncGenerator[Call, None]:
    nobody = TransferStep(Handover.FAILED, 404, "Not Found")
    call = FakeCall([], hangs_up_at_ms=hangs_up_at_ms, transfers=[(0.1, nobody)])
    async with trio.open_nursery() as line:
        line.start_soon(call.run)
        yield call
        line.cancel_scope.cancel()


@asynccontextmanager
async def real_call(hangs_up_at_ms: int) -> AsyncGenerator[Call, None]:
    config = EndpointConfig(rtp_first_port=BOX_RTP)
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, registered(pbx, config=config) as box:
        await pbx.originate("200", "Wait", f"{hangs_up_at_ms / 1000}")
        yield await next_call(box)


@pytest.fixture(params=["fake", "real", "handset"])
def ringing(request: pytest.FixtureRequest, tmp_path: Path) -> Ringing:
    made: dict[str, Ringing] = {
        "fake": fake_call,
        "real": real_call,
        "handset": partial(handset_in_a_quiet_room, tmp_path),
    }
    return made[request.param]


async def connected(call: Call) -> Connected:
    await call.answer()
    with trio.fail_after(PATIENCE_S):
        result = await call.connected()
    assert isinstance(result, Connected)
    return result


async def test_a_call_from_answer_to_the_callers_bye(ringing: Ringing) -> None:
    async with ringing(1000) as call:
        assert call.direction == "inbound"
        assert (await connected(call)).codec
        with trio.fail_after(PATIENCE_S):
            frames = [frame async for frame in call.ears()]
        times = [frame.at_ms for frame in frames]
        assert times == list(range(0, len(frames) * FRAME_MS, FRAME_MS))
        assert 800 <= times[-1] <= 1300
        assert {len(frame.pcm) for frame in frames} == {FRAME_BYTES}
        assert call.lost_frames == 0
        ended = await call.ended()
        assert (ended.by, ended.sip_code) == (EndedBy.CALLER, 200)
        came = call.progress
        assert came.rang_s is not None
        assert came.answered_s is not None
        assert came.ended_s is not None
        assert came.began_s <= came.rang_s <= came.answered_s
        assert 0.8 <= came.ended_s - came.answered_s <= 5.0


async def test_what_was_played_is_counted_and_the_clock_goes_on(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            await call.mouth.play(bytes(5 * FRAME_BYTES))
            await call.mouth.drained()
        assert call.mouth.played_ms == 5 * FRAME_MS
        assert call.mouth.clock_ms >= call.mouth.played_ms


async def test_the_mouth_takes_200_ms_ahead_and_no_more(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        began_ms = call.mouth.clock_ms
        with trio.fail_after(PATIENCE_S):
            await call.mouth.play(bytes(50 * FRAME_BYTES))
        assert call.mouth.clock_ms - began_ms >= 40 * FRAME_MS
        assert 40 * FRAME_MS <= call.mouth.played_ms <= 50 * FRAME_MS


async def test_hush_is_at_once_and_what_was_not_heard_is_not_counted(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            await call.mouth.play(bytes(20 * FRAME_BYTES))
            call.mouth.hush()
            played_ms = call.mouth.played_ms
            ears = call.ears()
            until_ms = call.mouth.clock_ms + 200
            while (await anext(ears)).at_ms < until_ms:
                pass
        assert call.mouth.played_ms == played_ms < 20 * FRAME_MS


async def test_a_held_mouth_says_nothing_and_then_goes_on_where_it_was(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        ears, loud = call.ears(), b"\x10\x10" * (FRAME_BYTES // 2)
        with trio.fail_after(PATIENCE_S):
            await call.mouth.play(loud * 15)
            call.mouth.hold()
            call.mouth.hold()
            await _pass(ears, call, 100)  # what the clock thread had taken already
            played_ms = call.mouth.played_ms
            sent = await _pass(ears, call, 200)
            assert call.mouth.played_ms == played_ms < 15 * FRAME_MS
            assert not any(any(frame.sent) for frame in sent)
            call.mouth.release()
            await call.mouth.drained()
        assert call.mouth.played_ms == 15 * FRAME_MS


async def test_hush_ends_a_hold(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            await call.mouth.play(bytes(15 * FRAME_BYTES))
            call.mouth.hold()
            call.mouth.hush()
            played_ms = call.mouth.played_ms
            await call.mouth.play(bytes(15 * FRAME_BYTES))
            await call.mouth.drained()
        assert call.mouth.played_ms - played_ms == 15 * FRAME_MS


async def _pass(ears: AsyncIterator[Frame], call: Call, for_ms: int) -> list[Frame]:
    """What goes by on the line in the next `for_ms`."""
    until_ms, passed = call.mouth.clock_ms + for_ms, list[Frame]()
    while not passed or passed[-1].at_ms < until_ms:
        passed.append(await anext(ears))
    return [frame for frame in passed if frame.at_ms >= until_ms - for_ms]


async def test_hanging_up_is_ours_ends_the_ears_and_may_be_done_twice(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        was = await connected(call)
        with trio.fail_after(PATIENCE_S):
            await call.hang_up()
            await call.hang_up(486)
            ended = await call.ended()
            left = [frame async for frame in call.ears()]
        assert len(left) <= 25
        assert (ended.by, ended.sip_code) == (EndedBy.AGENT, 200)
        assert await call.connected() == was


async def test_after_the_end_nothing_waits_for_the_line(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.mouth.play, bytes(500 * FRAME_BYTES))
                await anext(call.ears())
                await call.hang_up()
            await call.mouth.play(bytes(50 * FRAME_BYTES))
            await call.mouth.drained()


async def test_a_caller_can_be_refused_with_a_code(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        with trio.fail_after(PATIENCE_S):
            await call.hang_up(486)
            ended = await call.connected()
        assert isinstance(ended, Ended)
        assert (ended.by, ended.sip_code) == (EndedBy.AGENT, 486)
        assert call.progress.answered_s is None
        assert call.progress.ended_s is not None
        assert await call.ended() == ended


async def test_ears_that_nobody_reads_lose_the_oldest(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            await call.mouth.play(bytes(60 * FRAME_BYTES))  # the time it takes
        lost = call.lost_frames
        assert lost >= 20
        first = await anext(call.ears())
        assert first.at_ms >= lost * FRAME_MS


async def test_who_cannot_be_put_through_is_still_there(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        told: list[TransferStep] = []
        with trio.fail_after(PATIENCE_S):
            last = await call.transfer("699", told.append)  # no such extension
            await call.mouth.play(bytes(5 * FRAME_BYTES))
            await call.mouth.drained()
        assert last.handover is Handover.FAILED
        assert last.sip_code in (404, 501)  # of a telephone network, and of a microphone, which is none
        assert last.reason
        assert not any(step.handover is Handover.ANSWERED for step in told)
        assert call.progress.transferred_s is None
        assert call.progress.ended_s is None
        assert call.mouth.played_ms == 5 * FRAME_MS


async def test_nobody_is_put_through_after_the_end(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            await call.hang_up()
            last = await call.transfer("600", lambda _: None)  # which answers
        assert last.handover is Handover.FAILED
        assert call.progress.transferred_s is None


async def test_keys_end_with_the_call(ringing: Ringing) -> None:
    async with ringing(1_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            assert [key async for key in call.dtmf()] == []
        assert (await call.ended()).by is EndedBy.CALLER


async def test_pressing_keys_takes_time_and_ends_with_the_call(ringing: Ringing) -> None:
    async with ringing(30_000) as call:
        await connected(call)
        with trio.fail_after(PATIENCE_S):
            began_s = trio.current_time()
            pressed = await call.press("1,2")
            took_s = trio.current_time() - began_s
            assert took_s >= PAUSE_S or not pressed, "a microphone has nobody to press them for"
            await call.hang_up()
            assert not await call.press("3")
