"""Power cuts at every step of an attempt: nobody is called twice for one attempt, and nobody is forgotten.

The power is cut by copying the files of the database as they are at that moment, and going on with the copies: what was
only told to the ledger is lost, and what the telephone did is not. The telephones are the test's, and count.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar, cast

import pytest
import trio

from app.control import verbs
from firmware.storage import SqliteLedger
from firmware.storage.records import Db
from tests.contract.campaign_box import CampaignBox, box

pytestmark = pytest.mark.contract

T = TypeVar("T")
NUMBERS = ("030 1234567", "030 7654321")
PATIENT = [{"after": "unknown", "attempts": 10, "wait_minutes": 1}, {"after": "busy", "wait_minutes": 1}]
"""Retries: each cut costs an attempt that nobody knows the outcome of."""

MOST_STEPS = 60


@dataclass
class Power:
    """Goes off at the step of this number; the files of the database are in `left` then. Steps are: after each
    transaction that changed something; before and after somebody is dialled; when the call is answered; when it is
    over."""

    folder: Path
    left: Path
    off_at: int
    steps: int = 0
    off: trio.Event = field(default_factory=trio.Event)
    store: SqliteLedger | None = None

    async def step(self) -> None:
        self.steps += 1
        if self.steps == self.off_at:
            assert self.store
            await trio.to_thread.run_sync(self._copy, limiter=self.store._entries.one_thread)
            self.off.set()
        if self.off.is_set():
            await trio.sleep_forever()

    def _copy(self) -> None:
        self.left.mkdir()
        for end in ("", "-wal"):
            shutil.copyfile(self.folder / f"box.sqlite{end}", self.left / f"box.sqlite{end}")

    def watch(self, store: SqliteLedger) -> SqliteLedger:
        self.store = store
        return cast("SqliteLedger", _Watched(store, self))


class _Watched:
    """The store, with a step after each transaction that changed something."""

    def __init__(self, store: SqliteLedger, power: Power) -> None:
        self._store, self._power = store, power

    async def transact(self, work: Callable[[Db], T]) -> T:
        def counted(db: Db) -> tuple[T, bool]:
            before = db.total_changes
            done = work(db)
            return done, db.total_changes != before

        done, changed = await self._store.transact(counted)
        if changed:
            await self._power.step()
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@dataclass
class World:
    """What the telephones saw, over all lives of the box: who was dialled for which call."""

    calls: list[tuple[str, str]] = field(default_factory=list)


async def live(folder: Path, left: Path, off_at: int, world: World, *, first: bool) -> bool:
    """The box works until the campaign is done, or the power goes; True: it is done."""
    power = Power(folder, left, off_at)
    async with box(folder, watch=power.watch) as b, trio.open_nursery() as nursery:
        nursery.start_soon(_people, b, power, world)
        nursery.start_soon(_work, b, first, nursery.cancel_scope)
        await power.off.wait()
        nursery.cancel_scope.cancel()
    return not power.off.is_set()


async def _work(b: CampaignBox, first: bool, life: trio.CancelScope) -> None:
    """Begin if nobody has, and let time pass until everybody is done."""
    if first:
        await b.running(*NUMBERS, retries=PATIENT)
    [campaign] = (await b.campaigns.list_campaigns(verbs.Empty())).items
    while (await b.view(campaign.id)).state != "done":
        b.later(minutes=20)
        await trio.sleep(0.02)
    life.cancel()


async def _people(b: CampaignBox, power: Power, world: World) -> None:
    """The first call of each number meets a busy line, the others are answered, and hung up."""
    dial = b.line.dial

    async def dialled(target: str, call_id: str) -> object:
        await power.step()
        world.calls.append((target, call_id))
        phone = await dial(target, call_id)
        await power.step()
        return phone

    b.line.dial = dialled  # type: ignore[method-assign, assignment]
    number = 0
    while True:
        number += 1
        while len(b.line.phones) < number:  # noqa: ASYNC110
            await trio.sleep(0.002)
        phone = b.line.phones[number - 1]
        if Counter(target for target, _ in world.calls)[world.calls[-1][0]] == 1:
            phone.refuse(486, "Busy Here")
        else:
            await phone.answer()
            await power.step()
            await b.hang_up(number)
        await power.step()


def is_right(folder: Path, world: World) -> None:
    """Each attempt was dialled once at most, each that came to something once; everybody was reached in the end."""
    with closing(sqlite3.connect(folder / "box.sqlite")) as db:
        attempts = db.execute("SELECT call_id, outcome FROM attempts").fetchall()
        states = db.execute("SELECT place, status, outcome FROM participants").fetchall()
        open_ = db.execute("SELECT count(*) FROM communications WHERE status = 'Started'").fetchone()
    dials = Counter(call_id for _, call_id in world.calls)
    assert set(dials) <= {call_id for call_id, _ in attempts}, "who was called is on record"
    assert max(dials.values()) == 1, "nobody twice for one attempt"
    assert all(dials[call_id] == 1 for call_id, outcome in attempts if outcome != "unknown")
    assert states == [("done", "Completed", "answered")] * len(NUMBERS), "nobody is forgotten"
    assert open_ == (0,)


async def test_the_power_goes_at_each_step(tmp_path: Path) -> None:
    for off_at in range(1, MOST_STEPS):
        folder, left, world = tmp_path / f"{off_at}", tmp_path / f"{off_at} left", World()
        folder.mkdir()
        if await live(folder, left, off_at, world, first=True):
            assert off_at > 20, "there are that many steps"
            is_right(folder, world)
            return
        assert await live(left, tmp_path / "none", 0, world, first=not _has_begun(left))
        is_right(left, world)
    pytest.fail("it has more steps than that")


@pytest.mark.parametrize("seed", range(3))
async def test_the_power_goes_again_and_again(tmp_path: Path, seed: int) -> None:
    dice, world = Random(seed), World()
    folder = tmp_path / "0"
    folder.mkdir()
    for cut in range(8):
        left = tmp_path / f"{cut + 1}"
        if await live(folder, left, dice.randint(1, 12), world, first=not _has_begun(folder)):
            break
        folder = left
    else:
        assert await live(folder, tmp_path / "none", 0, world, first=False)
    is_right(folder, world)


def _has_begun(folder: Path) -> bool:
    if not (folder / "box.sqlite").exists():
        return False
    with closing(sqlite3.connect(folder / "box.sqlite")) as db:
        return bool(db.execute("SELECT 1 FROM campaigns").fetchone())
