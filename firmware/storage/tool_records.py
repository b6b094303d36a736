"""HTTP tools of agents, as rows. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.http_tools import HttpTool, function_name
from firmware.storage.records import Db, Sealed, Taken, rows

TABLE = "http_tools"


@dataclass(frozen=True, slots=True)
class ToolRecord:
    """`headers`: a JSON object of names and values, sealed; None where it sends none."""

    id: str
    agent_id: str
    version: int
    tool: HttpTool
    headers: Sealed | None = None


def read_tools(db: Db, agent_id: str = "") -> list[ToolRecord]:
    """By name; of all agents without `agent_id`."""
    found = rows(db, "SELECT * FROM http_tools WHERE ?1 = '' OR agent_id = ?1 ORDER BY called", agent_id)
    return [_tool(row) for row in found]


def read_tool(db: Db, agent_id: str, tool_id: str) -> ToolRecord | None:
    found = rows(db, "SELECT * FROM http_tools WHERE agent_id = ? AND id = ?", agent_id, tool_id)
    return _tool(found[0]) if found else None


def write_tool(db: Db, record: ToolRecord) -> Taken | None:
    """Insert, or replace the record of this id."""
    for other in read_tools(db, record.agent_id):
        if other.id != record.id and function_name(other.tool.name) == function_name(record.tool.name):
            return Taken("name", other.tool.name)
    sealed = (record.headers.data, record.headers.revision) if record.headers else (None, 0)
    db.execute(
        "INSERT INTO http_tools (id, agent_id, version, called, settings, headers, headers_revision)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version,"
        " called = excluded.called, settings = excluded.settings, headers = excluded.headers,"
        " headers_revision = excluded.headers_revision",
        (
            record.id,
            record.agent_id,
            record.version,
            function_name(record.tool.name),
            record.tool.model_dump_json(),
            *sealed,
        ),
    )
    return None


def delete_tool(db: Db, tool_id: str) -> None:
    db.execute("DELETE FROM http_tools WHERE id = ?", (tool_id,))


def _tool(row: dict[str, Any]) -> ToolRecord:
    headers = None if row["headers"] is None else Sealed(row["headers"], row["headers_revision"])
    tool = HttpTool.model_validate_json(row["settings"], extra="ignore")
    return ToolRecord(row["id"], row["agent_id"], row["version"], tool, headers)
