"""Files that agents know, as rows. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.brains.passages import Passage
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """`passages`: how many. `characters`: of all of them."""

    id: str
    agent_id: str
    name: str
    added_at: datetime
    passages: int
    characters: int


@dataclass(frozen=True, slots=True)
class NewDocument:
    id: str
    agent_id: str
    name: str
    added_at: datetime
    passages: Sequence[str] = field(repr=False)


def read_documents(db: Db, agent_id: str = "") -> list[DocumentRecord]:
    """By name; of all agents without `agent_id`."""
    found = rows(
        db,
        "SELECT documents.*, count(number) AS passages, coalesce(sum(length(text)), 0) AS characters FROM documents"
        " LEFT JOIN passages ON document_id = id WHERE ?1 = '' OR agent_id = ?1 GROUP BY id ORDER BY name",
        agent_id,
    )
    return [DocumentRecord(**row | {"added_at": datetime.fromisoformat(row["added_at"])}) for row in found]


def read_passages(db: Db, agent_id: str) -> list[Passage]:
    """All that the files of an agent say, file by file."""
    found = rows(
        db,
        "SELECT name AS file, number, text FROM documents JOIN passages ON document_id = id WHERE agent_id = ?"
        " ORDER BY name, number",
        agent_id,
    )
    return [Passage(**row) for row in found]


def read_texts(db: Db, document_id: str) -> list[str]:
    found = rows(db, "SELECT text FROM passages WHERE document_id = ? ORDER BY number", document_id)
    return [row["text"] for row in found]


def write_document(db: Db, document: NewDocument) -> None:
    """In place of the agent's file of the same name."""
    db.execute("DELETE FROM documents WHERE agent_id = ? AND name = ?", (document.agent_id, document.name))
    db.execute(
        "INSERT INTO documents (id, agent_id, name, added_at) VALUES (?, ?, ?, ?)",
        (document.id, document.agent_id, document.name, timestamp(document.added_at)),
    )
    db.executemany(
        "INSERT INTO passages (document_id, number, text) VALUES (?, ?, ?)",
        [(document.id, number, text) for number, text in enumerate(document.passages, start=1)],
    )


def delete_document(db: Db, document_id: str) -> bool:
    """False: there is none."""
    return db.execute("DELETE FROM documents WHERE id = ?", (document_id,)).rowcount == 1
