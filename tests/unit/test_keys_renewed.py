"""The keys of a box are renewed under its stored secrets; a process that is killed anywhere in it loses none."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import trio
from pydantic import SecretStr

from app.control.views import AgentPlan, Attachment
from app.settings import Account, Agent, Connection
from firmware.employer import Employer, opened_secret
from firmware.equipment import Equipment
from firmware.keeping.rotation import finish_renewal, renew_keys, reseal
from firmware.storage import SqliteLedger, ledger, records
from firmware.storage.database import open_database
from firmware.storage.schema import MIGRATIONS, migrate
from firmware.storage.sealed import SEALED
from firmware.switchboard import Switchboard
from firmware.vault import Vault, open_vault
from tests.patience import PATIENCE_S
from tests.unit.test_vault_crash import is_killed_at

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ACCOUNT = Account(name="Office", domain="pbx.lan", user="200")
SECRETS = {"password": SecretStr("correct horse"), "login": SecretStr("battery")}


def furnish(folder: Path) -> None:
    vault = open_vault(folder / "vault")
    sealed = {name: records.Sealed(vault.seal("connections", "c1", name, 3, each), 3) for name, each in SECRETS.items()}
    record = records.ConnectionRecord("c1", 3, NOW, ACCOUNT, sealed["password"], sealed["login"])
    with closing(open_database(folder / "box.sqlite", NOW)) as db:
        records.write_connection(db, record)


def renewed(folder: Path) -> None:
    """As `renew_keys`, in one thread, so that a child can be killed at each step."""
    vault = open_vault(folder / "vault")
    with closing(open_database(folder / "box.sqlite", NOW)) as db:
        vault.begin_rotation()
        db.execute("BEGIN IMMEDIATE")
        reseal(db, vault)
        db.execute("COMMIT")
        vault.finish_rotation()


def secrets(folder: Path, vault: Vault) -> dict[str, object]:
    with closing(open_database(folder / "box.sqlite", NOW)) as db:
        (record,) = records.read_connections(db)
    return {
        "password": opened_secret(vault, record, "password", record.password),
        "login": opened_secret(vault, record, "login", record.login),
    }


async def started(folder: Path) -> Vault:
    """What the box does with its keys at a start."""
    vault = open_vault(folder / "vault")
    async with ledger(folder / "box.sqlite") as store:
        await finish_renewal(store, vault)
    return vault


async def test_a_renewal_that_was_killed_is_finished_at_the_next_start(tmp_path: Path) -> None:
    cut_short = 0
    for step in range(1, 100):
        folder = tmp_path / str(step)
        folder.mkdir()
        furnish(folder)
        if not is_killed_at(step, lambda folder=folder: renewed(folder)):  # type: ignore[misc]  # a lambda's default
            break
        cut_short += open_vault(folder / "vault").is_rotating
        vault = await started(folder)
        assert not vault.is_rotating
        assert secrets(folder, open_vault(folder / "vault")) == SECRETS
    assert cut_short >= 2  # between the two replaced keysets


async def test_old_keys_open_nothing_any_more(tmp_path: Path) -> None:
    furnish(tmp_path)
    old = open_vault(tmp_path / "vault")
    async with ledger(tmp_path / "box.sqlite") as store:
        await renew_keys(store, open_vault(tmp_path / "vault"))
    assert SECRETS.items() & secrets(tmp_path, old).items() == set()
    assert secrets(tmp_path, open_vault(tmp_path / "vault")) == SECRETS


def test_every_sealed_column_is_known_to_the_renewal() -> None:
    """Whoever adds a secret to the schema is told here: a key that retires would take it along."""
    with closing(sqlite3.connect(":memory:")) as db:
        migrate(db, MIGRATIONS)
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        blobs = {
            (table, column[1])
            for table in tables
            for column in db.execute(f"PRAGMA table_info({table})")
            if column[2] == "BLOB"
        }
    assert blobs == {(table, name) for table, names in SEALED.items() for name in names}


async def test_a_start_without_a_renewal_touches_nothing(tmp_path: Path) -> None:
    furnish(tmp_path)
    before = (tmp_path / "vault" / "keyset.json").read_bytes()
    await started(tmp_path)
    assert await trio.Path(tmp_path / "vault" / "keyset.json").read_bytes() == before


class KeysAreRenewedMeanwhile:
    """In place of an agent's equipment, which takes seconds to get ready."""

    def __init__(self, store: SqliteLedger, vault: Vault) -> None:
        self._store, self._vault = store, vault

    @asynccontextmanager
    async def desk(self, *_: object) -> AsyncGenerator[None, None]:
        await renew_keys(self._store, self._vault)
        yield


class OneLine:
    """In place of the switchboard: notes with what the agent would register."""

    def __init__(self) -> None:
        self.used: list[Connection] = []

    @asynccontextmanager
    async def joined(self, _: str, connection: Connection, __: object) -> AsyncGenerator[None, None]:
        self.used.append(connection)
        yield


async def test_an_agent_that_is_just_starting_has_its_password_all_the_same(tmp_path: Path) -> None:
    furnish(tmp_path)
    vault, line = open_vault(tmp_path / "vault"), OneLine()
    async with ledger(tmp_path / "box.sqlite") as store, trio.open_nursery() as nursery:
        plan = AgentPlan(
            settings=Agent(name="Reception"),
            attachments=(Attachment(connection_id="c1"),),
            speech_to_text="box-ears",
            text_to_speech="box-voice-slt",
        )
        agent = records.AgentRecord("a1", 1, NOW, plan, should_run=True)
        await store.transact(lambda db: records.write_agent(db, agent))
        employer = Employer(
            store,
            vault,
            cast("Switchboard", line),
            ledger=store,
            equipment=cast("Equipment", KeysAreRenewedMeanwhile(store, vault)),
            changed=lambda _: None,
        )
        with trio.fail_after(PATIENCE_S):
            await employer.work("a1", nursery.cancel_scope.cancel)
    assert [(each.password, each.login) for each in line.used] == [(SECRETS["password"], SECRETS["login"])]
