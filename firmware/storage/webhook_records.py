"""The webhook, and what it is to be told, as rows. Inside one transaction of `SqliteLedger.transact`.

A session that ended is *told* once its delivery is on the disk, in the same transaction; so a process that is killed at
any moment tells of it at the next start, and of none twice by mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.control.webhook import Webhook
from firmware.storage.outbox import Outbox
from firmware.storage.records import Db, Miss, Sealed, new_id, rows
from firmware.storage.schema import timestamp

ID = "call.ended"
"""Of the only webhook there is, and of its event."""

OUTBOX = Outbox("deliveries", "delivery_attempts", "delivery_id", personal=("body",))

_ENDED = (
    "SELECT sessions.*, calls.what, calls.agent_id, calls.dialled, calls.variables FROM sessions"
    " LEFT JOIN calls ON calls.session_id = sessions.id WHERE told = 0 AND outcome IS NOT NULL"
)
_TO_TELL = "(calls.what = 'call' OR (?1 AND calls.what IS NULL AND direction = 'inbound'))"
_NOT_TO_TELL = (
    "UPDATE sessions SET told = 1 WHERE told = 0 AND outcome IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM calls WHERE session_id = sessions.id AND what = 'call') AND NOT"
    " (?1 AND direction = 'inbound' AND NOT EXISTS (SELECT 1 FROM calls WHERE session_id = sessions.id))"
)


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    version: int
    settings: Webhook
    secret: Sealed | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """`attempts`: that were made so far."""

    id: str
    event: str
    body: str = field(repr=False)
    attempts: int
    next_at: datetime


def read_webhook(db: Db) -> WebhookRecord:
    """Version 0 where nobody has set one up yet."""
    found = rows(db, "SELECT * FROM webhook WHERE id = ?", ID)
    if not found:
        return WebhookRecord(0, Webhook(), None)
    row = found[0]
    secret = None if row["secret"] is None else Sealed(row["secret"], row["secret_revision"])
    return WebhookRecord(row["version"], Webhook.model_validate_json(row["settings"], extra="ignore"), secret)


def write_webhook(db: Db, record: WebhookRecord, if_version: int) -> Miss | None:
    """What ended while there was none is not told afterwards."""
    before = read_webhook(db)
    if before.version != if_version:
        return Miss.OVERTAKEN
    if not before.settings.url:
        db.execute("UPDATE sessions SET told = 1 WHERE told = 0 AND outcome IS NOT NULL")
    secret = (record.secret.data, record.secret.revision) if record.secret else (None, 0)
    values = (ID, record.version, record.settings.model_dump_json(), *secret)
    columns = "id, version, settings, secret, secret_revision"
    db.execute(f"INSERT OR REPLACE INTO webhook ({columns}) VALUES (?, ?, ?, ?, ?)", values)  # noqa: S608  # our own names
    return None


# -- what is to be told ----------------------------------------------------------------------------------------


def take_ended(db: Db, webhook: Webhook, body_of: Callable[[str, dict[str, Any]], str], now: datetime) -> None:
    """Sessions that ended become deliveries, as far as there is room. `body_of`: of a delivery's id and a session."""
    db.execute(_NOT_TO_TELL, (webhook.inbound,))
    for row in rows(db, f"{_ENDED} AND {_TO_TELL} ORDER BY sessions.id LIMIT ?2", webhook.inbound, OUTBOX.room(db)):
        delivery_id, at = new_id(), timestamp(now)
        db.execute(
            "INSERT INTO deliveries (id, event, session_id, body, created_at, next_at) VALUES (?, ?, ?, ?, ?, ?)",
            (delivery_id, ID, row["id"], body_of(delivery_id, row), at, at),
        )
        db.execute("UPDATE sessions SET told = 1 WHERE id = ?", (row["id"],))
    OUTBOX.forget_old(db)


def add_delivery(db: Db, event: str, told: Mapping[str, object], now: datetime) -> None:
    """Of what is no session. Nothing where there is no webhook: what happens then is not told afterwards."""
    if not read_webhook(db).settings.url:
        return
    delivery_id, at = new_id(), timestamp(now)
    body = json.dumps({"event": event, "delivery": delivery_id, **told}, ensure_ascii=False)
    db.execute(
        "INSERT INTO deliveries (id, event, body, created_at, next_at) VALUES (?, ?, ?, ?, ?)",
        (delivery_id, event, body, at, at),
    )


def read_waiting(db: Db, most: int) -> list[Delivery]:
    """Those whose time comes first."""
    return [
        Delivery(row["id"], row["event"], row["body"], row["attempts"], datetime.fromisoformat(row["next_at"]))
        for row in OUTBOX.waiting(db, most)
    ]
