"""Updates, put together with the rest of the box."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import trio

from app.control.updating import Stage
from firmware import telephony
from firmware.configuration import Process
from firmware.control.look import Scene, in_calls
from firmware.newer_versions import News
from firmware.storage import SqliteLedger, StorageFault, records
from firmware.update.looks import Looks
from firmware.update.places import Places
from firmware.update.proof import Proven, Unproven, wanted
from firmware.update.prover import prove
from firmware.update.service import Outside, Updates
from firmware.update.trial import Trial


def updates_of(
    process: Process,
    store: SqliteLedger,
    scene: Scene,
    endpoint: telephony.Endpoint,
    changed: Callable[[], None],
    nursery: trio.Nursery,
) -> Updates:
    looks = Looks(store, scene, endpoint, process.admin_port)

    async def proven(trial: Trial | None) -> Proven | Unproven:
        asked = wanted(on_trial=trial is not None, was_registered=bool(trial and trial.registered))
        return await prove(looks.all(), asked, trial)

    async def unreadable() -> tuple[str, ...]:
        return tuple(await looks.unreadable())

    async def zone() -> tzinfo:
        try:
            _, settings = await store.transact(records.read_box)
        except StorageFault:
            return UTC
        return ZoneInfo(settings.time_zone)

    outside = Outside(
        prove=proven,
        registered=looks.registered,
        unreadable=unreadable,
        in_call=lambda: bool(in_calls(scene)),
        zone=zone,
        changed=changed,
    )
    return Updates(_places(process), outside, nursery)


def news_of(store: SqliteLedger, updates: Updates, changed: Callable[[], None]) -> News:
    async def address() -> str:
        if updates.state.stage is Stage.ELSEWHERE:
            return ""
        try:
            _, settings = await store.transact(records.read_box)
        except StorageFault:
            return ""
        return settings.update_address

    return News(address, lambda: updates.state.box, changed)


def _places(process: Process) -> Places | None:
    """None unless the system has places for all of it."""
    if process.update_folder and process.update_run and process.upload_folder:
        return Places(process.update_folder, process.update_run, process.upload_folder)
    return None
