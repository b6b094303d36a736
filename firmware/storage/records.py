"""What users set, as rows: read and written inside one transaction of `SqliteLedger.transact`.

Every function takes the connection of that transaction. Edits name the version they were based on; a version that was
overtaken is `Overtaken`, a record that is gone is `Gone`, a name or Inbound switch that is taken is `Taken`: values.

What is stored is read without keys that this version does not know (`extra="ignore"`): after an update that was rolled
back, a newer one wrote them.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import TypeAdapter

from app.control.views import AgentPlan, Attachment
from app.engines import Engine
from app.settings import Account, Agent, Box
from firmware.storage.schema import timestamp

Db = sqlite3.Connection
"""Of a transaction under way. The name, for those who must not import sqlite3."""


_ENGINE: TypeAdapter[Engine] = TypeAdapter(Engine)


class Miss(Enum):
    """Why an edit was not made."""

    GONE = "gone"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody else has it: `what` is "name" or "inbound", `by` the name of who has it, `where` the connection's."""

    what: str
    by: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed secret, and the revision of its record that the seal binds."""

    data: bytes = field(repr=False)
    revision: int


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    id: str
    version: int
    modified_at: datetime
    account: Account
    password: Sealed | None
    login: Sealed | None


@dataclass(frozen=True, slots=True)
class ConnectivityRecord:
    id: str
    version: int
    name: str
    description: str
    engine: Engine
    built_in: bool
    api_key: Sealed | None = None


@dataclass(frozen=True, slots=True)
class AgentRecord:
    id: str
    version: int
    modified_at: datetime
    plan: AgentPlan
    should_run: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """What agents are put together from, by id; `documents`: the ids of their files, `tools`: ids and versions of their
    tools, by agent."""

    connections: Mapping[str, ConnectionRecord]
    connectivity: Mapping[str, ConnectivityRecord]
    documents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tools: Mapping[str, frozenset[tuple[str, int]]] = field(default_factory=dict)


def new_id() -> str:
    return secrets.token_hex(6)


def rows(db: Db, statement: str, *parameters: object) -> list[dict[str, Any]]:
    cursor = db.execute(statement, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def miss(found: int | None, if_version: int) -> Miss | None:
    if found is None:
        return Miss.GONE
    return None if found == if_version else Miss.OVERTAKEN


# -- the box ---------------------------------------------------------------------------------------------------


def read_box(db: Db) -> tuple[int, Box]:
    (row,) = rows(db, "SELECT version, settings FROM box")
    return row["version"], Box.model_validate_json(row["settings"], extra="ignore")


def write_box(db: Db, box: Box, if_version: int) -> Miss | None:
    version, _ = read_box(db)
    if version != if_version:
        return Miss.OVERTAKEN
    db.execute("UPDATE box SET version = version + 1, settings = ?", (box.model_dump_json(),))
    return None


def clear_settings(db: Db) -> None:
    """Agents, connections, and the connectivity that users made."""
    for statement in ("DELETE FROM agents", "DELETE FROM connections", "DELETE FROM connectivity WHERE NOT built_in"):
        db.execute(statement)


def read_set_up_id(db: Db) -> str:
    """Of the set-up file that was applied; empty if none was."""
    found = rows(db, "SELECT id FROM set_up")
    return str(found[0]["id"]) if found else ""


def write_set_up_id(db: Db, set_up_id: str) -> None:
    db.execute("INSERT OR REPLACE INTO set_up VALUES (1, ?)", (set_up_id,))


# -- connections -----------------------------------------------------------------------------------------------


def read_connections(db: Db) -> list[ConnectionRecord]:
    return [_connection(row) for row in rows(db, "SELECT * FROM connections ORDER BY name")]


def read_connection(db: Db, record_id: str) -> ConnectionRecord | None:
    found = rows(db, "SELECT * FROM connections WHERE id = ?", record_id)
    return _connection(found[0]) if found else None


def write_connection(db: Db, record: ConnectionRecord) -> Taken | None:
    """Insert, or replace the record of this id."""
    if taken := name_taken(db, "connections", record.account.name, record.id):
        return taken
    values = (
        record.version,
        timestamp(record.modified_at),
        record.account.name,
        record.account.model_dump_json(),
        *_sealed_columns(record.password),
        *_sealed_columns(record.login),
        record.id,
    )
    db.execute(
        "INSERT INTO connections (version, modified_at, name, account, password, password_revision, login,"
        " login_revision, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " version = excluded.version, modified_at = excluded.modified_at, name = excluded.name,"
        " account = excluded.account, password = excluded.password, password_revision = excluded.password_revision,"
        " login = excluded.login, login_revision = excluded.login_revision",
        values,
    )
    return None


def delete_connection(db: Db, record_id: str) -> None:
    db.execute("DELETE FROM connections WHERE id = ?", (record_id,))


def _connection(row: dict[str, Any]) -> ConnectionRecord:
    return ConnectionRecord(
        id=row["id"],
        version=row["version"],
        modified_at=datetime.fromisoformat(row["modified_at"]),
        account=Account.model_validate_json(row["account"], extra="ignore"),
        password=_sealed(row["password"], row["password_revision"]),
        login=_sealed(row["login"], row["login_revision"]),
    )


def _sealed(data: bytes | None, revision: int) -> Sealed | None:
    return None if data is None else Sealed(data, revision)


def _sealed_columns(secret: Sealed | None) -> tuple[bytes | None, int]:
    return (secret.data, secret.revision) if secret else (None, 0)


def name_taken(db: Db, table: str, name: str, record_id: str) -> Taken | None:
    found = rows(db, f"SELECT name FROM {table} WHERE name = ? COLLATE NOCASE AND id != ?", name, record_id)  # noqa: S608  # our own tables
    return Taken("name", found[0]["name"]) if found else None


# -- connectivity ----------------------------------------------------------------------------------------------


def read_connectivity(db: Db) -> list[ConnectivityRecord]:
    return [_connectivity(row) for row in rows(db, "SELECT * FROM connectivity ORDER BY kind, built_in DESC, name")]


def read_one_connectivity(db: Db, record_id: str) -> ConnectivityRecord | None:
    found = rows(db, "SELECT * FROM connectivity WHERE id = ?", record_id)
    return _connectivity(found[0]) if found else None


def write_connectivity(db: Db, record: ConnectivityRecord) -> Taken | None:
    """Insert, or replace the record of this id."""
    if taken := name_taken(db, "connectivity", record.name, record.id):
        return taken
    values = (
        record.id,
        record.version,
        record.engine.kind,
        record.name,
        record.description,
        record.engine.model_dump_json(),
        *_sealed_columns(record.api_key),
        record.built_in,
    )
    db.execute(
        "INSERT INTO connectivity (id, version, kind, name, description, settings, api_key, api_key_revision, built_in,"
        " engine, voice) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '') ON CONFLICT (id) DO UPDATE SET"
        " version = excluded.version, name = excluded.name, description = excluded.description,"
        " settings = excluded.settings, api_key = excluded.api_key, api_key_revision = excluded.api_key_revision",
        values,
    )
    return None


def delete_connectivity(db: Db, record_id: str) -> None:
    db.execute("DELETE FROM connectivity WHERE id = ?", (record_id,))


def _connectivity(row: dict[str, Any]) -> ConnectivityRecord:
    return ConnectivityRecord(
        id=row["id"],
        version=row["version"],
        name=row["name"],
        description=row["description"],
        engine=_ENGINE.validate_json(row["settings"], extra="ignore"),
        built_in=bool(row["built_in"]),
        api_key=_sealed(row["api_key"], row["api_key_revision"]),
    )


# -- agents ----------------------------------------------------------------------------------------------------


def read_agents(db: Db) -> list[AgentRecord]:
    return [_agent(db, row) for row in rows(db, "SELECT * FROM agents ORDER BY name")]


def read_agent(db: Db, record_id: str) -> AgentRecord | None:
    found = rows(db, "SELECT * FROM agents WHERE id = ?", record_id)
    return _agent(db, found[0]) if found else None


def write_agent(db: Db, record: AgentRecord) -> Taken | None:
    """Insert, or replace the record of this id with its attachments. Who has an Inbound switch keeps it."""
    plan = record.plan
    if taken := name_taken(db, "agents", plan.settings.name, record.id) or _inbound_taken(db, record):
        return taken
    db.execute(
        "INSERT INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " version = excluded.version, modified_at = excluded.modified_at, name = excluded.name,"
        " settings = excluded.settings, speech_to_text = excluded.speech_to_text,"
        " text_to_speech = excluded.text_to_speech, language_model = excluded.language_model",
        (
            record.id,
            record.version,
            timestamp(record.modified_at),
            plan.settings.name,
            plan.settings.model_dump_json(),
            plan.speech_to_text,
            plan.text_to_speech,
            plan.language_model,
            record.should_run,
        ),
    )
    db.execute("DELETE FROM attachments WHERE agent_id = ?", (record.id,))
    for each in plan.attachments:
        db.execute("INSERT INTO attachments VALUES (?, ?, ?)", (record.id, each.connection_id, each.inbound))
    return None


def read_parts(db: Db) -> Parts:
    return Parts(
        {each.id: each for each in read_connections(db)},
        {each.id: each for each in read_connectivity(db)},
        _documents(db),
        _tools(db),
    )


def _documents(db: Db) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in rows(db, "SELECT id, agent_id FROM documents"):
        found[row["agent_id"]] = found.get(row["agent_id"], frozenset()) | {row["id"]}
    return found


def _tools(db: Db) -> dict[str, frozenset[tuple[str, int]]]:
    found: dict[str, frozenset[tuple[str, int]]] = {}
    for row in rows(db, "SELECT id, version, agent_id FROM http_tools"):
        found[row["agent_id"]] = found.get(row["agent_id"], frozenset()) | {(row["id"], row["version"])}
    return found


def delete_agent(db: Db, record_id: str) -> None:
    db.execute("DELETE FROM agents WHERE id = ?", (record_id,))


def set_should_run(db: Db, record_id: str, should_run: bool) -> None:
    """What a power cut must not forget."""
    db.execute("UPDATE agents SET should_run = ? WHERE id = ?", (should_run, record_id))


def _inbound_taken(db: Db, record: AgentRecord) -> Taken | None:
    for each in record.plan.attachments:
        found = rows(
            db,
            "SELECT agents.name AS by, connections.name AS place FROM attachments"
            " JOIN agents ON agents.id = agent_id JOIN connections ON connections.id = connection_id"
            " WHERE connection_id = ? AND inbound = 1 AND agent_id != ?",
            each.connection_id,
            record.id,
        )
        if each.inbound and found:
            return Taken("inbound", found[0]["by"], found[0]["place"])
    return None


def _agent(db: Db, row: dict[str, Any]) -> AgentRecord:
    attached = rows(db, "SELECT connection_id, inbound FROM attachments WHERE agent_id = ?", row["id"])
    plan = AgentPlan(
        settings=Agent.model_validate_json(row["settings"], extra="ignore"),
        attachments=tuple(_attachments(attached)),
        speech_to_text=row["speech_to_text"],
        text_to_speech=row["text_to_speech"],
        language_model=row["language_model"],
    )
    modified_at = datetime.fromisoformat(row["modified_at"])
    return AgentRecord(row["id"], row["version"], modified_at, plan, bool(row["should_run"]))


def _attachments(attached: Iterable[dict[str, Any]]) -> Iterable[Attachment]:
    return (Attachment(connection_id=each["connection_id"], inbound=bool(each["inbound"])) for each in attached)
