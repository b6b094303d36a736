"""Agents start, stop and crash, each for itself, on a virtual clock."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from app.agents.roster import AgentProblem, Roster
from app.control.views import AgentState

pytestmark = pytest.mark.scene


class Office:
    """Work that does as it is told, and what the roster said of it."""

    def __init__(self) -> None:
        self.starts: list[tuple[str, float]] = []
        self.faults: dict[str, Exception] = {}
        self.told: list[str] = []

    async def work(self, agent_id: str, running: Callable[[], None]) -> None:
        self.starts.append((agent_id, trio.current_time()))
        await trio.sleep(1)
        if agent_id in self.faults:
            raise self.faults[agent_id]
        running()
        await trio.sleep_forever()


@asynccontextmanager
async def roster(office: Office) -> AsyncGenerator[Roster, None]:
    async with trio.open_nursery() as nursery:
        yield Roster(nursery, office.work, office.told.append)
        nursery.cancel_scope.cancel()


async def test_an_agent_starts_runs_and_stops(autojump_clock: MockClock) -> None:
    async with roster(Office()) as agents:
        assert agents.state("a") is AgentState.STOPPED
        agents.start("a")
        assert agents.state("a") is AgentState.STARTING
        await trio.sleep(2)
        assert agents.state("a") is AgentState.RUNNING
        await agents.stop("a")
        assert agents.state("a") is AgentState.STOPPED
        assert not agents.is_up("a")


async def test_starting_twice_starts_once(autojump_clock: MockClock) -> None:
    office = Office()
    async with roster(office) as agents:
        agents.start("a")
        agents.start("a")
        await trio.sleep(2)
    assert [agent for agent, _ in office.starts] == ["a"]


async def test_one_that_is_started_while_it_stops_runs_afterwards(autojump_clock: MockClock) -> None:
    class SlowOffice(Office):
        async def work(self, agent_id: str, running: Callable[[], None]) -> None:
            try:
                await super().work(agent_id, running)
            finally:
                with trio.move_on_after(3, shield=True):
                    await trio.sleep_forever()

    async with roster(SlowOffice()) as agents, trio.open_nursery() as other_tab:
        agents.start("a")
        await trio.sleep(2)
        other_tab.start_soon(agents.stop, "a")
        await wait_all_tasks_blocked()
        assert agents.state("a") is AgentState.STOPPING
        agents.start("a")
        await trio.sleep(10)
        assert agents.state("a") is AgentState.RUNNING
        await agents.stop("a")
        assert agents.state("a") is AgentState.STOPPED


async def test_a_problem_waits_for_its_owner(autojump_clock: MockClock) -> None:
    office = Office()
    office.faults["a"] = AgentProblem("There is no voice. Attach one, then start the agent.")
    async with roster(office) as agents:
        agents.start("a")
        await trio.sleep(1000)
        assert agents.state("a") is AgentState.ERROR
        assert agents.problem("a") == "There is no voice. Attach one, then start the agent."
        assert len(office.starts) == 1
        office.faults.clear()
        agents.start("a")
        await trio.sleep(2)
        assert agents.state("a") is AgentState.RUNNING
        assert agents.problem("a") == ""


async def test_a_crash_is_tried_again_ever_less_often_and_leaves_the_other_alone(autojump_clock: MockClock) -> None:
    office = Office()
    office.faults["a"] = RuntimeError("a bug")
    async with roster(office) as agents:
        agents.start("b")
        agents.start("a")
        await trio.sleep(20)
        assert agents.state("a") is not AgentState.RUNNING
        assert agents.state("b") is AgentState.RUNNING
    assert [at for agent, at in office.starts if agent == "a"] == [0, 3, 8, 17]


async def test_an_agent_that_crashed_can_be_stopped(autojump_clock: MockClock) -> None:
    office = Office()
    office.faults["a"] = RuntimeError("a bug")
    async with roster(office) as agents:
        agents.start("a")
        await trio.sleep(1.5)
        assert agents.state("a") is AgentState.ERROR
        await agents.stop("a")
        assert agents.state("a") is AgentState.STOPPED
        await wait_all_tasks_blocked()
        await trio.sleep(100)
    assert len(office.starts) == 1
