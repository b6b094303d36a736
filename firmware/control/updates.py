"""Verbs of updates: what the page asks of `firmware.update`."""

from __future__ import annotations

import trio

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.updating import RestartBox, Stage, UpdateView
from firmware.control.look import Scene, in_calls
from firmware.control.refusing import calls_go_on
from firmware.control.resets import ANSWER_S
from firmware.newer_versions import News
from firmware.update.restarting import Plan
from firmware.update.service import Updates

_ELSEWHERE = Refusal(
    why=Why.NOT_NOW,
    text="Nothing was done: on this machine updates come with the system, as does Deskbell itself.",
)
_NO_ADDRESS = Refusal(
    why=Why.NOT_NOW,
    text="Nobody was asked: the box knows no address where versions are listed. Enter one under Box, and save it.",
)
_FREE = (Stage.IDLE, Stage.REFUSED, Stage.READY)
_WHY_NOT = {
    Stage.ELSEWHERE: _ELSEWHERE.text,
    Stage.PROVING: "Nothing was done: the box has started, and is still looking whether everything works. That takes "
    "some minutes at most; wait until this page says that it is done.",
    Stage.CHECKING: "Nothing was done: an update is being checked. Wait some seconds.",
    Stage.INSTALLING: "Nothing was done: an update is being installed. Wait until this page says that it is done.",
    Stage.INSTALLED: "Nothing was done: an update is installed already. Restart the box first.",
    Stage.RESTARTING: "Nothing was done: the box restarts. Wait some minutes.",
    Stage.IDLE: "Nothing was done: no update was uploaded, or it was not checked yet. Upload it first.",
    Stage.REFUSED: "Nothing was done: this update cannot be installed here. Upload another one.",
}


class UpdateVerbs:
    """`nursery`: outlives the questions."""

    def __init__(self, updates: Updates, news: News, scene: Scene, nursery: trio.Nursery) -> None:
        self._updates, self._news, self._scene, self._nursery = updates, news, scene, nursery

    async def get_update(self, _: verbs.Empty) -> UpdateView:
        state = self._updates.state
        plan, heard = state.plan, self._news.heard
        return UpdateView(
            stage=state.stage,
            version=state.box.version,
            board=state.box.board,
            slots=state.slots,
            offered=state.offered,
            percent=state.percent,
            step=state.step,
            text=state.text,
            restart="" if plan is None else "idle" if plan.hour is None else "hour",
            restart_hour=plan.hour if plan else None,
            last=self._updates.last(),
            newer=heard.newer,
            looked_at=heard.at,
            look_problem=heard.problem,
        )

    async def look_for_update(self, ask: verbs.Empty) -> UpdateView | Refusal:
        if self._updates.state.stage is Stage.ELSEWHERE:
            return _ELSEWHERE
        if not await self._news.look():
            return _NO_ADDRESS
        return await self.get_update(ask)

    async def check_update(self, ask: verbs.Empty) -> UpdateView | Refusal:
        if self._updates.state.stage not in _FREE:
            return self._not_now()
        self._updates.state.stage = Stage.CHECKING
        self._nursery.start_soon(self._updates.check)
        return await self.get_update(ask)

    async def install_update(self, ask: verbs.Empty) -> UpdateView | Refusal:
        if self._updates.state.stage is not Stage.READY:
            return self._not_now()
        self._updates.state.stage = Stage.INSTALLING
        self._nursery.start_soon(self._updates.install)
        return await self.get_update(ask)

    async def restart_box(self, ask: RestartBox) -> views.Nothing | Refusal:
        if self._updates.state.stage not in (*_FREE, Stage.INSTALLED):
            return self._not_now()
        if ask.when == "now":
            if (busy := in_calls(self._scene)) and not ask.confirmed:
                return calls_go_on(busy, "The box was not restarted")
            self._updates.restart_when(None)
            self._nursery.start_soon(self._restart_soon)
            return views.Nothing()
        plans = {"never": None, "idle": Plan(), "hour": Plan(ask.hour)}
        self._updates.restart_when(plans[ask.when])
        return views.Nothing()

    async def _restart_soon(self) -> None:
        """Once the answer has left."""
        await trio.sleep(ANSWER_S)
        await self._updates.restart()

    def _not_now(self) -> Refusal:
        return Refusal(why=Why.NOT_NOW, text=_WHY_NOT[self._updates.state.stage])
