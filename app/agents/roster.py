"""Which agents run: started, stopped, restarted, each behind a wall of its own, so that one's crash is its own.

    Stopped -> Starting -> Running -> Stopping -> Stopped
                  |           |
                  +-> Error <-+        a known problem waits for its owner; a crash is tried again, ever less often

What an agent does is given as `Work`: it calls `running()` once it is ready, and then works until it is cancelled.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import trio

from app.control.views import AgentState

# A crash that comes at every start must not keep the box busy with starting; a rare one is hardly noticed.
_FIRST_RETRY_S, _LONGEST_RETRY_S, _HEALTHY_AFTER_S = 2.0, 300.0, 600.0
# Calls say good-bye and the account unregisters within 4 s; the recognisers' processes end within 5 more.
STOP_S = 15.0

_log = logging.getLogger(__name__)

_CRASHED = "It crashed: an error of Deskbell's. It is started again by itself; its log has the details."

Work = Callable[[str, Callable[[], None]], Awaitable[None]]


class AgentProblem(Exception):
    """The agent cannot run as it is set up. The text is for its owner: what happened, why, what to do next."""


@dataclass(slots=True)
class _Post:
    """One agent's place: empty (Stopped) until it is started."""

    state: AgentState = AgentState.STOPPED
    problem: str = ""
    scope: trio.CancelScope | None = None
    gone: trio.Event = field(default_factory=trio.Event)


class Roster:
    """Made by whoever has a nursery that outlives every agent. `changed` hears the id of each that changed."""

    def __init__(self, nursery: trio.Nursery, work: Work, changed: Callable[[str], None]) -> None:
        self._nursery, self._work, self._changed = nursery, work, changed
        self._posts: dict[str, _Post] = {}

    def state(self, agent_id: str) -> AgentState:
        return self._posts[agent_id].state if agent_id in self._posts else AgentState.STOPPED

    def problem(self, agent_id: str) -> str:
        """Why it is in Error, for its owner; empty in every other state."""
        return self._posts[agent_id].problem if agent_id in self._posts else ""

    def is_up(self, agent_id: str) -> bool:
        """Somebody started it, and it was not stopped: also while it is in Error and will be tried again."""
        scope = self._posts[agent_id].scope if agent_id in self._posts else None
        return scope is not None and not scope.cancel_called

    def start(self, agent_id: str) -> None:
        """Nothing happens to an agent that is up already. One that is still stopping makes room meanwhile."""
        if self.is_up(agent_id):
            return
        post = self._posts[agent_id] = _Post(scope=trio.CancelScope())
        self._nursery.start_soon(self._keep, agent_id, post)
        self._set(agent_id, post, AgentState.STARTING)

    async def stop(self, agent_id: str) -> None:
        """Return once it is gone: its calls ended, its account unregistered. After STOP_S, regardless."""
        post = self._posts.get(agent_id)
        if post is None:
            return
        if post.scope:
            post.scope.cancel()
            self._set(agent_id, post, AgentState.STOPPING)
            with trio.move_on_after(STOP_S):
                await post.gone.wait()
        self._forget(agent_id, post)

    async def _keep(self, agent_id: str, post: _Post) -> None:
        delay_s = _FIRST_RETRY_S
        try:
            with post.scope or trio.CancelScope():
                began = trio.current_time()
                while await self._crashed(agent_id, post):
                    if trio.current_time() - began > _HEALTHY_AFTER_S:
                        delay_s = _FIRST_RETRY_S
                    await trio.sleep(delay_s)
                    began, delay_s = trio.current_time(), min(delay_s * 2, _LONGEST_RETRY_S)
        finally:
            post.gone.set()
        if post.state is not AgentState.ERROR:
            self._forget(agent_id, post)
        post.scope = None

    async def _crashed(self, agent_id: str, post: _Post) -> bool:
        """Run it once. False: a problem that trying again does not mend."""
        crashed = True
        self._set(agent_id, post, AgentState.STARTING)
        try:
            await self._work(agent_id, lambda: self._set(agent_id, post, AgentState.RUNNING))
        except* AgentProblem as group:
            crashed = False
            _log.error("the agent cannot run", extra={"problem": _first(group)})
            self._set(agent_id, post, AgentState.ERROR, _first(group))
        except* Exception:  # noqa: BLE001 - the wall between agents
            _log.exception("the agent crashed; it is started again")
            self._set(agent_id, post, AgentState.ERROR, _CRASHED)
        return crashed

    def _set(self, agent_id: str, post: _Post, state: AgentState, problem: str = "") -> None:
        post.state, post.problem = state, problem
        self._changed(agent_id)

    def _forget(self, agent_id: str, post: _Post) -> None:
        if self._posts.get(agent_id) is post:
            del self._posts[agent_id]
            self._changed(agent_id)


def _first(group: BaseExceptionGroup[AgentProblem]) -> str:
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return str(leaf)
