"""Verbs of agents: their settings, their life, their files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.engines import role_of
from app.outbound.dialling import dial_string
from app.settings import Agent, DialRules
from app.workflow_checks import problems
from firmware.control.events import Events
from firmware.control.look import Scene, agent_view
from firmware.control.refusing import missed, not_found, taken
from firmware.storage import SqliteLedger, records, tool_records
from firmware.telephony import BadTargetError, target_uri

T = TypeVar("T")

_SPEECH = {"speech_to_text": "speech-to-text", "text_to_speech": "text-to-speech", "language_model": "language-model"}


class AgentVerbs:
    def __init__(self, store: SqliteLedger, scene: Scene, events: Events) -> None:
        self._store, self._scene, self._events = store, scene, events

    async def list_agents(self, _: verbs.Empty) -> views.Agents:
        return views.Agents(items=await self._store.transact(lambda db: agent_views(db, self._scene)))

    async def get_agent(self, ask: verbs.ById) -> views.AgentDetail | Refusal:
        return await self._store.transact(lambda db: self._detail(db, ask.id))

    async def create_agent(self, ask: verbs.CreateAgent) -> views.AgentDetail | Refusal:
        return self._told(await self._store.transact(lambda db: self.add(db, ask.plan)))

    async def update_agent(self, ask: verbs.UpdateAgent) -> views.AgentDetail | Refusal:
        def write(db: records.Db) -> views.AgentDetail | Refusal:
            old = records.read_agent(db, ask.id)
            if why := records.miss(old.version if old else None, ask.if_version):
                return missed(why, "agent")
            return self._write(db, old, ask.plan) if old else not_found("agent")

        return self._told(await self._store.transact(write))

    async def delete_agent(self, ask: verbs.Delete) -> views.Nothing | Refusal:
        """What it said and heard stays in its sessions."""
        record = await self._store.transact(lambda db: records.read_agent(db, ask.id))
        if record is None:
            return not_found("agent")
        if self._scene.roster.is_up(ask.id) and not ask.confirmed:
            return _runs(record)
        await self._store.transact(lambda db: records.delete_agent(db, ask.id))
        await self._scene.roster.stop(ask.id)
        return self._told(views.Nothing())

    # -- life ----------------------------------------------------------------------------------------------------

    async def start_agent(self, ask: verbs.ById) -> views.AgentView | Refusal:
        return await self._should_run(ask.id, should_run=True)

    async def stop_agent(self, ask: verbs.ById) -> views.AgentView | Refusal:
        return await self._should_run(ask.id, should_run=False)

    async def restart_agent(self, ask: verbs.ById) -> views.AgentView | Refusal:
        await self._scene.roster.stop(ask.id)
        return await self._should_run(ask.id, should_run=True)

    async def _should_run(self, agent_id: str, *, should_run: bool) -> views.AgentView | Refusal:
        """Stored before it happens: a power cut in between must not change what the owner wanted."""
        if await self._store.transact(lambda db: records.read_agent(db, agent_id)) is None:
            return not_found("agent")
        await self._store.transact(lambda db: records.set_should_run(db, agent_id, should_run))
        if should_run:
            self._scene.roster.start(agent_id)
        else:
            await self._scene.roster.stop(agent_id)
        detail = await self._store.transact(lambda db: self._detail(db, agent_id))
        return detail.view if isinstance(detail, views.AgentDetail) else detail

    # -- files ---------------------------------------------------------------------------------------------------

    async def export_agent(self, ask: verbs.ById) -> views.AgentFile | Refusal:
        def read(db: records.Db) -> views.AgentFile | Refusal:
            record, parts = records.read_agent(db, ask.id), records.read_parts(db)
            if record is None:
                return not_found("agent")
            attached = [each.connection_id for each in record.plan.attachments]
            return views.AgentFile(
                settings=record.plan.settings,
                connections=tuple(parts.connections[each].account.name for each in attached),
                speech_to_text=_own(parts, record.plan.speech_to_text),
                text_to_speech=_own(parts, record.plan.text_to_speech),
                language_model=_own(parts, record.plan.language_model),
            )

        return await self._store.transact(read)

    async def import_agent(self, ask: verbs.ImportAgent) -> views.AgentDetail | Refusal:
        """Attached to the connections of the same names, without Inbound: who answers is decided here, not there."""

        def write(db: records.Db) -> views.AgentDetail | Refusal:
            by_name = {each.account.name: each.id for each in records.read_connections(db)}
            attachments = (
                views.Attachment(connection_id=by_name[name]) for name in ask.file.connections if name in by_name
            )
            own = {(role_of(each.engine), each.name): each.id for each in records.read_connectivity(db)}
            voice = f"box-voice-{ask.file.settings.voice}"
            plan = views.AgentPlan(
                settings=ask.file.settings,
                attachments=tuple(attachments),
                speech_to_text=own.get(("speech-to-text", ask.file.speech_to_text), "box-ears"),
                text_to_speech=own.get(("text-to-speech", ask.file.text_to_speech), voice),
                language_model=own.get(("language-model", ask.file.language_model)),
            )
            return self.add(db, plan)

        return self._told(await self._store.transact(write))

    # -- inside a transaction ------------------------------------------------------------------------------------

    def add(self, db: records.Db, plan: views.AgentPlan, *, should_run: bool = False) -> views.AgentDetail | Refusal:
        """A new agent; `should_run`: it runs at the next start of the box."""
        fresh = records.AgentRecord(records.new_id(), 0, datetime.now(UTC), plan, should_run)
        return self._write(db, fresh, plan)

    def _write(self, db: records.Db, old: records.AgentRecord, plan: views.AgentPlan) -> views.AgentDetail | Refusal:
        if why := _not_dialled(plan.settings) or _unknown(db, plan) or _leads_nowhere(db, old, plan.settings):
            return why
        record = replace(old, version=old.version + 1, modified_at=datetime.now(UTC), plan=plan)
        if taken_by := records.write_agent(db, record):
            return taken(taken_by, "agent")
        return self._detail(db, record.id)

    def _detail(self, db: records.Db, agent_id: str) -> views.AgentDetail | Refusal:
        record = records.read_agent(db, agent_id)
        if record is None:
            return not_found("agent")
        return views.AgentDetail(view=agent_view(self._scene, record, records.read_parts(db)), plan=record.plan)

    def _told(self, answer: T) -> T:
        if not isinstance(answer, Refusal):
            self._events.changed(verbs.EventKind.SETTINGS)
        return answer


def _own(parts: records.Parts, entry_id: str | None) -> str:
    """The name of an entry that did not come with the box: only that means the same elsewhere."""
    entry = parts.connectivity.get(entry_id or "")
    return entry.name if entry and not entry.built_in else ""


def agent_views(db: records.Db, scene: Scene) -> tuple[views.AgentView, ...]:
    parts = records.read_parts(db)
    return tuple(agent_view(scene, record, parts) for record in records.read_agents(db))


def _unknown(db: records.Db, plan: views.AgentPlan) -> Refusal | None:
    """What the plan names must be there, and be of its kind."""
    parts = records.read_parts(db)
    for field, kind in _SPEECH.items():
        chosen = getattr(plan, field)
        entry = parts.connectivity.get(chosen)
        if chosen is not None and (entry is None or role_of(entry.engine) != kind):
            return _gone(field, f"choose a {kind} connection that exists")
    ids = [each.connection_id for each in plan.attachments]
    if any(each not in parts.connections for each in ids):
        return _gone("attachments", "an attached connection was deleted meanwhile: untick it")
    if len(set(ids)) < len(ids):
        return _gone("attachments", "a connection is attached twice: untick one")
    return None


def _not_dialled(agent: Agent) -> Refusal | None:
    """Callers are put through there: better said now than to a caller. The dial rules of a line only shorten it."""
    wrong: dict[str, str] = {}
    for place, person in enumerate(agent.directory):
        try:
            if person.extension.strip():
                target_uri(dial_string(person.extension, DialRules()).text, "pbx")
        except BadTargetError:
            wrong[f"directory.{place}.extension"] = "must be an extension, a number, or a SIP address; or empty"
    text = "The agent was not saved: callers cannot be put through to what stands there. See below."
    return Refusal(why=Why.INVALID, text=text, fields=wrong) if wrong else None


def _leads_nowhere(db: records.Db, old: records.AgentRecord, agent: Agent) -> Refusal | None:
    """A workflow in which a caller could get stuck. Its tools are looked for when it is changed only: an agent's file
    has none with it, and one that was deleted is none that may be used."""
    is_new = old.version == 0 or old.plan.settings.workflow == agent.workflow
    tools = None if is_new else [each.tool.name for each in tool_records.read_tools(db, old.id)]
    found = problems(agent, tools)
    text = "The agent was not saved: its workflow does not fit together. See below."
    return Refusal(why=Why.INVALID, text=text, fields=dict(found)) if found else None


def _gone(field: str, what: str) -> Refusal:
    return Refusal(why=Why.INVALID, text=f"The agent was not saved: {what}.", fields={field: what})


def _runs(record: records.AgentRecord) -> Refusal:
    name = record.plan.settings.name
    text = f"The agent “{name}” was not deleted: it runs, and callers would no longer reach it. Confirm to delete."
    return Refusal(why=Why.IN_USE, text=text, names=(name,))
