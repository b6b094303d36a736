"""Verbs of neural packs: uploaded in parts, checked, listed, removed."""

from __future__ import annotations

from typing import Literal, cast

import trio

from app.control import packs, verbs, views
from app.control.refusals import Refusal, Why
from app.engines import PackEars, PackVoice
from firmware.control.events import Events
from firmware.control.refusing import not_found
from firmware.packs import Packs
from firmware.storage import SqliteLedger, records
from models.neural import engines
from models.neural.pack_file import ENGINES, Description, PackFault
from models.packs import load

ANSWER_S = 10.0
"""What takes longer is told of by an event; the page waits for 20 s."""

_BUSY = Refusal(
    why=Why.NOT_NOW, text="Nothing was done: a neural pack is being checked. Wait until that is done, then try again."
)


class PackVerbs:
    """`nursery`: outlives the questions."""

    def __init__(self, store: SqliteLedger, kept: Packs, events: Events, nursery: trio.Nursery) -> None:
        self._store, self._kept, self._events, self._nursery = store, kept, events, nursery
        self._checking, self._taken, self._problem = False, "", ""

    async def list_packs(self, _: verbs.Empty) -> packs.Packs:
        used = await self._store.transact(_used)
        found = await self._kept.all()
        there, listed = await trio.to_thread.run_sync(_on_this_machine)
        return packs.Packs(
            items=tuple(_view(each, listed, there, used.get(each.name, ())) for each in found),
            engines=tuple(sorted(there)),
            checking=self._checking,
            taken=self._taken,
            problem=self._problem,
        )

    async def add_pack_part(self, ask: packs.PackPart) -> views.Nothing | Refusal:
        if self._checking:
            return _BUSY
        try:
            await self._kept.receive(ask.at, ask.data)
        except PackFault as fault:
            text = f"The neural pack was not kept: {fault}."
            return Refusal(why=Why.INVALID, text=text, fields={"at": text})
        return views.Nothing()

    async def take_pack(self, ask: verbs.Empty) -> packs.Packs | Refusal:
        """It answers early where that takes long."""
        if self._checking:
            return _BUSY
        self._checking, self._taken, self._problem = True, "", ""
        done = trio.Event()
        self._nursery.start_soon(self._take, done)
        with trio.move_on_after(ANSWER_S):
            await done.wait()
        return await self.list_packs(ask)

    async def delete_pack(self, ask: packs.WhichPack) -> views.Nothing | Refusal:
        if self._checking:
            return _BUSY
        if used := (await self._store.transact(_used)).get(ask.pack):
            text = (
                f"The neural pack was not removed: {', '.join(used)} under Connectivity uses it. Delete that first, or "
                "give it another pack."
            )
            return Refusal(why=Why.IN_USE, text=text, names=used)
        if not await self._kept.remove(ask.pack):
            return not_found("neural pack")
        self._events.changed(verbs.EventKind.SETTINGS)
        return views.Nothing()

    async def _take(self, done: trio.Event) -> None:
        try:
            self._taken = (await self._kept.take()).name
        except PackFault as fault:
            self._problem = str(fault)
        finally:
            self._checking = False
            done.set()
            self._events.changed(verbs.EventKind.SETTINGS)


def _used(db: records.Db) -> dict[str, tuple[str, ...]]:
    """Names of entries of Connectivity, by the pack that they use."""
    used: dict[str, tuple[str, ...]] = {}
    for entry in records.read_connectivity(db):
        if isinstance(entry.engine, PackEars | PackVoice):
            used[entry.engine.pack] = (*used.get(entry.engine.pack, ()), entry.name)
    return used


def _on_this_machine() -> tuple[set[str], set[str]]:
    """Engines that are there, and the sha256 of each file that the manifest names. Raises: ManifestError."""
    return {name for name in ENGINES if engines.is_installed(name)}, {each.sha256 for each in load().values()}


def _view(found: Description, listed: set[str], there: set[str], used: tuple[str, ...]) -> packs.PackView:
    return packs.PackView(
        name=found.name,
        title=found.title,
        kind=cast("Literal['ears', 'voice']", found.kind),
        engine=found.engine,
        language=found.language,
        licence=found.licence,
        source=found.source,
        needs=found.needs,
        bytes=found.size_bytes,
        listed=all(each.sha256 in listed for each in found.files.values()),
        engine_there=found.engine in there,
        used_by=used,
    )
