"""Verbs of the factory reset: promised here, done at the next start (`firmware.keeping.reset`); the page follows."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path

import trio

from app.control import keeping, verbs, views
from app.control.refusals import Refusal, Why
from firmware.control.look import Scene, in_calls
from firmware.control.refusing import calls_go_on
from firmware.keeping.reset import forget_promise, promise_reset, reset_promised
from firmware.storage import SqliteLedger, records
from firmware.vault import VaultProblem

ANSWER_S = 1.0
"""Until the process ends: its answer has left through the control socket by then."""

_log = logging.getLogger(__name__)

_NOTHING_TO_FOLLOW = keeping.ResetToFollow(id="", extent="")


class ResetVerbs:
    """`leave` ends this process; whoever minds it starts it again. `nursery` lives until then."""

    def __init__(
        self, store: SqliteLedger, scene: Scene, data: Path, leave: Callable[[], None], nursery: trio.Nursery
    ) -> None:
        self._store, self._scene, self._data = store, scene, data
        self._leave, self._nursery = leave, nursery

    async def factory_reset(self, ask: keeping.FactoryReset) -> views.Nothing | Refusal:
        _, settings = await self._store.transact(records.read_box)
        if ask.box_name.strip().casefold() != settings.name:
            told = f"Type the name of this box, {settings.name}."
            return Refusal(why=Why.INVALID, text=f"Nothing was reset. {told}", fields={"box_name": told})
        if (busy := in_calls(self._scene)) and not ask.confirmed:
            return calls_go_on(busy, "Nothing was reset")
        try:
            await trio.to_thread.run_sync(promise_reset, self._data, ask.extent)
        except OSError as fault:
            return _not_promised(fault)
        await self._destroy_keys()
        self._nursery.start_soon(self._leave_soon)
        return views.Nothing()

    async def get_reset(self, _: verbs.Empty) -> keeping.ResetToFollow:
        promise = await trio.to_thread.run_sync(reset_promised, self._data)
        if promise is None or not promise.done:
            return _NOTHING_TO_FOLLOW
        return keeping.ResetToFollow(id=promise.id, extent=promise.extent)

    async def reset_followed(self, ask: verbs.ById) -> views.Nothing:
        await trio.to_thread.run_sync(forget_promise, self._data, ask.id)
        return views.Nothing()

    async def _destroy_keys(self) -> None:
        """Now, and once more at the start: whoever is told that the box is reset can be sure of this much."""
        try:
            await trio.to_thread.run_sync(self._scene.vault.destroy)
        except VaultProblem as problem:
            _log.error("the keys are destroyed at the next start", extra={"problem": str(problem)})

    async def _leave_soon(self) -> None:
        await trio.sleep(ANSWER_S)
        self._leave()


def _not_promised(fault: OSError) -> Refusal:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        text = "Nothing was reset: the disk is full. Delete some sessions, then try again."
        return Refusal(why=Why.NO_SPACE, text=text)
    text = f"Nothing was reset: the disk does not take data ({fault.strerror}). Check the disk or SD card."
    return Refusal(why=Why.BOX_FAULT, text=text)
