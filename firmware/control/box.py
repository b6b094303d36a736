"""Verbs of the box itself: how it stands, its settings, its log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import trio

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.updating import LastUpdate, NewerVersion
from app.diagnosis import findings
from firmware import telephony
from firmware.board import facts, network
from firmware.board.home import Home
from firmware.control.agents import agent_views
from firmware.control.diagnosing import facts_of
from firmware.control.events import Events
from firmware.control.look import Scene, network_view
from firmware.control.refusing import missed
from firmware.control.sessions import session_view
from firmware.storage import SqliteLedger, records, searching
from firmware.storage.database import explain_refusal, is_full

_LAST_SESSIONS = 8
_HOURS = 24


class BoxVerbs:
    """`last_update`: what became of it. `newer`: what is said to be there."""

    def __init__(
        self,
        store: SqliteLedger,
        scene: Scene,
        endpoint: telephony.Endpoint,
        events: Events,
        data: Path,
        home: Home,
        software: str,
        last_update: Callable[[], LastUpdate | None] = lambda: None,
        newer: Callable[[], NewerVersion | None] = lambda: None,
    ) -> None:
        self._store, self._scene, self._endpoint, self._events = store, scene, endpoint, events
        self._data, self._home, self._software = data, home, software
        self._last_update, self._newer = last_update, newer

    async def get_overview(self, _: verbs.Empty) -> views.Overview:
        def read(db: records.Db) -> views.Overview:
            agents = agent_views(db, self._scene)
            rows = searching.find_sessions(db, verbs.ListSessions(limit=_LAST_SESSIONS), None)[:_LAST_SESSIONS]
            sessions = tuple(session_view(row, self._data / "recordings") for row in rows)
            box = self.view(db)
            return views.Overview(
                box=box,
                agents=agents,
                last_sessions=sessions,
                findings=self._findings(db),
                calls_by_hour=tuple(searching.calls_by_hour(db, _hours_begin(box), _HOURS)),
            )

        return await self._store.transact(read)

    async def get_diagnosis(self, _: verbs.Empty) -> views.Findings:
        return views.Findings(items=await self._store.transact(self._findings))

    async def get_box(self, _: verbs.Empty) -> views.BoxView:
        return await self._store.transact(self.view)

    async def update_box(self, ask: verbs.UpdateBox) -> views.BoxView | Refusal:
        def write(db: records.Db) -> views.BoxView | Refusal:
            why = records.write_box(db, ask.settings, ask.if_version)
            return missed(why, "box's settings page") if why else self.view(db)

        answer = await self._store.transact(write)
        self._events.changed(verbs.EventKind.SETTINGS)
        return answer

    async def settle_box(self, _: verbs.Empty) -> views.Nothing | Refusal:
        try:
            await trio.to_thread.run_sync(self._home.settle)
        except OSError as fault:
            text = explain_refusal(fault, self._data)
            return Refusal(why=Why.NO_SPACE if is_full(fault) else Why.BOX_FAULT, text=text)
        self._events.changed(verbs.EventKind.SETTINGS)
        return views.Nothing()

    async def list_log(self, ask: verbs.ListLog) -> views.LogPage:
        level = logging.getLevelNamesMapping()[ask.level or "INFO"]
        found = await self._store.transact(lambda db: searching.find_log(db, ask, level))
        items = tuple(_log_entry(row) for row in reversed(found[: ask.limit]))
        return views.LogPage(items=items, earlier=items[0].id if len(found) > ask.limit else None)

    def view(self, db: records.Db) -> views.BoxView:
        version, settings = records.read_box(db)
        now = datetime.now(UTC)
        return views.BoxView(
            version=version,
            settings=settings,
            software=self._software,
            host_name=facts.host_name(),
            now=now,
            network=network_view(),
            name_servers=network.name_servers(),
            secrets_bound_by=self._scene.vault.binder.value,
            health=self._health(now),
            left_machine=self._home.left,
        )

    def _health(self, now: datetime) -> views.Health:
        gaps = self._endpoint.gaps
        return views.Health(
            **asdict(facts.machine(self._data, now)),
            tick_gap_p999_ms=gaps.quantile_ms(0.999),
            tick_gap_max_ms=gaps.max_ms,
            storage_problem=self._store.problem or "",
        )

    def _findings(self, db: records.Db) -> tuple[views.Finding, ...]:
        now = datetime.now(UTC)
        known = facts_of(db, self._scene, now)
        known = replace(
            known,
            disk_free_mb=facts.machine(self._data, now).disk_free_mb,
            storage_problem=self._store.problem or "",
            left_machine=self._home.left,
            last_update=self._last_update(),
            newer=self._newer(),
        )
        return tuple(findings(known))


def _hours_begin(box: views.BoxView) -> datetime:
    """By the clock on the wall: some zones are half an hour off."""
    there = box.now.astimezone(ZoneInfo(box.settings.time_zone))
    return there.replace(minute=0, second=0, microsecond=0).astimezone(UTC) - timedelta(hours=_HOURS - 1)


def _log_entry(row: dict[str, object]) -> views.LogEntry:
    level = logging.getLevelName(int(str(row["level"])))
    fields = json.loads(str(row["fields"]))
    return views.LogEntry.model_validate(
        {"id": row["id"], "at": row["at"], "level": level, "source": row["source"], "text": row["text"]}
        | {"fields": fields}
    )
