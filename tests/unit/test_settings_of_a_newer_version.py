"""After an update that was rolled back: what the newer version stored is read, without what only it knew."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.control.mail import MailServer
from app.control.views import AgentPlan
from app.control.webhook import Webhook
from app.settings import Account, Agent, Box, Knowledge, ResultField
from firmware.storage import SqliteLedger, ledger, letter_records, records, webhook_records

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ACCOUNT = Account(name="Office", domain="pbx.office.lan", user="200")
AGENT = Agent(
    name="Reception",
    knowledge=(Knowledge(questions=("where are you",), answer="Here."),),
    result_fields=(ResultField(name="coming", type="yes-no", question="Can you come?"),),
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with ledger(tmp_path / "deskbell.sqlite") as opened:
        yield opened


async def newer(store: SqliteLedger, table: str, column: str) -> None:
    """As if a newer version had saved each row, with something more in every object of it."""

    def grow(db: records.Db) -> None:
        for row in records.rows(db, f"SELECT rowid AS place, {column} FROM {table}"):  # noqa: S608  # our own tables
            grown = json.dumps(_grown(json.loads(row[column])))
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (grown, row["place"]))  # noqa: S608

    await store.transact(grow)


def _grown(value: object) -> object:
    match value:
        case dict():
            return {key: _grown(each) for key, each in value.items()} | {"only_the_newer_knows": {"a": 1}}
        case list():
            return [_grown(each) for each in value]
        case _:
            return value


async def test_the_box(store: SqliteLedger) -> None:
    assert await store.transact(lambda db: records.write_box(db, Box(name="front-desk"), 1)) is None
    await newer(store, "box", "settings")
    assert await store.transact(records.read_box) == (2, Box(name="front-desk"))


async def test_a_connection(store: SqliteLedger) -> None:
    record = records.ConnectionRecord("c1", 1, NOW, ACCOUNT, None, None)
    await store.transact(lambda db: records.write_connection(db, record))
    await newer(store, "connections", "account")
    assert await store.transact(records.read_connections) == [record]


async def test_connectivity(store: SqliteLedger) -> None:
    before = await store.transact(records.read_connectivity)
    await newer(store, "connectivity", "settings")
    assert await store.transact(records.read_connectivity) == before != []


async def test_the_webhook(store: SqliteLedger) -> None:
    record = webhook_records.WebhookRecord(1, Webhook(url="https://crm.example/calls"), None)
    assert await store.transact(lambda db: webhook_records.write_webhook(db, record, 0)) is None
    await newer(store, "webhook", "settings")
    assert await store.transact(webhook_records.read_webhook) == record


async def test_the_mail_server(store: SqliteLedger) -> None:
    record = letter_records.MailRecord(1, MailServer(host="mail.lan", sender="box@office.example"), None)
    assert await store.transact(lambda db: letter_records.write_server(db, record, 0, NOW)) is None
    await newer(store, "mail_server", "settings")
    assert await store.transact(letter_records.read_server) == record


async def test_an_agent(store: SqliteLedger) -> None:
    record = records.AgentRecord("a1", 1, NOW, AgentPlan(settings=AGENT), should_run=True)
    await store.transact(lambda db: records.write_agent(db, record))
    await newer(store, "agents", "settings")
    assert await store.transact(records.read_agents) == [record]
