"""A transfer on the virtual clock: what the other telephone does, what the PBX says, who hangs up meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from app.outcomes import why_not_put_through
from app.ports import Connected, Ended, EndedBy, Result
from app.progress import Progress
from app.transfers import Handover, TransferStep
from firmware.telephony.transfer import BRIDGED_S, REFER_S, RING_S, Referral, put_through, step_of

pytestmark = pytest.mark.unit

CONNECTED = Connected("opus", narrow_band=False)
BYE = Ended(EndedBy.CALLER, 200, "BYE")


class Caller:
    def __init__(self) -> None:
        self.over = trio.Event()

    async def ended(self) -> Ended:
        await self.over.wait()
        return BYE


class Telephone:
    """Rings after a second, then does what it is told to."""

    def __init__(self, does: Connected | Ended | None, *, rings: bool = True) -> None:
        self.progress, self.rings, self.over = Progress(0.0), trio.Event(), False
        self._does, self._rings = does, rings

    async def connected(self) -> Connected | Ended:
        await trio.sleep(1)
        if self._rings:
            self.progress = replace(self.progress, rang_s=1.0)
            self.rings.set()
        await trio.sleep(2 if self._does else 1_000)
        assert self._does
        return self._does

    async def hang_up(self) -> None:
        self.over = True
        await trio.lowlevel.checkpoint()


class Pbx:
    """Says `lines` to a REFER: code, whether it is the last word, at once."""

    def __init__(self, *lines: tuple[int, bool], hangs_up: bool = False) -> None:
        self.referral = Referral()
        self.asked, self.asked_s = False, 0.0
        self._lines, self._hangs_up = lines, hangs_up

    def refer(self) -> Referral:
        self.asked, self.asked_s = True, trio.current_time()
        for code, is_final in self._lines:
            self.referral.came(code, "as it says", is_final=is_final)
        if self._hangs_up:
            self.referral.close()
        return self.referral


async def outcome(telephone: Telephone, pbx: Pbx, caller: Caller | None = None) -> tuple[list[str], TransferStep]:
    told: list[TransferStep] = []
    last = await put_through(caller or Caller(), telephone, pbx.refer, told.append)
    assert telephone.over
    return [f"{each.handover.value} {each.sip_code}" for each in told], last


async def test_it_rings_is_answered_and_the_pbx_puts_them_together(autojump_clock: MockClock) -> None:
    told, last = await outcome(Telephone(CONNECTED), Pbx((100, False), (100, False), (200, True)))
    assert told == ["trying 180", "accepted 100", "trying 100", "answered 200"]
    assert last.handover is Handover.ANSWERED


@pytest.mark.parametrize(
    ("code", "rings", "told_code"),
    [(486, True, 486), (603, True, 603), (403, True, 603), (403, False, 403), (404, False, 404)],
)
async def test_a_telephone_that_is_not_answered_never_costs_the_caller(
    autojump_clock: MockClock, code: int, rings: bool, told_code: int
) -> None:
    pbx = Pbx()
    _, last = await outcome(Telephone(Ended(EndedBy.CALLER, code, "No"), rings=rings), pbx)
    assert last == TransferStep(Handover.FAILED, told_code, "No", rang=rings)
    assert not pbx.asked


async def test_nobody_comes(autojump_clock: MockClock) -> None:
    _, last = await outcome(Telephone(None), Pbx())
    assert (last.handover, last.sip_code, last.rang) == (Handover.FAILED, 480, True)
    assert trio.current_time() == pytest.approx(RING_S)


@pytest.mark.parametrize(("rings", "announced"), [(True, True), (False, True), (False, False)])
async def test_who_is_told_of_the_caller_rings_for_the_caller_meanwhile(
    autojump_clock: MockClock, rings: bool, announced: bool
) -> None:
    """Also where they answered without having rung: without a word from us, the caller would hear silence."""
    told: list[TransferStep] = []

    async def told_of_the_caller() -> bool:
        await trio.sleep(20)
        return False

    meets = told_of_the_caller if announced else None
    await put_through(Caller(), Telephone(CONNECTED, rings=rings), Pbx((200, True)).refer, told.append, meets)
    assert [each.sip_code for each in told].count(180) == announced


@pytest.mark.parametrize("code", [405, 501, 403, 500, 486, 603])
async def test_a_pbx_that_does_not_transfer(autojump_clock: MockClock, code: int) -> None:
    _, last = await outcome(Telephone(CONNECTED), Pbx((code, True)))
    assert (last.handover, last.sip_code) == (Handover.FAILED, code)
    assert why_not_put_through(last) is Result.FAILED, "and not that whoever answered is busy"


async def test_the_pbx_has_time_to_connect_us_with_whoever_answered(autojump_clock: MockClock) -> None:
    """Asterisk says that they answered first; asked at once to connect them with the caller, it hangs up on them."""
    pbx = Pbx((100, False), (200, True))
    _, last = await outcome(Telephone(CONNECTED), pbx)
    assert last.handover is Handover.ANSWERED
    assert pbx.asked_s == pytest.approx(3 + BRIDGED_S)


async def test_who_hangs_up_in_this_time_is_not_put_through(autojump_clock: MockClock) -> None:
    caller, pbx = Caller(), Pbx((100, False), (200, True))

    async def leaves() -> None:
        await trio.sleep(3 + BRIDGED_S / 2)
        caller.over.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leaves)
        _, last = await outcome(Telephone(CONNECTED), pbx, caller)
    assert (last.handover, pbx.asked) == (Handover.FAILED, False)


async def test_a_pbx_that_says_nothing(autojump_clock: MockClock) -> None:
    _, last = await outcome(Telephone(CONNECTED), Pbx((100, False)))
    assert last.handover is Handover.FAILED
    assert trio.current_time() == pytest.approx(3 + BRIDGED_S + REFER_S)


@pytest.mark.parametrize(
    ("lines", "handover"),
    [([(100, False)], Handover.ANSWERED), ([], Handover.FAILED), ([(503, False)], Handover.FAILED)],
)
async def test_a_pbx_that_hangs_up_without_a_last_word(
    autojump_clock: MockClock, lines: list[tuple[int, bool]], handover: Handover
) -> None:
    _, last = await outcome(Telephone(CONNECTED), Pbx(*lines, hangs_up=True))
    assert last.handover is handover


async def test_the_caller_hangs_up_while_it_rings(autojump_clock: MockClock) -> None:
    caller, pbx = Caller(), Pbx()
    async with trio.open_nursery() as nursery:

        async def leaves() -> None:
            await trio.sleep(2)
            caller.over.set()

        nursery.start_soon(leaves)
        _, last = await outcome(Telephone(CONNECTED), pbx, caller)
    assert (last.handover, last.reason) == (Handover.FAILED, "the caller hung up")
    assert trio.current_time() == pytest.approx(2)
    assert not pbx.asked


async def test_it_can_be_taken_back(autojump_clock: MockClock) -> None:
    telephone = Telephone(None)
    with trio.move_on_after(5):
        await put_through(Caller(), telephone, Pbx().refer, lambda _: None)
    assert telephone.over


def test_a_pbx_that_never_stops_talking_fills_no_memory() -> None:
    referral = Referral()
    for _ in range(1_000):
        referral.came(180, "Ringing", is_final=False)
    referral.came(200, "OK", is_final=True)
    assert referral.succeeded


@pytest.mark.parametrize("code", range(100, 700, 7))
def test_every_code_is_a_step(code: int) -> None:
    for is_final in (False, True):
        step = step_of(code, "", is_final=is_final, accepted=True)
        assert step.sip_code == code
        assert step.is_last or (code < 200 and not is_final)
        assert (step.handover is Handover.FAILED) == (code >= 300)


async def met(
    takes: bool, *, hangs_up: bool = False, caller: Caller | None = None
) -> tuple[TransferStep, Telephone, Pbx]:
    """Whoever answers is talked to for five seconds."""
    telephone, pbx = Telephone(CONNECTED), Pbx((100, False), (200, True))

    async def meets() -> bool:
        await trio.sleep(5)
        if hangs_up:
            telephone.progress = replace(telephone.progress, ended_s=trio.current_time())
        return takes

    last = await put_through(caller or Caller(), telephone, pbx.refer, lambda _: None, meets)
    assert telephone.over
    return last, telephone, pbx


async def test_who_takes_the_call_is_put_together_with_the_caller(autojump_clock: MockClock) -> None:
    last, _, pbx = await met(True)
    assert last.handover is Handover.ANSWERED
    assert pbx.asked


@pytest.mark.parametrize(("hangs_up", "code"), [(False, 480), (True, 603)])
async def test_who_does_not_take_it_leaves_the_caller_where_they_were(
    autojump_clock: MockClock, hangs_up: bool, code: int
) -> None:
    last, _, pbx = await met(False, hangs_up=hangs_up)
    assert (last.handover, last.sip_code, last.rang) == (Handover.FAILED, code, True)
    assert why_not_put_through(last) is (Result.DECLINED if hangs_up else Result.NO_ANSWER)
    assert not pbx.asked


async def test_the_caller_leaves_while_it_is_announced(autojump_clock: MockClock) -> None:
    caller = Caller()
    async with trio.open_nursery() as nursery:

        async def leaves() -> None:
            await trio.sleep(4)
            caller.over.set()

        nursery.start_soon(leaves)
        last, _, pbx = await met(True, caller=caller)
    assert last.handover is Handover.FAILED
    assert trio.current_time() == pytest.approx(4.0)
    assert not pbx.asked
