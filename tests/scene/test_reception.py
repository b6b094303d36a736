"""The desk around the calls: seats, and the wall between calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock

from app.agents.reception import BUSY_HERE, Desk, attend
from app.ports import Action, Brain, Call, EndedBy, Heard, SessionLog
from app.settings import Agent
from tests.fakes.line import FakeCall, Utterance
from tests.scene.stage import EvenVoice, Log, MarkedActivity, MarkedHearing, ScriptedBrain

pytestmark = pytest.mark.scene


class Ears:
    @asynccontextmanager
    async def open(self, *, narrow_band: bool) -> AsyncIterator[MarkedHearing]:
        yield MarkedHearing({1: "hello"})


@dataclass
class ClosingLog(Log):
    closed: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def close(self, outcome: str, ended_by: str, results: dict[str, str]) -> None:
        self.closed.append((outcome, ended_by, results))


@dataclass
class Ledger:
    sessions: list[ClosingLog] = field(default_factory=list)

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> ClosingLog:
        self.sessions.append(ClosingLog())
        return self.sessions[-1]


@asynccontextmanager
async def no_recording(call: Call, session: SessionLog) -> AsyncIterator[None]:
    yield


class BrokenBrain(ScriptedBrain):
    async def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        raise ZeroDivisionError
        yield


@dataclass
class Office:
    """A reception with `seats`, whose n-th call gets the n-th brain."""

    brains: list[Brain]
    seats: int
    ledger: Ledger = field(default_factory=Ledger)

    async def receive(self, calls: list[FakeCall], until_s: float) -> None:
        send, incoming = trio.open_memory_channel[Call](8)
        brains = iter(self.brains)
        desk = Desk(Ears(), EvenVoice(), self.ledger, lambda: next(brains), MarkedActivity, no_recording)
        with trio.move_on_after(until_s):
            async with trio.open_nursery() as line:
                line.start_soon(attend, incoming, desk, Agent(name="Reception", max_opened_sessions=self.seats))
                for call in calls:
                    line.start_soon(call.run)
                    await send.send(call)


def call(call_id: str, hangs_up_at_ms: int = 10_000, script: list[Utterance] | None = None) -> FakeCall:
    fake = FakeCall(script or [], hangs_up_at_ms=hangs_up_at_ms)
    fake.id = call_id
    return fake


async def test_a_call_beyond_the_seats_is_busy_and_the_others_go_on(autojump_clock: MockClock) -> None:
    office = Office([ScriptedBrain(greeting="Hello.") for _ in range(2)], seats=2)
    calls = [call("a"), call("b"), call("c")]
    await office.receive(calls, until_s=30)
    ends = [await each.ended() for each in calls]
    assert [(end.by, end.sip_code) for end in ends] == [
        (EndedBy.CALLER, 200),
        (EndedBy.CALLER, 200),
        (EndedBy.AGENT, BUSY_HERE),
    ]
    assert [log.closed[0][:2] for log in office.ledger.sessions] == [("ended by caller", "caller")] * 2


async def test_a_crash_in_one_call_is_that_calls_own(autojump_clock: MockClock) -> None:
    office = Office([BrokenBrain(), ScriptedBrain(greeting="Hello.")], seats=2)
    hello = [Utterance(1, 500, 500)]
    broken, sound = call("a", script=hello), call("b")
    await office.receive([broken, sound], until_s=30)
    assert (await broken.ended()).by is EndedBy.AGENT
    assert (await sound.ended()).by is EndedBy.CALLER
    assert office.ledger.sessions[0].closed == [("failed: error on the box", "agent", {})]
    assert office.ledger.sessions[1].lines[0].text == "Hello."


async def test_stopping_the_box_hangs_up_and_closes_the_session(autojump_clock: MockClock) -> None:
    office = Office([ScriptedBrain(greeting="Hello.")], seats=1)
    open_call = call("a", hangs_up_at_ms=60_000)
    await office.receive([open_call], until_s=5)
    assert (await open_call.ended()).by is EndedBy.AGENT
    assert office.ledger.sessions[0].closed == [("box stopped", "agent", {})]
