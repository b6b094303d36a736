"""An agent that places calls through a real account, with its record on a real database; only what it hears and says is
made up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import trio

from app.agents.reception import Desk, Reception
from app.control import verbs
from app.control.call_views import CallView
from app.control.refusals import Refusal
from app.ports import Call, SessionLog
from app.settings import Agent, Connection
from firmware.calling import Calling
from firmware.control.calls import CallVerbs
from firmware.control.events import Events
from firmware.counting import Counts
from firmware.employer import AtWork
from firmware.lifetimes import serving
from firmware.storage import SqliteLedger, ledger
from firmware.switchboard import Switchboard
from firmware.telephony import Account, EndpointConfig, run_endpoint
from firmware.told_ledger import ToldLedger
from tests.fakes.speech import FakeActivity, FakeBeeps, FakeEars, FakeEcho, FakeVoice
from tests.patience import PATIENCE_S
from tests.scene.stage import ScriptedBrain


@asynccontextmanager
async def _no_recording(call: Call, session: SessionLog) -> AsyncIterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class Outgoing:
    store: SqliteLedger
    calls: CallVerbs
    account: Account
    calling: Calling
    at_work: Mapping[str, AtWork]
    board: Switchboard
    events: Events

    async def place(self, target: str, **asked: object) -> CallView:
        question = verbs.PlaceCall.model_validate({"agent_id": "a", "target": target} | asked)
        made = await self.calls.place_call(question)
        assert not isinstance(made, Refusal), made
        return made

    async def refused(self, target: str) -> Refusal:
        answer = await self.calls.place_call(verbs.PlaceCall(agent_id="a", target=target))
        assert isinstance(answer, Refusal), answer
        return answer

    async def becomes(self, call: CallView, state: str, within_s: float = PATIENCE_S) -> CallView:
        with trio.fail_after(within_s):
            while True:
                found = await self.calls.get_call(verbs.ById(id=call.id))
                assert isinstance(found, CallView)
                if found.state == state:
                    return found
                await trio.sleep(0.05)  # the store tells nobody

    async def outcome(self, target: str, within_s: float = PATIENCE_S, **asked: object) -> CallView:
        """Place a call, and wait for what becomes of it."""
        return await self.becomes(await self.place(target, **asked), "over", within_s)

    async def hang_up(self, call: CallView) -> CallView:
        ended = await self.calls.hang_up_call(verbs.ById(id=call.id))
        assert isinstance(ended, CallView)
        return ended


@asynccontextmanager
async def outgoing(
    connection: Connection,
    folder: Path,
    *,
    seats: int = 2,
    config: EndpointConfig | None = None,
    desk: Callable[[SqliteLedger], Desk] | None = None,
) -> AsyncGenerator[Outgoing, None]:
    """One agent at work, with `connection`; it takes calls that come in, too. Not waiting for any registration. `desk`:
    what it works with, in place of ears, voice and voice activity that are made up."""
    agent = Agent(name="Reception", greeting="Good day.", max_opened_sessions=seats)
    async with (
        ledger(folder / "box.sqlite") as store,
        serving(run_endpoint, config or EndpointConfig(user_agent="Deskbell/test")) as endpoint,
        trio.open_nursery() as lines,
        trio.open_nursery() as calls,
    ):
        events = Events()
        reception = Reception((desk or _desk)(store), agent, calls, lambda: events.changed(verbs.EventKind.AGENT, "a"))
        board = Switchboard(endpoint, lines, lambda _: None)
        async with board.joined("c", connection, reception.take) as account:
            at_work = {"a": AtWork(cast("object", None), {"c": 1}, reception)}  # type: ignore[arg-type]
            calling = Calling(store, at_work, board, lines, events.changed, Counts())
            yield Outgoing(store, CallVerbs(store, calling), account, calling, at_work, board, events)
            calls.cancel_scope.cancel()
        lines.cancel_scope.cancel()


def _desk(store: SqliteLedger) -> Desk:
    return Desk(
        FakeEars(defaultdict(str)),
        FakeVoice(),
        ToldLedger(store, lambda _: None),
        lambda agent, _direction: ScriptedBrain(greeting=agent.greeting),
        FakeActivity,
        FakeEcho,
        FakeBeeps,
        _no_recording,
    )
