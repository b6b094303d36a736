"""Verbs of Settings > Connectivity: what agents hear, speak and think with."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.control import verbs, views
from app.control.connectivity import ConnectivityList, ConnectivityView
from app.control.refusals import Refusal, Why
from app.engines import BoxVoice, ConnectivityDraft, Engine, HttpEars, HttpVoice, ModelServer
from firmware.control.events import Events
from firmware.control.refusing import missed, not_found, taken
from firmware.employer import opened_secret
from firmware.storage import SqliteLedger, records
from firmware.vault import Unreadable, Vault

T = TypeVar("T")

_WHAT = "entry of Settings > Connectivity"


class ConnectivityVerbs:
    def __init__(self, store: SqliteLedger, vault: Vault, events: Events) -> None:
        self._store, self._vault, self._events = store, vault, events

    async def list_connectivity(self, _: verbs.Empty) -> ConnectivityList:
        def read(db: records.Db) -> ConnectivityList:
            agents = records.read_agents(db)
            return ConnectivityList(items=tuple(self._view(each, agents) for each in records.read_connectivity(db)))

        return await self._store.transact(read)

    async def get_connectivity(self, ask: verbs.ById) -> ConnectivityView | Refusal:
        def read(db: records.Db) -> ConnectivityView | Refusal:
            record = records.read_one_connectivity(db, ask.id)
            return self._view(record, records.read_agents(db)) if record else not_found(_WHAT)

        return await self._store.transact(read)

    async def create_connectivity(self, ask: verbs.CreateConnectivity) -> ConnectivityView | Refusal:
        draft = ask.draft
        fresh = records.ConnectivityRecord(records.new_id(), 0, draft.name, draft.description, draft.engine, False)
        return self._told(await self._store.transact(lambda db: self._write(db, fresh, draft)))

    async def update_connectivity(self, ask: verbs.UpdateConnectivity) -> ConnectivityView | Refusal:
        def write(db: records.Db) -> ConnectivityView | Refusal:
            old = records.read_one_connectivity(db, ask.id)
            if why := records.miss(old.version if old else None, ask.if_version):
                return missed(why, _WHAT)
            if old is None:
                return not_found(_WHAT)
            if old.built_in:
                return _built_in(old, "changed")
            if old.engine.kind != ask.draft.engine.kind:
                return _OTHER_KIND
            return self._write(db, old, ask.draft)

        return self._told(await self._store.transact(write))

    async def delete_connectivity(self, ask: verbs.ById) -> views.Nothing | Refusal:
        def delete(db: records.Db) -> views.Nothing | Refusal:
            record = records.read_one_connectivity(db, ask.id)
            if record is None:
                return not_found(_WHAT)
            if record.built_in:
                return _built_in(record, "deleted")
            if users := users_of(record.id, records.read_agents(db)):
                return _in_use(record, users)
            records.delete_connectivity(db, ask.id)
            return views.Nothing()

        return self._told(await self._store.transact(delete))

    # -- inside a transaction ------------------------------------------------------------------------------------

    def _write(
        self, db: records.Db, old: records.ConnectivityRecord, draft: ConnectivityDraft
    ) -> ConnectivityView | Refusal:
        record = replace(
            old, version=old.version + 1, name=draft.name, description=draft.description, engine=draft.engine
        )
        if draft.api_key is not None:
            record = replace(record, api_key=self._sealed(record, draft.api_key))
        elif old.api_key is not None and _server(old.engine) != _server(draft.engine):
            return _OTHER_SERVER
        if why := records.write_connectivity(db, record):
            return taken(why, _WHAT)
        return self._view(record, records.read_agents(db))

    def _sealed(self, record: records.ConnectivityRecord, key: SecretStr) -> records.Sealed | None:
        """None for an empty one: the server asks for none."""
        if not key.get_secret_value():
            return None
        data = self._vault.seal("connectivity", record.id, "api_key", record.version, key)
        return records.Sealed(data, record.version)

    def _view(self, record: records.ConnectivityRecord, agents: list[records.AgentRecord]) -> ConnectivityView:
        return ConnectivityView(
            id=record.id,
            version=record.version,
            name=record.name,
            description=record.description,
            engine=record.engine,
            built_in=record.built_in,
            agents=users_of(record.id, agents),
            has_key=record.api_key is not None,
            unreadable=isinstance(opened_secret(self._vault, record, "api_key", record.api_key), Unreadable),
        )

    def _told(self, answer: T) -> T:
        if not isinstance(answer, Refusal):
            self._events.changed(verbs.EventKind.SETTINGS)
        return answer


def users_of(entry_id: str, agents: list[records.AgentRecord]) -> tuple[str, ...]:
    """The names of the agents that it is attached to."""
    return tuple(
        agent.plan.settings.name
        for agent in agents
        if entry_id in (agent.plan.speech_to_text, agent.plan.text_to_speech, agent.plan.language_model)
    )


_OTHER_KIND = Refusal(
    why=Why.INVALID,
    text="Not saved: an entry keeps its kind, since agents use it as what it is. Add a new entry instead.",
    fields={"engine.kind": "must stay as it is: add a new entry for another kind"},
)


_OTHER_SERVER = Refusal(
    why=Why.INVALID,
    text="Not saved: the address leads to another server, and the stored key was given for the one before.",
    fields={"api_key": "must be entered again for another server, or be left empty if that one asks for none"},
)


def _server(engine: Engine) -> str:
    """Who gets the key: nobody gets one that was given for somebody else, whoever changes the address."""
    match engine:
        case ModelServer(base_url=url) | HttpEars(base_url=url) | HttpVoice(base_url=url):
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}".casefold()
        case _:
            return ""


def _built_in(record: records.ConnectivityRecord, what: str) -> Refusal:
    instead = " Add a voice of your own instead." if isinstance(record.engine, BoxVoice) else ""
    text = f"“{record.name}” was not {what}: it came with the box and stays as it is.{instead}"
    return Refusal(why=Why.NOT_ALLOWED, text=text)


def _in_use(record: records.ConnectivityRecord, users: tuple[str, ...]) -> Refusal:
    text = (
        f"“{record.name}” was not deleted: it is attached to {', '.join(users)}. Attach something else to them in "
        "their Connections card first, then delete it."
    )
    return Refusal(why=Why.IN_USE, text=text, names=users)
