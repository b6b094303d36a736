"""The verbs of the factory reset on a real data folder; what starts the process again is not here."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing
from pydantic import SecretStr

from app.agents.roster import Roster
from app.control import keeping, verbs, views
from app.control.refusals import Refusal, Why
from app.settings import Box
from firmware.control.look import Scene
from firmware.control.resets import ANSWER_S, ResetVerbs
from firmware.data_folder import DATABASE, VAULT
from firmware.employer import AtWork
from firmware.keeping.reset import keep_promise, reset_promised
from firmware.storage import ledger, records
from firmware.switchboard import Switchboard
from firmware.vault import Unreadable, Vault, open_vault

pytestmark = pytest.mark.contract


@dataclass
class Parts:
    resets: ResetVerbs
    vault: Vault
    at_work: dict[str, AtWork]
    left_at_s: list[float] = field(default_factory=list)


@asynccontextmanager
async def box(data: Path) -> AsyncGenerator[Parts, None]:
    vault, at_work, left_at_s = open_vault(data / VAULT), dict[str, AtWork](), list[float]()
    async with ledger(data / DATABASE) as store, trio.open_nursery() as nursery:
        _, settings = await store.transact(records.read_box)
        if settings.name == "deskbell":
            await store.transact(lambda db: records.write_box(db, Box(name="front-desk"), 1))
        scene = Scene(cast("Roster", None), at_work, cast("Switchboard", None), vault)
        leave = lambda: left_at_s.append(trio.current_time())  # noqa: E731
        yield Parts(ResetVerbs(store, scene, data, leave, nursery), vault, at_work, left_at_s)
        nursery.cancel_scope.cancel()


def asked(extent: str = "settings", box_name: str = "front-desk", *, confirmed: bool = False) -> keeping.FactoryReset:
    return keeping.FactoryReset.model_validate({"extent": extent, "box_name": box_name, "confirmed": confirmed})


@pytest.mark.parametrize("typed", ["front-desk", "  Front-Desk "])
async def test_a_reset_is_promised_and_the_process_leaves_after_its_answer(
    tmp_path: Path, typed: str, mock_clock: trio.testing.MockClock
) -> None:
    async with box(tmp_path) as b:
        sealed = b.vault.seal("connections", "c1", "password", 1, SecretStr("canary"))
        assert await b.resets.factory_reset(asked(box_name=typed)) == views.Nothing()
        assert isinstance(open_vault(tmp_path / VAULT).unseal("connections", "c1", "password", 1, sealed), Unreadable)
        promise = reset_promised(tmp_path)
        assert promise
        assert (promise.extent, promise.done, b.left_at_s) == ("settings", False, [])
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(ANSWER_S)
        await trio.testing.wait_all_tasks_blocked()
        assert len(b.left_at_s) == 1


@pytest.mark.parametrize("typed", ["", "deskbell", "front desk"])
async def test_another_name_resets_nothing_and_is_told_at_its_field(tmp_path: Path, typed: str) -> None:
    async with box(tmp_path) as b:
        refusal = await b.resets.factory_reset(asked(box_name=typed))
    assert isinstance(refusal, Refusal)
    assert (refusal.why, [*refusal.fields]) == (Why.INVALID, ["box_name"])
    assert reset_promised(tmp_path) is None


@dataclass
class Busy:
    opened: int = 1


async def test_a_call_that_goes_on_is_named_and_cut_off_only_on_confirmation(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        plan = views.AgentPlan.model_validate({"settings": {"name": "Reception"}})
        agent = records.AgentRecord("a1", 1, cast("object", None), plan, should_run=True)  # type: ignore[arg-type]
        b.at_work["a1"] = AtWork(agent, {}, cast("object", Busy()))  # type: ignore[arg-type]
        refusal = await b.resets.factory_reset(asked())
        assert isinstance(refusal, Refusal)
        assert (refusal.why, refusal.names) == (Why.NOT_NOW, ("Reception",))
        assert reset_promised(tmp_path) is None
        assert await b.resets.factory_reset(asked(confirmed=True)) == views.Nothing()


@pytest.mark.parametrize(("number", "why"), [(errno.ENOSPC, Why.NO_SPACE), (errno.EIO, Why.BOX_FAULT)])
async def test_a_disk_that_takes_no_promise_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: Why
) -> None:
    def broken(_: int) -> None:
        raise OSError(number, os.strerror(number))

    async with box(tmp_path) as b:
        sealed = b.vault.seal("connections", "c1", "password", 1, SecretStr("canary"))
        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", broken)
            refusal = await b.resets.factory_reset(asked())
        assert b.vault.unseal("connections", "c1", "password", 1, sealed) == SecretStr("canary")
    assert isinstance(refusal, Refusal)
    assert refusal.why is why
    assert reset_promised(tmp_path) is None


async def test_the_page_follows_once_the_box_is_reset(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        assert await b.resets.get_reset(verbs.Empty()) == keeping.ResetToFollow(id="", extent="")
        await b.resets.factory_reset(asked("everything"))
        assert await b.resets.get_reset(verbs.Empty()) == keeping.ResetToFollow(id="", extent=""), "not done yet"
    await trio.to_thread.run_sync(keep_promise, tmp_path)
    async with box(tmp_path) as b:
        reset = await b.resets.get_reset(verbs.Empty())
        assert reset.extent == "everything"
        await b.resets.reset_followed(verbs.ById(id="another"))
        assert await b.resets.get_reset(verbs.Empty()) == reset
        await b.resets.reset_followed(verbs.ById(id=reset.id))
        assert await b.resets.get_reset(verbs.Empty()) == keeping.ResetToFollow(id="", extent="")
