"""Verbs of SIP connections: stored with sealed secrets, tried before they are trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import trio
from pydantic import SecretStr

from app.control import verbs, views
from app.control.call_views import DialPreview
from app.control.refusals import Refusal, Why
from app.outbound.dialling import dial_string
from app.settings import Account, Connection, ConnectionDraft
from firmware import telephony
from firmware.control.events import Events
from firmware.control.kept_secrets import KEPT_S, KeptSecrets
from firmware.control.look import Scene, connection_view, registration_view, users_of
from firmware.control.refusing import missed, not_found, taken
from firmware.employer import opened_secret
from firmware.lifetimes import serving
from firmware.storage import SqliteLedger, records
from firmware.vault import Vault

TRIAL_S = 12.0
"""pj reports silence after 10 s (firmware/telephony/account.py ANSWER_S); a name look-up takes 5 s at most before."""

T = TypeVar("T")

_SECRETS = {"password", "login"}
_NEEDS_PASSWORD = Refusal(
    why=Why.INVALID,
    text="The connection was not saved: it needs the password that the PBX gave out for this extension.",
    fields={"password": "enter the password of the SIP account"},
)
_TYPE_AGAIN = Refusal(
    why=Why.INVALID,
    text=f"Not done: what was typed into the secret fields was kept for {KEPT_S / 60:.0f} minutes only. Type it again.",
    fields={"password": "type it again; leave it as it is if it has not changed"},
)

_TRIAL_GOES_ON = Refusal(
    why=Why.NOT_NOW,
    text="Registration was not tried: another trial goes on, maybe in another tab. Wait some seconds, then try again.",
)


class ConnectionVerbs:
    def __init__(
        self, store: SqliteLedger, vault: Vault, scene: Scene, endpoint: telephony.Endpoint, events: Events
    ) -> None:
        self._store, self._vault, self._scene = store, vault, scene
        self._endpoint, self._events = endpoint, events
        self._one_trial, self._kept = trio.Lock(), KeptSecrets()

    async def list_connections(self, _: verbs.Empty) -> views.Connections:
        return await self._store.transact(self._all)

    async def get_connection(self, ask: verbs.ById) -> views.ConnectionView | Refusal:
        return await self._store.transact(lambda db: self._one(db, ask.id))

    async def create_connection(self, ask: verbs.CreateConnection) -> views.ConnectionView | Refusal:
        draft = self._kept.completed(ask.draft, ask.kept, trio.current_time())
        if draft is None:
            return _TYPE_AGAIN
        return self._told(await self._store.transact(lambda db: self.add(db, draft)), ask.kept)

    async def update_connection(self, ask: verbs.UpdateConnection) -> views.ConnectionView | Refusal:
        draft = self._kept.completed(ask.draft, ask.kept, trio.current_time())
        if draft is None:
            return _TYPE_AGAIN

        def write(db: records.Db) -> views.ConnectionView | Refusal:
            old = records.read_connection(db, ask.id)
            if why := records.miss(old.version if old else None, ask.if_version):
                return missed(why, "connection")
            return self._write(db, old, draft) if old else not_found("connection")

        return self._told(await self._store.transact(write), ask.kept)

    async def delete_connection(self, ask: verbs.Delete) -> views.Nothing | Refusal:
        def delete(db: records.Db) -> views.Nothing | Refusal:
            record = records.read_connection(db, ask.id)
            if record is None:
                return not_found("connection")
            users = users_of(self._scene, ask.id, records.read_agents(db))
            if users and not ask.confirmed:
                return _in_use(record, users)
            records.delete_connection(db, ask.id)
            return views.Nothing()

        return self._told(await self._store.transact(delete))

    async def keep_secrets(self, ask: verbs.KeepSecrets) -> views.KeptSecrets:
        return self._kept.keep(ask, trio.current_time())

    async def try_registration(self, ask: verbs.TryRegistration) -> views.Trial | Refusal:
        """A registration of its own, ended at once: the agents' ones stay, and are renewed afterwards, since some PBXs
        keep one registration for each extension."""
        draft = self._kept.completed(ask.draft, ask.kept, trio.current_time())
        if draft is None:
            return _TYPE_AGAIN
        match await self._store.transact(lambda db: self._secrets(db, ask.id, draft)):
            case Refusal() as refusal:
                return refusal
            case (SecretStr() as password, login):
                connection = Connection(
                    **_account(draft).model_dump(exclude={"local_port"}), password=password, login=login
                )
        if self._one_trial.locked():
            return _TRIAL_GOES_ON
        began = trio.current_time()
        async with self._one_trial:
            registration = await self._tried(connection)
        took_ms = round((trio.current_time() - began) * 1000)
        return views.Trial(
            registration=registration_view(registration, connection.user, connection.domain), took_ms=took_ms
        )

    async def preview_dialling(self, ask: verbs.PreviewDialling) -> DialPreview:
        await trio.lowlevel.checkpoint()
        made = dial_string(ask.target, ask.rules)
        try:
            telephony.target_uri(made.text, "pbx")
        except telephony.BadTargetError as fault:
            return DialPreview(dialled="", how=str(fault))
        return DialPreview(dialled=made.text, how=made.how)

    async def _tried(self, connection: Connection) -> telephony.Registration:
        registration = telephony.Registration(telephony.Cause.UNREACHABLE, 0, f"no answer within {TRIAL_S:.0f} s")
        async with serving(telephony.run_account, self._endpoint, connection) as account:
            with trio.move_on_after(TRIAL_S):
                async for registration in account.registrations():
                    if registration.cause not in (telephony.Cause.TRYING, telephony.Cause.OFFLINE):
                        break
        self._scene.switchboard.renew(connection.user, connection.domain)
        return replace(registration, next_try=None)

    def add(self, db: records.Db, draft: ConnectionDraft) -> views.ConnectionView | Refusal:
        """A new connection, inside a transaction."""
        if not _given(draft.password):
            return _NEEDS_PASSWORD
        fresh = records.ConnectionRecord(records.new_id(), 0, datetime.now(UTC), _account(draft), None, None)
        return self._write(db, fresh, draft)

    def _secrets(
        self, db: records.Db, connection_id: str | None, draft: ConnectionDraft
    ) -> tuple[SecretStr, SecretStr | None] | Refusal:
        """Those of the draft, and else those stored."""
        record = records.read_connection(db, connection_id) if connection_id else None
        if connection_id and record is None:
            return not_found("connection")
        password, login = draft.password, draft.login
        if record and not _given(password):
            match opened_secret(self._vault, record, "password", record.password):
                case SecretStr() as stored:
                    password = stored
        if record and login is None:
            match opened_secret(self._vault, record, "login", record.login):
                case SecretStr() as stored:
                    login = stored
        if password is None or not _given(password):
            return _NEEDS_PASSWORD
        return password, login if _given(login) else None

    def _write(
        self, db: records.Db, old: records.ConnectionRecord, draft: ConnectionDraft
    ) -> views.ConnectionView | Refusal:
        record = replace(old, version=old.version + 1, modified_at=datetime.now(UTC), account=_account(draft))
        if _given(draft.password):
            record = replace(record, password=self._seal(record, "password", draft.password))
        if draft.login is not None:
            sealed = self._seal(record, "login", draft.login) if _given(draft.login) else None
            record = replace(record, login=sealed)
        if why := records.write_connection(db, record):
            return taken(why, "connection")
        return connection_view(self._scene, record, records.read_agents(db))

    def _seal(self, record: records.ConnectionRecord, field: str, secret: SecretStr | None) -> records.Sealed:
        data = self._vault.seal("connections", record.id, field, record.version, secret or SecretStr(""))
        return records.Sealed(data, record.version)

    def _all(self, db: records.Db) -> views.Connections:
        agents = records.read_agents(db)
        found = records.read_connections(db)
        return views.Connections(items=tuple(connection_view(self._scene, record, agents) for record in found))

    def _one(self, db: records.Db, connection_id: str) -> views.ConnectionView | Refusal:
        record = records.read_connection(db, connection_id)
        return connection_view(self._scene, record, records.read_agents(db)) if record else not_found("connection")

    def _told(self, answer: T, kept: str = "") -> T:
        if not isinstance(answer, Refusal):
            self._kept.forget(kept)
            self._events.changed(verbs.EventKind.SETTINGS)
        return answer


def _account(draft: ConnectionDraft) -> Account:
    return Account(**draft.model_dump(exclude=_SECRETS))


def _given(secret: SecretStr | None) -> bool:
    return bool(secret and secret.get_secret_value())


def _in_use(record: records.ConnectionRecord, users: list[views.AgentRef]) -> Refusal:
    running = [user.name for user in users if user.running]
    goes = f"Calls to {record.account.user} no longer reach {', '.join(running)}. " if running else ""
    return Refusal(
        why=Why.IN_USE,
        text=f"The connection “{record.account.name}” was not deleted: it is attached to "
        f"{', '.join(user.name for user in users)}. {goes}Confirm to delete it all the same.",
        names=tuple(user.name for user in users),
    )
