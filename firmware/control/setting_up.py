"""The verb that sets up a new box from its set-up file: in one transaction, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from app.agents.roster import Roster
from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.setting_up import AgentToSetUp, SetUpBox
from app.settings import Agent, Box
from firmware.control.agents import AgentVerbs
from firmware.control.connections import ConnectionVerbs
from firmware.control.events import Events
from firmware.storage import SqliteLedger, records

_HAS_SETTINGS = Refusal(
    why=Why.NOT_NOW,
    text="The set-up file was not used: this box has settings already, and a file never replaces what a person set. "
    "Remove the file. To start anew with it, reset the box to its factory settings first.",
)


class _NotSetUp(Exception):
    """Takes everything back that the transaction has written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class SetUpVerbs:
    """`connections` and `agents` write and validate: the same as when each is saved on the page."""

    def __init__(
        self,
        store: SqliteLedger,
        connections: ConnectionVerbs,
        agents: AgentVerbs,
        roster: Roster,
        events: Events,
    ) -> None:
        self._store, self._connections, self._agents = store, connections, agents
        self._roster, self._events = roster, events

    async def set_up_box(self, ask: SetUpBox) -> views.Nothing | Refusal:
        try:
            starting = await self._store.transact(lambda db: self._set_up(db, ask))
        except _NotSetUp as why:
            return why.refusal
        for agent_id in starting:
            self._roster.start(agent_id)
        self._events.changed(verbs.EventKind.SETTINGS)
        return views.Nothing()

    def _set_up(self, db: records.Db, ask: SetUpBox) -> list[str]:
        """Ids of the agents that start now; none if all this was done before. Raises: _NotSetUp."""
        if records.read_set_up_id(db) == ask.id:
            return []
        if not _is_new(db):
            raise _NotSetUp(_HAS_SETTINGS)
        records.write_set_up_id(db, ask.id)
        version, _ = records.read_box(db)
        records.write_box(db, ask.box, version)
        ids = dict(self._set_up_connections(db, ask))
        return [made for made, start in self._set_up_agents(db, ask, ids) if start]

    def _set_up_connections(self, db: records.Db, ask: SetUpBox) -> Iterator[tuple[str, str]]:
        for place, draft in enumerate(ask.connection):
            match self._connections.add(db, draft):
                case Refusal() as refusal:
                    _take_back(refusal, "connection", place)
                case views.ConnectionView(id=connection_id, account=account):
                    yield account.name, connection_id

    def _set_up_agents(self, db: records.Db, ask: SetUpBox, ids: dict[str, str]) -> Iterator[tuple[str, bool]]:
        for place, agent in enumerate(ask.agent):
            match _plan(agent, ids):
                case Refusal() as refusal:
                    _take_back(refusal, "agent", place)
                case views.AgentPlan() as plan:
                    added = self._agents.add(db, plan, should_run=agent.start)
            if isinstance(added, Refusal):
                _take_back(added, "agent", place)
            yield added.view.id, agent.start


def _is_new(db: records.Db) -> bool:
    _, box = records.read_box(db)
    return box == Box() and not records.read_connections(db) and not records.read_agents(db)


def _plan(agent: AgentToSetUp, ids: dict[str, str]) -> views.AgentPlan | Refusal:
    """Hearing and speaking on this box: what else there is, is set on the page. `ids`: of the file's connections."""
    names = ids if agent.connections is None else agent.connections
    if unknown := [name for name in names if name not in ids]:
        text = f"there is no connection named “{unknown[0]}” in the file"
        return Refusal(why=Why.INVALID, text=text, fields={"connections": text})
    return views.AgentPlan(
        settings=Agent(**agent.model_dump(exclude={"connections", "inbound", "start"})),
        attachments=tuple(views.Attachment(connection_id=ids[name], inbound=agent.inbound) for name in names),
        speech_to_text="box-ears",
        text_to_speech=f"box-voice-{agent.voice}",
    )


def _take_back(refusal: Refusal, table: str, place: int) -> NoReturn:
    """With its fields named as the file has them."""
    of_file = {"attachments": "connections"}
    fields = {f"{table}.{place}.{of_file.get(field, field)}": text for field, text in refusal.fields.items()}
    raise _NotSetUp(refusal.model_copy(update={"fields": fields}))
