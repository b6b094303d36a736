"""A factory reset that was promised is done, whatever happens: killed at each step, done twice, on a damaged box."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.control.views import AgentPlan, Attachment
from app.engines import BoxVoice
from app.settings import Account, Agent, Box
from firmware.board import home
from firmware.data_folder import DATABASE, PACKS, RECORDINGS, VAULT
from firmware.keeping.reset import (
    Extent,
    ResetUnfinished,
    forget_promise,
    keep_promise,
    promise_reset,
    reset_promised,
)
from firmware.storage import forgetting, records
from firmware.storage.database import open_database
from firmware.vault import Unreadable, open_vault
from tests.unit.test_vault_crash import is_killed_at

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, tzinfo=UTC)
CANARY = "canary.example"
EXTENTS: tuple[Extent, ...] = ("settings", "everything")


def furnish(data: Path) -> None:
    """A row in every table, a recording, and a secret."""
    data.mkdir(parents=True)
    vault = open_vault(data / VAULT)
    sealed = records.Sealed(vault.seal("connections", "c1", "password", 1, SecretStr("correct horse")), 1)
    account = Account(name="Office", domain=CANARY, user="200")
    plan = AgentPlan(
        settings=Agent(name="Reception", greeting=CANARY),
        attachments=(Attachment(connection_id="c1", inbound=True),),
        speech_to_text="box-ears",
        text_to_speech="own",
    )
    with closing(open_database(data / DATABASE, NOW)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        records.write_box(db, Box(name="front-desk", retention_days=7), 1)
        records.write_connection(db, records.ConnectionRecord("c1", 1, NOW, account, sealed, None))
        own = records.ConnectivityRecord("own", 1, CANARY, "", BoxVoice(), built_in=False)
        records.write_connectivity(db, own)
        records.write_agent(db, records.AgentRecord("a1", 1, NOW, plan, should_run=True))
        for table in tables(db):
            fill(db, table)
    (data / home.FILE).write_text("[]")
    (data / RECORDINGS).mkdir()
    (data / RECORDINGS / "s1.flac").write_bytes(CANARY.encode())
    (data / PACKS / "amy").mkdir(parents=True)


def fill(db: sqlite3.Connection, table: str) -> None:
    """A row, where there is none: also in tables that others add."""
    if db.execute(f"SELECT 1 FROM {table}").fetchone():  # noqa: S608
        return
    word = "heard" if table in forgetting.KEPT else CANARY
    columns = [(name, kind) for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")]
    row = [
        1 if kind in ("INTEGER", "REAL") else "s1" if name in ("id", "session_id") else word for name, kind in columns
    ]
    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608


def tables(db: sqlite3.Connection) -> list[str]:
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    return sorted(name for (name,) in found)


def contents(path: Path) -> dict[str, list[object]]:
    with closing(open_database(path, NOW)) as db:
        found = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables(db)}  # noqa: S608
    del found["box"]  # see `box_of`
    return found


def box_of(data: Path) -> Box:
    with closing(open_database(data / DATABASE, NOW)) as db:
        return records.read_box(db)[1]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    """What a new box has."""
    return contents(tmp_path_factory.mktemp("new") / DATABASE)


@pytest.fixture(scope="module")
def in_use(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a box in use, to be copied."""
    data = tmp_path_factory.mktemp("in use") / "data"
    furnish(data)
    return data


@pytest.fixture
def data(in_use: Path, tmp_path: Path) -> Path:
    return shutil.copytree(in_use, tmp_path / "data")


def is_reset(data: Path, extent: Extent, new: dict[str, list[object]]) -> None:
    """Every secret and setting is gone; with "settings", what was heard, recorded and asked for is not."""
    kept = forgetting.KEPT if extent == "settings" else frozenset()
    found = contents(data / DATABASE)
    assert {table: rows for table, rows in found.items() if table not in kept} == {
        table: rows for table, rows in new.items() if table not in kept
    }
    assert {table: len(rows) for table, rows in found.items() if table in kept} == dict.fromkeys(kept, 1)
    assert not (data / home.FILE).exists(), "it is at home wherever it is"
    assert (data / RECORDINGS / "s1.flac").exists() is (extent == "settings")
    assert (data / PACKS / "amy").exists() is (extent == "settings")
    assert box_of(data) == (Box(retention_days=7) if extent == "settings" else Box())  # it belongs to the sessions


def stored_secret(data: Path) -> bytes:
    with closing(open_database(data / DATABASE, NOW)) as db:
        (record,) = records.read_connections(db)
    assert record.password
    return record.password.data


def opens(data: Path, sealed: bytes) -> bool:
    return not isinstance(open_vault(data / VAULT).unseal("connections", "c1", "password", 1, sealed), Unreadable)


def test_sessions_stay_whole_and_nobody_who_asked_not_to_be_called_is_called() -> None:
    """All that the pages of sessions show of a call."""
    assert {"sessions", "messages", "turns", "notes"} | {"do_not_call"} == forgetting.KEPT


@pytest.mark.parametrize("extent", EXTENTS)
def test_a_reset_that_was_killed_is_finished_at_the_next_start(
    tmp_path: Path, in_use: Path, new: dict[str, list[object]], extent: Extent
) -> None:
    steps = 0
    for steps in range(1, 200):
        data = shutil.copytree(in_use, tmp_path / str(steps))
        sealed = stored_secret(data)
        promise_reset(data, extent)
        if not is_killed_at(steps, lambda data=data: keep_promise(data)):  # type: ignore[misc]  # a lambda's default
            break
        keep_promise(data)
        is_reset(data, extent, new)
        assert not opens(data, sealed)
        promise = reset_promised(data)
        assert promise
        assert promise.done
    assert steps > 12  # two key files, written over and removed; rows or files; the note


@pytest.mark.parametrize("extent", EXTENTS)
def test_a_promise_that_was_cut_short_is_none_or_one(tmp_path: Path, extent: Extent) -> None:
    for step in range(1, 50):
        data = tmp_path / str(step)
        data.mkdir()
        if not is_killed_at(step, lambda data=data: promise_reset(data, extent)):  # type: ignore[misc]
            break
        keep_promise(data)
        promise = reset_promised(data)
        assert promise is None or (promise.extent == extent and promise.done)


@pytest.mark.parametrize("extent", EXTENTS)
def test_nothing_that_was_set_is_left_in_any_file(data: Path, extent: Extent) -> None:
    promise_reset(data, extent)
    keep_promise(data)
    holding = {file.name for file in data.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()}
    assert holding == ({"s1.flac"} if extent == "settings" else set())


def test_without_a_promise_nothing_happens(data: Path) -> None:
    before = contents(data / DATABASE)
    keep_promise(data)
    assert contents(data / DATABASE) == before
    assert opens(data, stored_secret(data))


def test_a_reset_is_done_once(data: Path) -> None:
    promise_reset(data, "settings")
    keep_promise(data)
    with closing(open_database(data / DATABASE, NOW)) as db:
        records.write_connection(
            db,
            records.ConnectionRecord("c2", 1, NOW, Account(name="New", domain="pbx.lan", user="200"), None, None),
        )
    keep_promise(data)
    with closing(open_database(data / DATABASE, NOW)) as db:
        assert [each.id for each in records.read_connections(db)] == ["c2"]


def test_a_promise_is_forgotten_by_its_own_id_once_it_is_kept(tmp_path: Path) -> None:
    promise_reset(tmp_path, "everything")
    promise = reset_promised(tmp_path)
    assert promise
    forget_promise(tmp_path, promise.id)
    assert reset_promised(tmp_path) == promise, "it is not done yet"
    keep_promise(tmp_path)
    forget_promise(tmp_path, "another")
    assert reset_promised(tmp_path)
    forget_promise(tmp_path, promise.id)
    assert reset_promised(tmp_path) is None
    forget_promise(tmp_path, promise.id)


def test_a_damaged_note_resets_nothing(data: Path) -> None:
    (data / "factory-reset.json").write_text('{"id": "x", "extent": "the neighbours"}')
    keep_promise(data)
    assert opens(data, stored_secret(data))
    assert (data / "factory-reset.json.damaged-1").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: (data / DATABASE).unlink(),
        lambda data: (data / DATABASE).write_bytes(b"no database at all" * 1000),
        lambda data: (data / VAULT / "keyset.json").write_text("{"),
        lambda data: [file.unlink() for file in (data / VAULT).iterdir()],
    ],
    ids=["no database", "a damaged database", "a damaged keyset", "no keys"],
)
def test_a_box_that_is_out_of_order_can_be_reset(
    data: Path, new: dict[str, list[object]], spoil: Callable[[Path], object]
) -> None:
    spoil(data)
    promise_reset(data, "everything")
    keep_promise(data)
    is_reset(data, "everything", new)


def test_a_reset_that_cannot_be_done_says_why_and_stays_promised(data: Path, new: dict[str, list[object]]) -> None:
    sealed = stored_secret(data)
    (data / RECORDINGS).rename(data / "elsewhere")
    (data / RECORDINGS).write_text("no folder")
    promise_reset(data, "everything")
    with pytest.raises(ResetUnfinished, match="goes as soon as this is mended"):
        keep_promise(data)
    assert not opens(data, sealed), "the keys went first"
    (data / RECORDINGS).unlink()
    keep_promise(data)
    is_reset(data, "everything", new)
