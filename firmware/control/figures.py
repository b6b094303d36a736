"""The verb that tells what was counted, and how things stand now."""

from __future__ import annotations

from app.control import verbs
from app.control.figures import AgentNow, Figures, LineNow
from firmware.control.agents import agent_views
from firmware.control.box import BoxVerbs
from firmware.control.look import Scene, registration_of
from firmware.counting import Counts
from firmware.storage import SqliteLedger, records


class FiguresVerbs:
    """`box`: knows how the machine is."""

    def __init__(self, store: SqliteLedger, scene: Scene, counts: Counts, box: BoxVerbs) -> None:
        self._store, self._scene, self._counts, self._box = store, scene, counts, box

    async def get_figures(self, _: verbs.Empty) -> Figures:
        return await self._store.transact(self._figures)

    def _figures(self, db: records.Db) -> Figures:
        agents = (AgentNow(name=each.name, state=each.state, calls=each.calls) for each in agent_views(db, self._scene))
        used = ((each, registration_of(self._scene, each.id)) for each in records.read_connections(db))
        box = self._box.view(db)
        return Figures(
            software=box.software,
            ended=self._counts.calls(),
            responses=self._counts.responses(),
            interruptions=self._counts.interruptions,
            agents=tuple(agents),
            lines=tuple(LineNow(name=each.account.name, registered=now.registered) for each, now in used if now),
            health=box.health,
        )
