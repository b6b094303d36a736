"""The verb that tells what was counted, and how things stand now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from app.control import verbs
from app.control.figures import AgentNow, Figures, LineNow
from firmware import telephony
from firmware.board import facts
from firmware.control.agents import agent_views
from firmware.control.look import Scene, registration_of
from firmware.counting import Counts
from firmware.storage import SqliteLedger, records


class FiguresVerbs:
    def __init__(
        self, store: SqliteLedger, scene: Scene, endpoint: telephony.Endpoint, counts: Counts, data: Path, software: str
    ) -> None:
        self._store, self._scene, self._endpoint = store, scene, endpoint
        self._counts, self._data, self._software = counts, data, software

    async def get_figures(self, _: verbs.Empty) -> Figures:
        gaps, machine = self._endpoint.gaps, facts.machine(self._data, datetime.now(UTC))
        agents, lines = await self._store.transact(self._now)
        return Figures(
            software=self._software,
            ended=self._counts.calls(),
            responses=self._counts.responses(),
            interruptions=self._counts.interruptions,
            agents=agents,
            lines=lines,
            tick_gap_p999_ms=gaps.quantile_ms(0.999),
            tick_gap_max_ms=gaps.max_ms,
            memory_used_mb=machine.memory_used_mb,
            disk_free_mb=machine.disk_free_mb,
            temperature_c=machine.temperature_c,
            uptime_s=machine.uptime_s,
        )

    def _now(self, db: records.Db) -> tuple[tuple[AgentNow, ...], tuple[LineNow, ...]]:
        agents = (AgentNow(name=each.name, state=each.state, calls=each.calls) for each in agent_views(db, self._scene))
        used = ((each, registration_of(self._scene, each.id)) for each in records.read_connections(db))
        lines = (LineNow(name=each.account.name, registered=now.registered) for each, now in used if now)
        return tuple(agents), tuple(lines)
