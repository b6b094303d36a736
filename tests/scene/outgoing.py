"""An agent that calls a telephone, on a virtual clock: from the seat that is kept for the call to what the ledger says
became of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from app.agents.reception import Desk, Errand, Reception
from app.outcomes import NotPlaced
from app.ports import Brain, Call, Direction, SessionLog
from app.settings import Agent
from tests.fakes.ledger import FakeLedger
from tests.fakes.line import CalledPhone, Utterance
from tests.fakes.speech import FakeActivity, FakeBeeps, FakeEars, FakeEcho, FakeVoice
from tests.scene.stage import ScriptedBrain

Script = Callable[[CalledPhone], Awaitable[None]]
"""What the other side does."""


@asynccontextmanager
async def no_recording(call: Call, session: SessionLog) -> AsyncIterator[None]:
    yield


@dataclass
class Outgoing:
    """One agent that calls `phone`."""

    phone: CalledPhone
    ledger: FakeLedger = field(default_factory=FakeLedger)
    seats: int = 1
    greeting: str = "Hello {name}, this is the office."
    reception: Reception | None = None
    texts: Mapping[int, str] = field(default_factory=lambda: {1: "hello"})
    instructions: str = ""
    briefed: list[Agent] = field(default_factory=list)
    ears: Callable[[Mapping[int, str]], FakeEars] = FakeEars
    heard_by: FakeEars = field(init=False)

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[Reception, None]:
        self.heard_by, made = self.ears(self.texts), (FakeActivity, FakeEcho, FakeBeeps)
        desk = Desk(self.heard_by, FakeVoice(), self.ledger, self.brain, *made, no_recording)
        async with trio.open_nursery() as line, trio.open_nursery() as calls:
            line.start_soon(self.phone.run)
            self.reception = Reception(desk, self.agent, calls)
            yield self.reception
            calls.cancel_scope.cancel()
            line.cancel_scope.cancel()

    def brain(self, briefed: Agent, direction: Direction) -> Brain:
        self.briefed.append(briefed)
        return ScriptedBrain(greeting=briefed.greeting)

    @property
    def agent(self) -> Agent:
        agent = Agent(name="Reception", greeting=self.greeting, max_opened_sessions=self.seats)
        return agent.model_copy(update={"instructions": self.instructions})

    def errand(self, **changes: object) -> Errand:
        session = self.ledger.open_session(call_id=self.phone.id, agent="Reception", direction="outbound", remote="1")
        return Errand(session, **changes)  # type: ignore[arg-type]

    async def dial(self) -> Call | NotPlaced:
        await trio.lowlevel.checkpoint()
        return self.phone

    @property
    def became(self) -> tuple[str | None, str | None, str]:
        summary = self.ledger.logs[-1].summary
        return summary.outcome, summary.ended_by, summary.conclusion


async def call(outgoing: Outgoing, then: Script | None = None, until_s: float = 600, **errand: object) -> None:
    """Place it, let the other side do what it does, and stop the agent once no call is left, or after `until_s`."""
    async with outgoing.at_work() as reception:
        assert reception.reserve(outgoing.phone.id)
        reception.place(outgoing.phone.id, outgoing.dial, outgoing.errand(**errand))
        with trio.move_on_after(until_s):
            if then:
                await then(outgoing.phone)
            while reception.opened:  # noqa: ASYNC110 - the clock is virtual
                await trio.sleep(0.1)


def phone(script: list[Utterance] | None = None, hangs_up_at_ms: int = 10_000) -> CalledPhone:
    return CalledPhone(script or [], hangs_up_at_ms=hangs_up_at_ms, call_id="out")


async def picks_up(called: CalledPhone) -> None:
    await trio.sleep(7)
    await called.answer()
