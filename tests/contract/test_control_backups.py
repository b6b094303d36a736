"""The verbs of backups on a real database and vault: made on one box, looked into and restored on another."""

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing
from pydantic import SecretStr, ValidationError

from app.agents.reception import Reception
from app.agents.roster import Roster
from app.control import keeping, verbs, views
from app.control.refusals import Refusal, Why
from app.engines import BoxVoice
from app.settings import Agent, Box, ConnectionDraft
from firmware import telephony
from firmware.control.agents import AgentVerbs
from firmware.control.backups import KEPT_S, BackupVerbs
from firmware.control.connections import ConnectionVerbs
from firmware.control.events import Events
from firmware.control.look import Scene
from firmware.employer import AtWork, opened_secret
from firmware.storage import (
    SqliteLedger,
    StorageFault,
    ledger,
    records,
)
from firmware.switchboard import Switchboard
from firmware.vault import BackupRefusal, Vault, open_vault, read_backup, write_backup

pytestmark = pytest.mark.contract

NO_TELEPHONE = cast("telephony.Endpoint", None)  # nothing here registers or calls
PASSPHRASE = SecretStr("three good words")
PASSWORD, LOGIN = "canary password", "canary login"


@dataclass(frozen=True, slots=True)
class Parts:
    store: SqliteLedger
    vault: Vault
    roster: Roster
    backups: BackupVerbs
    connections: ConnectionVerbs
    agents: AgentVerbs
    at_work: dict[str, AtWork] = field(default_factory=dict)


async def _works_until_stopped(_: str, running: Callable[[], None]) -> None:
    running()
    await trio.sleep_forever()


@asynccontextmanager
async def box(folder: Path) -> AsyncGenerator[Parts, None]:
    vault, events, at_work = open_vault(folder / "vault"), Events(), dict[str, AtWork]()
    async with ledger(folder / "box.sqlite") as store, trio.open_nursery() as nursery:
        roster = Roster(nursery, _works_until_stopped, lambda _: None)
        scene = Scene(roster, at_work, Switchboard(NO_TELEPHONE, nursery, lambda _: None), vault)
        yield Parts(
            store,
            vault,
            roster,
            BackupVerbs(store, scene, events, "0.1.0", nursery),
            ConnectionVerbs(store, vault, scene, NO_TELEPHONE, events),
            AgentVerbs(store, scene, events),
            at_work,
        )
        nursery.cancel_scope.cancel()


async def furnished(parts: Parts, name: str = "Office", *, agent: str = "Reception", running: bool = True) -> str:
    """A connection and an agent on it; the agent's id."""
    draft = {"name": name, "domain": "pbx.lan", "user": "200", "password": PASSWORD, "login": LOGIN}
    asked = verbs.CreateConnection(draft=ConnectionDraft.model_validate(draft))
    connection = await parts.connections.create_connection(asked)
    assert isinstance(connection, views.ConnectionView)
    plan = views.AgentPlan(
        settings=Agent(name=agent, greeting="Good day."),
        attachments=(views.Attachment(connection_id=connection.id, inbound=True),),
        speech_to_text="box-ears",
        text_to_speech="box-voice-slt",
    )
    made = await parts.agents.create_agent(verbs.CreateAgent(plan=plan))
    assert isinstance(made, views.AgentDetail)
    if running:
        await parts.agents.start_agent(verbs.ById(id=made.view.id))
    return made.view.id


async def made_on_another_box(folder: Path, agent: str = "Reception") -> str:
    async with box(folder) as other:
        await furnished(other, agent=agent)
        await other.store.transact(lambda db: records.write_box(db, Box(name="front-desk", retention_days=7), 1))
        return await made(other)


async def made(parts: Parts) -> str:
    file = await parts.backups.make_backup(keeping.MakeBackup(passphrase=PASSPHRASE))
    assert isinstance(file, keeping.FileView)
    assert file.name.startswith("deskbell-")
    assert file.name.endswith(".backup")
    return file.content_base64


async def previewed(parts: Parts, content: str) -> keeping.BackupPreview:
    preview = await parts.backups.preview_backup(keeping.OpenBackup(passphrase=PASSPHRASE, content_base64=content))
    assert isinstance(preview, keeping.BackupPreview)
    return preview


async def secrets_of(parts: Parts) -> list[object]:
    def read(db: records.Db) -> list[object]:
        return [
            opened_secret(parts.vault, each, name, sealed)
            for each in records.read_connections(db)
            for name, sealed in (("password", each.password), ("login", each.login))
        ]

    return await parts.store.transact(read)


async def everything(parts: Parts) -> object:
    def read(db: records.Db) -> object:
        return (
            records.read_box(db),
            records.read_connections(db),
            records.read_connectivity(db),
            records.read_agents(db),
        )

    return await parts.store.transact(read)


async def test_all_settings_come_to_another_box_and_take_the_place_of_its_own(tmp_path: Path) -> None:
    content = await made_on_another_box(tmp_path / "old")
    async with box(tmp_path / "new") as new:
        before = await furnished(new, "Workshop", agent="Night")
        preview = await previewed(new, content)
        assert await new.backups.restore_backup(keeping.RestoreBackup(id=preview.id)) == views.Nothing()
        await trio.testing.wait_all_tasks_blocked()
        (agent,) = (await new.agents.list_agents(verbs.Empty())).items
        assert (agent.name, agent.state, agent.kind) == ("Reception", views.AgentState.RUNNING, "Inbound")
        assert [each.name for each in agent.connections] == ["Office"]
        assert not new.roster.is_up(before)
        assert await secrets_of(new) == [SecretStr(PASSWORD), SecretStr(LOGIN)]
        _, settings = await new.store.transact(records.read_box)
        assert (settings.name, settings.retention_days) == ("front-desk", 7)
    async with box(tmp_path / "new") as again:  # on the disk, and readable with the renewed keys
        assert await secrets_of(again) == [SecretStr(PASSWORD), SecretStr(LOGIN)]


async def test_own_connectivity_comes_along_and_what_came_with_the_box_stays(tmp_path: Path) -> None:
    own = records.ConnectivityRecord("own", 1, "In the cellar", "", BoxVoice(voice="rms"), built_in=False)
    async with box(tmp_path / "old") as old:
        await old.store.transact(lambda db: records.write_connectivity(db, own))
        plan = views.AgentPlan(settings=Agent(name="Reception"), text_to_speech="own")
        await old.agents.create_agent(verbs.CreateAgent(plan=plan))
        content = await made(old)
    async with box(tmp_path / "new") as new:
        built_in = await new.store.transact(records.read_connectivity)
        preview = await previewed(new, content)
        assert preview.brings.connectivity == ("In the cellar",)
        await new.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        found = {each.id: each for each in await new.store.transact(records.read_connectivity)}
        assert found.keys() == {"own", *(each.id for each in built_in)}
        assert (found["own"].name, found["own"].engine) == ("In the cellar", BoxVoice(voice="rms"))
        (agent,) = await new.store.transact(records.read_agents)
        assert agent.plan.text_to_speech == "own"


async def test_the_file_shows_nothing_and_has_a_dated_name(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await furnished(b)
        file = await b.backups.make_backup(keeping.MakeBackup(passphrase=PASSPHRASE))
    assert isinstance(file, keeping.FileView)
    data = base64.b64decode(file.content_base64)
    assert file.name.removeprefix("deskbell-deskbell-").removesuffix(".backup").count("-") == 2
    for word in (PASSWORD, LOGIN, "pbx.lan", "Reception", PASSPHRASE.get_secret_value()):
        assert word.encode() not in data
        assert word not in repr(file)


async def test_a_preview_says_what_would_come_and_go_and_changes_nothing(tmp_path: Path) -> None:
    content = await made_on_another_box(tmp_path / "old")
    async with box(tmp_path / "new") as new:
        await furnished(new, "Workshop", agent="Night")
        before = await everything(new)
        preview = await previewed(new, content)
        assert await everything(new) == before
    assert preview.brings == keeping.Holdings(connections=("Office",), connectivity=(), agents=("Reception",))
    assert preview.replaces == keeping.Holdings(connections=("Workshop",), connectivity=(), agents=("Night",))
    assert (preview.box_name, preview.software, preview.starts) == ("front-desk", "0.1.0", ("Reception",))
    assert preview.retention_days == 7
    assert preview.without_password == ()


async def test_a_password_that_could_not_be_read_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await furnished(b)
    (tmp_path / "vault" / "kek").unlink()
    async with box(tmp_path) as b:
        preview = await previewed(b, await made(b))
        assert preview.without_password == ("Office",)
        await b.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert await secrets_of(b) == [None, None]


async def test_a_page_that_was_open_cannot_overwrite_what_was_restored(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        agent_id = await furnished(b)
        content = await made(b)
        opened = await b.agents.get_agent(verbs.ById(id=agent_id))
        assert isinstance(opened, views.AgentDetail)
        preview = await previewed(b, content)
        await b.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        saved = verbs.UpdateAgent(id=agent_id, if_version=opened.view.version, plan=opened.plan)
        told = await b.agents.update_agent(saved)
    assert isinstance(told, Refusal)
    assert told.why is Why.CHANGED_MEANWHILE


def repacked(content: str, change: Callable[[bytes], bytes]) -> str:
    """The same file with another payload, as a newer Deskbell might have made it."""
    payload = read_backup(PASSPHRASE, base64.b64decode(content))
    assert isinstance(payload, bytes)
    changed = zlib.compress(change(zlib.decompress(payload)))
    return base64.b64encode(write_backup(PASSPHRASE, changed)).decode()


def edited(content: str, change: Callable[[bytes], bytes]) -> str:
    return base64.b64encode(change(base64.b64decode(content))).decode()


BAD_FILES: dict[str, tuple[Callable[[str], str], BackupRefusal]] = {
    "newer file": (lambda good: edited(good, lambda data: data[:8] + b"\x02" + data[9:]), BackupRefusal.NEWER_VERSION),
    "newer format": (
        lambda good: repacked(good, lambda text: text.replace(b'"deskbell_backup":1', b'"deskbell_backup":2')),
        BackupRefusal.NEWER_VERSION,
    ),
    "newer field": (
        lambda good: repacked(good, lambda text: text.replace(b'"greeting"', b'"dialect":"","greeting"')),
        BackupRefusal.NEWER_VERSION,
    ),
    "newer kind": (
        lambda good: repacked(good, lambda text: text + b'\n{"kind":"campaign"}'),
        BackupRefusal.NEWER_VERSION,
    ),
    "newer voice": (
        lambda good: repacked(good, lambda text: text.replace(b"box-voice-slt", b"box-voice-new")),
        BackupRefusal.NEWER_VERSION,
    ),
    "cut short": (lambda good: edited(good, lambda data: data[:-1]), BackupRefusal.CUT_SHORT),
    "damaged": (lambda good: edited(good, lambda data: data[:-1] + bytes([data[-1] ^ 1])), BackupRefusal.DAMAGED),
    "an agent twice": (
        lambda good: repacked(good, lambda text: text + b"\n" + text.splitlines()[-1]),
        BackupRefusal.DAMAGED,
    ),
    "a line that is not there": (
        lambda good: repacked(good, lambda text: b"\n".join(text.splitlines()[::2])),
        BackupRefusal.DAMAGED,
    ),
    "grows without end": (lambda good: repacked(good, lambda _: bytes(17 * 2**20)), BackupRefusal.DAMAGED),
    "another file": (lambda _: base64.b64encode(b"%PDF-1.7").decode(), BackupRefusal.NOT_A_BACKUP),
    "no base64": (lambda _: "ä", BackupRefusal.NOT_A_BACKUP),
    "empty": (lambda _: "", BackupRefusal.NOT_A_BACKUP),
}


@pytest.mark.parametrize(("spoil", "why"), BAD_FILES.values(), ids=BAD_FILES.keys())
async def test_a_file_that_cannot_be_used_is_refused_with_its_reason(
    tmp_path: Path, spoil: Callable[[str], str], why: BackupRefusal
) -> None:
    content = spoil(await made_on_another_box(tmp_path / "old"))
    async with box(tmp_path / "new") as new:
        before = await everything(new)
        asked = keeping.OpenBackup(passphrase=PASSPHRASE, content_base64=content)
        refusal = await new.backups.preview_backup(asked)
        assert await everything(new) == before
    assert isinstance(refusal, Refusal)
    assert (refusal.why, refusal.fields) == (Why.INVALID, {"content_base64": why.value})


async def test_a_wrong_passphrase_is_told_at_its_field(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        asked = keeping.OpenBackup(passphrase=SecretStr("three bad words"), content_base64=await made(b))
        refusal = await b.backups.preview_backup(asked)
    assert isinstance(refusal, Refusal)
    assert refusal.fields == {"passphrase": BackupRefusal.WRONG_PASSPHRASE.value}


@pytest.mark.parametrize("weak", ["", "short", "password1", "x" * 129])
async def test_a_weak_passphrase_makes_no_backup(tmp_path: Path, weak: str) -> None:
    async with box(tmp_path) as b:
        refusal = await b.backups.make_backup(keeping.MakeBackup(passphrase=SecretStr(weak)))
    assert isinstance(refusal, Refusal)
    assert (refusal.why, [*refusal.fields]) == (Why.INVALID, ["passphrase"])


async def test_a_file_larger_than_any_backup_is_no_question(tmp_path: Path) -> None:
    largest = base64.b64encode(bytes(keeping.LARGEST_BACKUP)).decode()
    async with box(tmp_path) as b:
        asked = keeping.OpenBackup(passphrase=PASSPHRASE, content_base64=largest)
        assert isinstance(await b.backups.preview_backup(asked), Refusal)
    with pytest.raises(ValidationError):
        keeping.OpenBackup(passphrase=PASSPHRASE, content_base64=largest + "AAAA")


async def test_more_settings_than_a_file_can_hold_make_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with box(tmp_path) as b:
        await furnished(b)
        monkeypatch.setattr(keeping, "LARGEST_BACKUP", 100)
        refusal = await b.backups.make_backup(keeping.MakeBackup(passphrase=PASSPHRASE))
    assert isinstance(refusal, Refusal)
    assert refusal.why is Why.NOT_NOW


async def test_a_full_disk_changes_nothing_and_the_same_preview_can_be_restored_later(tmp_path: Path) -> None:
    async with box(tmp_path / "old") as old:
        settings = Agent(name="Reception", vocabulary=tuple(f"word {number}" for number in range(500)))
        await old.agents.create_agent(verbs.CreateAgent(plan=views.AgentPlan(settings=settings)))
        content = await made(old)
    async with box(tmp_path / "new") as new:
        running = await furnished(new, "Workshop", agent="Night")
        before = await everything(new)
        preview = await previewed(new, content)
        await new.store.transact(lambda db: db.execute("PRAGMA max_page_count = 1"))  # none more than there are
        with pytest.raises(StorageFault) as told:
            await new.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert told.value.full
        assert await everything(new) == before
        assert new.roster.state(running) is views.AgentState.RUNNING
        await new.store.transact(lambda db: db.execute("PRAGMA max_page_count = 100000"))
        assert await new.backups.restore_backup(keeping.RestoreBackup(id=preview.id)) == views.Nothing()


@dataclass
class Busy:
    opened: int = 1


async def test_a_call_that_goes_on_is_named_and_cut_off_only_on_confirmation(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        agent_id = await furnished(b)
        (agent,) = await b.store.transact(records.read_agents)
        b.at_work[agent_id] = AtWork(agent, {}, cast("Reception", Busy()))
        preview = await previewed(b, await made(b))
        refusal = await b.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert isinstance(refusal, Refusal)
        assert (refusal.why, refusal.names) == (Why.NOT_NOW, ("Reception",))
        assert "“Reception”" in refusal.text
        confirmed = keeping.RestoreBackup(id=preview.id, confirmed=True)
        assert await b.backups.restore_backup(confirmed) == views.Nothing()


async def test_one_preview_is_kept_for_ten_minutes(tmp_path: Path, mock_clock: trio.testing.MockClock) -> None:
    async with box(tmp_path) as b:
        content = await made(b)
        first, second = await previewed(b, content), await previewed(b, content)
        for lost in (first.id, "", "x" * 64):
            refusal = await b.backups.restore_backup(keeping.RestoreBackup(id=lost))
            assert isinstance(refusal, Refusal)
            assert refusal.why is Why.NOT_FOUND
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(KEPT_S + 1)
        await trio.testing.wait_all_tasks_blocked()
        refusal = await b.backups.restore_backup(keeping.RestoreBackup(id=second.id))
        assert isinstance(refusal, Refusal)
        assert "ten minutes" in refusal.text


async def test_a_restore_renews_the_keys(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await furnished(b)
        (before,) = await b.store.transact(records.read_connections)
        preview = await previewed(b, await made(b))
        await b.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert not b.vault.is_rotating
        assert not isinstance(opened_secret(b.vault, before, "password", before.password), SecretStr)
        assert await secrets_of(b) == [SecretStr(PASSWORD), SecretStr(LOGIN)]
