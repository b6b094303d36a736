"""Verbs of backups: all settings in a file that a passphrase opens, looked into, and put in place of those here."""

from __future__ import annotations

import binascii
import logging
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

import trio
from pydantic import SecretStr

from app.control import keeping, verbs, views
from app.control.passwords import weakness
from app.control.refusals import Refusal, Why
from firmware.control.events import Events
from firmware.control.look import Scene, in_calls
from firmware.control.refusing import calls_go_on
from firmware.keeping.content import Content, misfit, packed, unpacked
from firmware.keeping.copying import copied, replaced
from firmware.keeping.rotation import renew_keys
from firmware.storage import SqliteLedger, StorageFault, campaign_records, do_not_call_records, records
from firmware.vault import BackupRefusal, VaultProblem, read_backup, write_backup

KEPT_S = 600.0
"""How long an opened backup waits for its "yes": to read a page twice, and not for ever, since secrets are in it."""

# scrypt takes 32 MiB and a core; calls go on meanwhile.
_AT_ONCE = 1
# Decoding holds the GIL: a millisecond, on a Raspberry Pi too. A multiple of 4, so that each piece decodes alone.
_PIECE = 256 * 1024

_TOO_LARGE = Refusal(
    why=Why.NOT_NOW,
    text=f"No backup was made: the settings are more than a file of {keeping.LARGEST_BACKUP // 2**20} MB can hold. "
    "Delete agents that are not needed any more, or export them one by one first, then try again.",
)
_NOT_KEPT = Refusal(
    why=Why.NOT_FOUND,
    text="Nothing was restored: the opened backup is no longer kept, because ten minutes have passed, another one was "
    "opened, or the box was started again. Choose the file once more.",
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str
    content: Content = field(repr=False)


class BackupVerbs:
    """`nursery` outlives every question."""

    def __init__(self, store: SqliteLedger, scene: Scene, events: Events, software: str, nursery: trio.Nursery) -> None:
        self._store, self._scene, self._events = store, scene, events
        self._software, self._nursery = software, nursery
        self._kept: _Kept | None = None
        self._threads, self._one_restore = trio.CapacityLimiter(_AT_ONCE), trio.Lock()

    async def make_backup(self, ask: keeping.MakeBackup) -> keeping.FileView | Refusal:
        if why := weakness(ask.passphrase.get_secret_value()):
            text = f"No backup was made: choose another passphrase, {why}."
            return Refusal(why=Why.INVALID, text=text, fields={"passphrase": f"Choose another passphrase: {why}."})
        now, vault = datetime.now(UTC), self._scene.vault
        content = await self._store.transact(lambda db: copied(db, vault, self._software, now))
        made = await trio.to_thread.run_sync(_written, ask.passphrase, content, limiter=self._threads)
        if made is None:
            return _TOO_LARGE
        name = f"deskbell-{content.head.box.name}-{now:%Y-%m-%d}.backup"
        return keeping.FileView(name=name, media_type="application/octet-stream", content_base64=made)

    async def preview_backup(self, ask: keeping.OpenBackup) -> keeping.BackupPreview | Refusal:
        opened = await trio.to_thread.run_sync(_opened, ask.passphrase, ask.content_base64, limiter=self._threads)
        if isinstance(opened, BackupRefusal):
            return _refusal(opened)
        here, built_in = await self._store.transact(_here)
        if why := misfit(opened, built_in):
            return _refusal(why)
        return _preview(self._keep(opened), here)

    async def restore_backup(self, ask: keeping.RestoreBackup) -> views.Nothing | Refusal:
        """Stored first, so that a full disk changes nothing; then the agents go, and those of the backup come."""
        async with self._one_restore:
            kept = self._kept
            if kept is None or kept.id != ask.id:
                return _NOT_KEPT
            if (busy := in_calls(self._scene)) and not ask.confirmed:
                return calls_go_on(busy, "Nothing was restored")
            await self._replace(kept.content)
            self._kept = None
        self._events.changed(verbs.EventKind.SETTINGS)
        return views.Nothing()

    async def _replace(self, content: Content) -> None:
        """Raises: StorageFault, and nothing is changed then."""
        vault, now = self._scene.vault, datetime.now(UTC)

        def replace(db: records.Db) -> list[str]:
            before = [each.id for each in records.read_agents(db)]
            replaced(db, vault, content, now)
            return before

        before = await self._store.transact(replace)
        async with trio.open_nursery() as stopping:
            for agent_id in before:
                stopping.start_soon(self._scene.roster.stop, agent_id)
        await self._renew_keys()
        for agent in content.agents:
            if agent.should_run:
                self._scene.roster.start(agent.id)

    async def _renew_keys(self) -> None:
        """The old keys sealed what nobody wants any more. Without new ones everything works all the same."""
        try:
            await renew_keys(self._store, self._scene.vault)
        except (VaultProblem, StorageFault) as problem:
            _log.warning("the keys were not renewed after a backup was restored", extra={"problem": str(problem)})

    def _keep(self, content: Content) -> _Kept:
        """The one before is forgotten."""
        kept = self._kept = _Kept(secrets.token_hex(8), content)
        self._nursery.start_soon(self._forget, kept)
        return kept

    async def _forget(self, kept: _Kept) -> None:
        await trio.sleep(KEPT_S)
        if self._kept is kept:
            self._kept = None


def _written(passphrase: SecretStr, content: Content) -> str | None:
    """The file in base64; None if it would be too large to come back."""
    payload = packed(content)
    if payload is None:
        return None
    data = write_backup(passphrase, payload)
    return binascii.b2a_base64(data, newline=False).decode() if len(data) <= keeping.LARGEST_BACKUP else None


def _opened(passphrase: SecretStr, content_base64: str) -> Content | BackupRefusal:
    try:
        pieces = (content_base64[at : at + _PIECE] for at in range(0, len(content_base64), _PIECE))
        data = b"".join(binascii.a2b_base64(piece, strict_mode=True) for piece in pieces)
    except ValueError:  # also what is not ASCII
        return BackupRefusal.NOT_A_BACKUP
    match read_backup(passphrase, data):
        case bytes() as payload:
            return unpacked(payload)
        case BackupRefusal() as why:
            return why


def _refusal(why: BackupRefusal) -> Refusal:
    place = "passphrase" if why is BackupRefusal.WRONG_PASSPHRASE else "content_base64"
    return Refusal(why=Why.INVALID, text=f"Nothing was changed. {why.value}", fields={place: why.value})


def _here(db: records.Db) -> tuple[keeping.Holdings, dict[str, str]]:
    """What this box has, and the names of the connectivity that came with it, by id."""
    connectivity = records.read_connectivity(db)
    here = keeping.Holdings(
        connections=tuple(each.account.name for each in records.read_connections(db)),
        connectivity=tuple(each.name for each in connectivity if not each.built_in),
        agents=tuple(each.plan.settings.name for each in records.read_agents(db)),
        campaigns=tuple(each.settings.name for each in campaign_records.read_campaigns(db)),
        do_not_call=do_not_call_records.count(db),
    )
    return here, {each.id: each.name for each in connectivity if each.built_in}


def _preview(kept: _Kept, here: keeping.Holdings) -> keeping.BackupPreview:
    content = kept.content
    brings = keeping.Holdings(
        connections=tuple(each.account.name for each in content.connections),
        connectivity=tuple(each.name for each in content.connectivity),
        agents=tuple(each.plan.settings.name for each in content.agents),
        campaigns=tuple(each.settings.name for each in content.campaigns),
        do_not_call=sum(len(each.numbers) for each in content.do_not_call),
    )
    return keeping.BackupPreview(
        id=kept.id,
        made_at=content.head.made_at,
        software=content.head.software,
        box_name=content.head.box.name,
        retention_days=content.head.box.retention_days,
        brings=brings,
        replaces=here,
        starts=tuple(each.plan.settings.name for each in content.agents if each.should_run),
        without_password=tuple(each.account.name for each in content.connections if each.password is None),
    )
