"""An agent at work: its settings as they are stored now, the engines and lines it needs, and its calls.

`Employer.work` is what the roster runs for each agent. Everything is nested: lines are left before the engines go.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import trio
from pydantic import SecretStr

from app.agents.reception import Reception
from app.agents.roster import AgentProblem
from app.brains.passages import Passage
from app.engines import (
    BoxVoice,
    Engine,
    HttpVoice,
    ModelServer,
    PackVoice,
    ServedEars,
    ServedVoice,
    WyomingVoice,
)
from app.http_tools import HttpTools
from app.ports import Ledger
from app.settings import Connection
from firmware import telephony
from firmware.chatting import Partner
from firmware.equipment import Equipment, Thinking
from firmware.http_tools import OpenedTool, opened_tools
from firmware.lifetimes import first_of
from firmware.logs import about
from firmware.served_speech import SpeechServers
from firmware.storage import SqliteLedger, document_records, records, tool_records
from firmware.switchboard import Switchboard
from firmware.told_ledger import LedgerOfOne
from firmware.vault import Unreadable, Vault
from models.packs import PackProblem
from models.stt.pool import RecogniserFailed
from models.tts.libflite import VoiceMissing

_log = logging.getLogger(__name__)

_NO_EARS = (
    "no Speech-To-Text connection is attached, so it could not hear callers. Attach one in its Connections card, "
    "then start it"
)
_NO_VOICE = (
    "no Text-To-Speech connection is attached, so it could not speak. Attach one in its Connections card, then start it"
)


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent that runs: what it was started with, to tell what has changed since, and its seats. `connections` and
    `connectivity`: the version of each, by id. `documents`: the ids of its files, `tools`: ids and versions of its
    tools."""

    agent: records.AgentRecord
    connections: dict[str, int]
    reception: Reception
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    connectivity: dict[str, int] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    tools: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Papers:
    """One consistent reading of all that an agent is started with. `opened`: with their secrets, read in the same
    moment, since the vault's keys may be renewed at any other."""

    agent: records.AgentRecord
    connections: dict[str, records.ConnectionRecord]
    opened: dict[str, Connection] = field(repr=False)
    connectivity: dict[str, records.ConnectivityRecord]
    voice: BoxVoice
    servers: SpeechServers
    zone: tzinfo
    passages: Sequence[Passage] = field(repr=False)
    documents: frozenset[str] = frozenset()
    tools: Sequence[OpenedTool] = ()
    tool_versions: frozenset[tuple[str, int]] = frozenset()


class Employer:
    """Made by firmware/appliance.py. `at_work`: the agents that run now, by id. `changed` hears of their calls."""

    def __init__(
        self,
        store: SqliteLedger,
        vault: Vault,
        switchboard: Switchboard,
        *,
        ledger: Ledger,
        equipment: Equipment,
        changed: Callable[[str], None],
    ) -> None:
        self.at_work: dict[str, AtWork] = {}
        self._store, self._vault, self._switchboard = store, vault, switchboard
        self._ledger, self._equipment, self._changed = ledger, equipment, changed

    async def work(self, agent_id: str, running: Callable[[], None]) -> None:
        """Raises: AgentProblem; possibly in an ExceptionGroup."""
        papers = await self._store.transact(lambda db: self._papers(db, agent_id))
        agent = papers.agent.plan.settings
        ledger = LedgerOfOne(self._ledger, self._store.belongs, agent_id)
        with about(agent_id=agent_id):
            try:
                async with (
                    self._equipment.desk(
                        agent, papers.voice, ledger, self._thinking(papers), papers.servers, papers.zone
                    ) as desk,
                    trio.open_nursery() as calls,
                ):
                    reception = Reception(desk, agent, calls, lambda: self._changed(agent_id))
                    await self._serve(papers, reception, running)
            except* (PackProblem, RecogniserFailed, VoiceMissing, telephony.TelephonyError) as group:
                raise AgentProblem(str(first_of(group))) from group

    @asynccontextmanager
    async def chat_partner(
        self, agent_id: str, allowed: Callable[[HttpTools], HttpTools]
    ) -> AsyncGenerator[Partner, None]:
        """The agent as it is saved now, for somebody who types. Raises: AgentProblem."""
        papers = await self._store.transact(lambda db: self._papers(db, agent_id))
        agent = papers.agent.plan.settings
        with about(agent_id=agent_id):
            async with self._equipment.brain(agent, papers.zone, self._thinking(papers), allowed) as brain:
                yield Partner(agent, brain)

    async def _serve(self, papers: _Papers, reception: Reception, running: Callable[[], None]) -> None:
        agent_id = papers.agent.id
        async with AsyncExitStack() as lines:
            for attached in papers.agent.plan.attachments:
                connection = papers.opened[attached.connection_id]
                inbound = reception.take if attached.inbound else None
                await lines.enter_async_context(self._switchboard.joined(attached.connection_id, connection, inbound))
            self.at_work[agent_id] = AtWork(
                papers.agent,
                _versions(papers.connections),
                reception,
                connectivity=_versions(papers.connectivity),
                documents=papers.documents,
                tools=papers.tool_versions,
            )
            try:
                running()
                await trio.sleep_forever()
            finally:
                del self.at_work[agent_id]

    def _papers(self, db: records.Db, agent_id: str) -> _Papers:
        agent = records.read_agent(db, agent_id)
        if agent is None:
            raise AgentProblem("The agent was deleted.")
        parts = records.read_parts(db)
        attached = [each.connection_id for each in agent.plan.attachments]
        connections = {id_: parts.connections[id_] for id_ in attached if id_ in parts.connections}
        chosen = (agent.plan.speech_to_text, agent.plan.text_to_speech, agent.plan.language_model)
        connectivity = {id_: parts.connectivity[id_] for id_ in chosen if id_ and id_ in parts.connectivity}
        ears = connectivity.get(agent.plan.speech_to_text or "")
        voice = connectivity.get(agent.plan.text_to_speech or "")
        if ears is None:
            raise AgentProblem(f"The agent cannot run: {_NO_EARS}.")
        if voice is None:
            raise AgentProblem(f"The agent cannot run: {_NO_VOICE}.")
        opened = {id_: self._opened(record) for id_, record in connections.items()}
        _, box = records.read_box(db)
        passages = document_records.read_passages(db, agent_id) if agent.plan.language_model else []
        documents = parts.documents.get(agent_id, frozenset())
        zone, tools = ZoneInfo(box.time_zone), self._tools(db, agent)
        versions = parts.tools.get(agent_id, frozenset())
        return _Papers(
            agent,
            connections,
            opened,
            connectivity,
            _box_voice(voice.engine),
            self._servers(ears, voice),
            zone,
            passages,
            documents,
            tools,
            versions,
        )

    def _servers(self, ears: records.ConnectivityRecord, voice: records.ConnectivityRecord) -> SpeechServers:
        """A key that cannot be read keeps nobody from being heard: the box's own ears and voice are there."""
        hears = ears.engine if isinstance(ears.engine, ServedEars) else None
        speaks = voice.engine if isinstance(voice.engine, ServedVoice) else None
        ears_key = opened_secret(self._vault, ears, "api_key", ears.api_key)
        voice_key = opened_secret(self._vault, voice, "api_key", voice.api_key)
        if isinstance(ears_key, Unreadable):
            _log.error("the key of the speech-to-text server cannot be read: enter it again. The box hears instead")
            hears = ears_key = None
        if isinstance(voice_key, Unreadable):
            _log.error("the key of the text-to-speech server cannot be read: enter it again. The box speaks instead")
            speaks = voice_key = None
        return SpeechServers(hears, speaks, ears_key, voice_key)

    def _tools(self, db: records.Db, agent: records.AgentRecord) -> list[OpenedTool]:
        """Without those that cannot be asked: the agent answers all the same."""
        found = opened_tools(self._vault, tool_records.read_tools(db, agent.id)) if agent.plan.language_model else []
        if None in found:
            _log.error("the headers of a tool cannot be read: enter them again. The agent works without it")
        return [each for each in found if each]

    def _thinking(self, papers: _Papers) -> Thinking | None:
        """A key that cannot be read keeps nobody from being answered: the receptionist is there."""
        record = papers.connectivity.get(papers.agent.plan.language_model or "")
        if record is None or not isinstance(record.engine, ModelServer):
            return None
        key = opened_secret(self._vault, record, "api_key", record.api_key)
        if isinstance(key, Unreadable):
            _log.error("the key of the language model cannot be read: enter it again. The receptionist answers")
            return None
        return Thinking(record.engine, key, papers.zone, papers.passages, papers.tools)

    def _opened(self, record: records.ConnectionRecord) -> Connection:
        password = opened_secret(self._vault, record, "password", record.password)
        login = opened_secret(self._vault, record, "login", record.login)
        if isinstance(password, Unreadable) or isinstance(login, Unreadable) or password is None:
            raise AgentProblem(
                f"The password of the connection “{record.account.name}” cannot be read on this box. Open the "
                "connection under Settings > Channels, enter password and login again, then start the agent."
            )
        return Connection(**record.account.model_dump(), password=password, login=login)


def _box_voice(engine: Engine) -> BoxVoice:
    """What speaks where a server does not."""
    match engine:
        case BoxVoice():
            return engine
        case WyomingVoice(box_voice=voice) | HttpVoice(box_voice=voice) | PackVoice(box_voice=voice):
            return BoxVoice(voice=voice)
        case _:
            raise AgentProblem(f"The agent cannot run: {_NO_VOICE}.")


def opened_secret(
    vault: Vault,
    record: records.ConnectionRecord | records.ConnectivityRecord,
    field: str,
    sealed: records.Sealed | None,
) -> SecretStr | Unreadable | None:
    """A record's secret in clear; None where there is none."""
    table = "connections" if isinstance(record, records.ConnectionRecord) else "connectivity"
    return vault.unseal(table, record.id, field, sealed.revision, sealed.data) if sealed else None


def _versions(
    used: Mapping[str, records.ConnectionRecord] | Mapping[str, records.ConnectivityRecord],
) -> dict[str, int]:
    return {each.id: each.version for each in used.values()}
