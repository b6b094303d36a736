"""The verb of the support bundle."""

from __future__ import annotations

import binascii
import platform
from collections.abc import Mapping, Sequence

import trio

from app.control import keeping, verbs
from app.control.views import BoxView, Finding
from firmware.control.box import BoxVerbs
from firmware.control.look import Scene
from firmware.keeping.support import LOG_LINES, Seen, bundle
from firmware.storage import SqliteLedger, campaign_records, do_not_call_records, records, searching
from firmware.storage.campaign_records import Standing

# A bundle keeps a core busy for a moment; calls go on meanwhile.
_AT_ONCE = 1


class SupportVerbs:
    def __init__(self, store: SqliteLedger, scene: Scene, box: BoxVerbs) -> None:
        self._store, self._scene, self._box = store, scene, box
        self._threads = trio.CapacityLimiter(_AT_ONCE)

    async def get_support_bundle(self, ask: verbs.Empty) -> keeping.FileView:
        box, findings = await self._box.get_box(ask), await self._box.get_diagnosis(ask)
        seen = await self._store.transact(lambda db: self._seen(db, box, findings.items))
        packed = await trio.to_thread.run_sync(_packed, seen, limiter=self._threads)
        name = f"deskbell-support-{box.now:%Y-%m-%d}.zip"
        return keeping.FileView(name=name, media_type="application/zip", content_base64=packed)

    def _seen(self, db: records.Db, box: BoxView, findings: Sequence[Finding]) -> Seen:
        agents, standings = records.read_agents(db), campaign_records.read_standings(db)
        return Seen(
            box=box,
            platform=_platform(),
            findings=findings,
            connections=records.read_connections(db),
            connectivity=records.read_connectivity(db),
            agents=agents,
            states=[self._scene.roster.state(each.id).value for each in agents],
            log=searching.last_log(db, LOG_LINES),
            campaigns=[(each, standings.get(each.id, Standing())) for each in campaign_records.read_campaigns(db)],
            do_not_call=do_not_call_records.count(db),
        )


def _packed(seen: Seen) -> str:
    return binascii.b2a_base64(bundle(seen), newline=False).decode()


def _platform() -> Mapping[str, str]:
    """Without the name of this machine."""
    return {"python": platform.python_version(), "kernel": platform.release(), "machine": platform.machine()}
