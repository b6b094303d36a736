"""Work that is done round by round for as long as the box runs: at once when somebody wakes it, and else after a pause
that each round chooses. What goes wrong in a round ends neither the work nor the calls beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import trio

from firmware.storage import StorageFault

_TROUBLE_S = 30.0
"""A disk that takes nothing is tried again after this."""

_log = logging.getLogger(__name__)


class Rounds:
    """`of`: what is done, for the log. `done`: rounds so far that came to their end."""

    def __init__(self, of: str) -> None:
        self._of = of
        self.done = 0
        self._woken = trio.Event()

    def wake(self) -> None:
        """There is something to do now."""
        self._woken.set()

    async def run(self, one_round: Callable[[], Awaitable[float]]) -> None:
        """Until cancelled. `one_round` returns for how many seconds there is nothing to do, unless it is woken; it may
        raise StorageFault, also in a group."""
        while True:
            self._woken, pause_s = trio.Event(), _TROUBLE_S
            try:
                pause_s = await one_round()
                self.done += 1
            except* StorageFault as group:
                _log.warning("a round waits for the disk", extra={"work": self._of, "problem": _first(group)})
            except* Exception:  # noqa: BLE001 - the wall: none of this work is worth a call
                _log.exception("a round failed", extra={"work": self._of})
            with trio.move_on_after(pause_s):
                await self._woken.wait()


def _first(group: BaseExceptionGroup[StorageFault]) -> str:
    while isinstance(first := group.exceptions[0], BaseExceptionGroup):
        group = first
    return str(first)
