"""Calls that go out: from the seat that is kept for them to what the ledger says became of them."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock

from app.outcomes import NotPlaced
from app.ports import Call, Result
from tests.fakes.line import CalledPhone, FakeCall, Utterance
from tests.scene.outgoing import Outgoing, call, phone, picks_up

pytestmark = pytest.mark.scene


async def test_who_picks_up_is_greeted_by_name_and_hangs_up(autojump_clock: MockClock) -> None:
    outgoing = Outgoing(phone())
    await call(outgoing, picks_up, variables={"name": "Zoë"})
    assert outgoing.became == ("answered", "callee", "")
    log = outgoing.ledger.logs[-1]
    assert log.lines[0].text == "Hello Zoë, this is the office."
    assert (log.summary.ring_ms, log.summary.talk_ms) == (7_000, 10_000)
    assert log.summary.connected_at is not None


async def test_what_is_known_of_who_is_called_is_in_the_instructions(autojump_clock: MockClock) -> None:
    outgoing = Outgoing(phone(), instructions="You call {name} because {amount} is due on {day}.")
    await call(outgoing, picks_up, variables={"name": "Zoë", "amount": "12 euros"})
    assert outgoing.briefed[-1].instructions == "You call Zoë because 12 euros is due on."


async def test_a_greeting_of_the_calls_own_and_none_at_all(autojump_clock: MockClock) -> None:
    for greeting, said in (("Good news, {name}.", ["Good news, Zoë."]), ("", [])):
        outgoing = Outgoing(phone())
        await call(outgoing, picks_up, greeting=greeting, variables={"name": "Zoë"})
        assert [line.text for line in outgoing.ledger.logs[-1].lines] == said


@pytest.mark.parametrize(
    ("code", "became"),
    [
        (486, ("busy", "callee", "")),
        (603, ("declined", "callee", "")),
        (404, ("unreachable", "network", "")),
        (503, ("network error", "network", "")),
        (488, ("failed", "network", "")),
    ],
)
async def test_a_refusal_is_on_record_with_its_code(
    autojump_clock: MockClock, code: int, became: tuple[str, str, str]
) -> None:
    async def refuses(called: CalledPhone) -> None:
        await trio.sleep(2)
        called.refuse(code)

    outgoing = Outgoing(phone())
    await call(outgoing, refuses)
    assert outgoing.became == became
    assert outgoing.ledger.logs[-1].summary.sip_code == code
    assert outgoing.ledger.logs[-1].lines == []


@pytest.mark.parametrize("ring_s", [5, 45, 180])
async def test_nobody_answers_for_as_long_as_it_may_ring(autojump_clock: MockClock, ring_s: int) -> None:
    outgoing = Outgoing(phone())
    await call(outgoing, ring_s=ring_s)
    assert outgoing.became == ("no answer", "agent", "")
    assert outgoing.ledger.logs[-1].summary.ring_ms == pytest.approx(ring_s * 1000, abs=200)


async def test_somebody_cancels_while_it_rings(autojump_clock: MockClock) -> None:
    async def cancels(called: CalledPhone) -> None:
        await trio.sleep(3)
        await called.hang_up()

    outgoing = Outgoing(phone())
    await call(outgoing, cancels)
    assert outgoing.became == ("cancelled", "agent", "")


async def test_the_agent_is_stopped_while_it_rings(autojump_clock: MockClock) -> None:
    outgoing = Outgoing(phone())
    await call(outgoing, until_s=4)
    assert outgoing.became == ("cancelled", "agent", "the agent was stopped")


async def test_the_network_goes_while_it_is_dialled(autojump_clock: MockClock) -> None:
    async def vanishes(called: CalledPhone) -> None:
        await trio.sleep(1)
        called.vanish()

    outgoing = Outgoing(phone())
    await call(outgoing, vanishes)
    assert outgoing.became == ("network error", "network", "")
    assert outgoing.ledger.logs[-1].summary.sip_code == 0


async def test_answered_without_audio(autojump_clock: MockClock) -> None:
    outgoing = Outgoing(CalledPhone([], hangs_up_at_ms=600_000, media=False))

    async def answers(called: CalledPhone) -> None:
        await trio.sleep(40)
        called.answer_without_media()

    await call(outgoing, answers, until_s=200)
    assert outgoing.became == ("failed", "agent", "")
    assert outgoing.ledger.logs[-1].summary.talk_ms == pytest.approx(32_000, abs=8_000)


async def test_a_call_that_could_not_be_placed(autojump_clock: MockClock) -> None:
    class NoWay(Outgoing):
        async def dial(self) -> NotPlaced:
            await trio.lowlevel.checkpoint()
            return NotPlaced(Result.NETWORK_ERROR, "there is no connection to the PBX yet")

    outgoing = NoWay(phone())
    await call(outgoing)
    assert outgoing.became == ("network error", "network", "")
    assert outgoing.ledger.logs[-1].summary.sip_reason == "there is no connection to the PBX yet"


async def test_a_bug_while_dialling_is_that_calls_own(autojump_clock: MockClock) -> None:
    class Broken(Outgoing):
        async def dial(self) -> Call:
            raise ZeroDivisionError

    outgoing = Broken(phone())
    await call(outgoing)
    assert outgoing.became == ("failed", "agent", "an error on the box")


async def test_seats_are_shared_by_calls_in_and_out(autojump_clock: MockClock) -> None:
    outgoing = Outgoing(phone(), seats=2)
    async with outgoing.at_work() as reception:
        assert reception.reserve("out")
        incoming = [FakeCall([], hangs_up_at_ms=5_000, call_id=name) for name in ("in-1", "in-2")]
        async with trio.open_nursery() as line:
            for each in incoming:
                line.start_soon(each.run)
                reception.take(each)
            await trio.sleep(1)
            assert reception.is_full
            assert not reception.reserve("another")
            line.cancel_scope.cancel()
        reception.release("out")
        assert not reception.is_full
    ends = {log.summary.call_id: log.summary.outcome for log in outgoing.ledger.logs}
    assert ends == {"in-1": "answered", "in-2": "capacity"}


async def test_an_echo_test_gives_back_and_says_how_loud(autojump_clock: MockClock) -> None:
    heard: list[float] = []
    outgoing = Outgoing(phone([Utterance(9_000, 1_000, 2_000)], hangs_up_at_ms=300_000))
    await call(outgoing, picks_up, hears=heard.append)
    assert outgoing.became == ("answered", "agent", "echo test")
    assert outgoing.ledger.logs[-1].summary.talk_ms == pytest.approx(120_000, abs=200)
    assert max(heard) > -20
    assert any(math.isfinite(each) for each in heard)
