"""API tokens as rows: known by the hash of the token. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.control.views import Scope
from firmware.storage.records import Db, Taken, name_taken, rows
from firmware.storage.schema import timestamp


@dataclass(frozen=True, slots=True)
class TokenRecord:
    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None


def read_tokens(db: Db) -> list[TokenRecord]:
    return [_token(row) for row in rows(db, "SELECT * FROM tokens ORDER BY name COLLATE NOCASE")]


def find_token(db: Db, sha256: str) -> TokenRecord | None:
    """`sha256`: of the token, in hex."""
    found = rows(db, "SELECT * FROM tokens WHERE sha256 = ?", sha256)
    return _token(found[0]) if found else None


def add_token(db: Db, record: TokenRecord, sha256: str) -> Taken | None:
    if taken := name_taken(db, "tokens", record.name, record.id):
        return taken
    scopes = " ".join(each.value for each in record.scopes)
    db.execute(
        "INSERT INTO tokens (id, name, scopes, sha256, created_at) VALUES (?, ?, ?, ?, ?)",
        (record.id, record.name, scopes, sha256, timestamp(record.created_at)),
    )
    return None


def note_use(db: Db, record_id: str, at: datetime) -> None:
    db.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (timestamp(at), record_id))


def delete_token(db: Db, record_id: str) -> bool:
    """False if there was none."""
    return db.execute("DELETE FROM tokens WHERE id = ?", (record_id,)).rowcount > 0


def _token(row: dict[str, Any]) -> TokenRecord:
    """A scope that only a newer version knows is none here."""
    known = tuple(scope for scope in Scope if scope.value in row["scopes"].split())
    used = row["last_used_at"]
    return TokenRecord(
        row["id"],
        row["name"],
        known,
        datetime.fromisoformat(row["created_at"]),
        datetime.fromisoformat(used) if used else None,
    )
