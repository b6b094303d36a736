"""The page follows a factory reset of the box: the real control socket between the phone's part and the page's."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import trio

from firmware.control import run_control
from firmware.control.events import Events
from firmware.control.look import Scene
from firmware.control.resets import ResetVerbs
from firmware.keeping.reset import Extent, keep_promise, promise_reset, reset_promised
from firmware.lifetimes import serving
from firmware.storage import SqliteLedger
from provisioning import resets
from provisioning.client import Box
from provisioning.identity import Facts, facts, identity, identity_in
from provisioning.life import Life
from provisioning.names import Names
from provisioning.passwords import Passwords
from provisioning.sign_ins import SignIns
from provisioning.slate import Slate
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract


class Page:
    """A page in use, as one of its worker processes has it."""

    def __init__(self, folder: Path, socket: Path) -> None:
        folder.mkdir()
        self.folder, self.life, self.sign_ins = folder, Life(), SignIns(Slate.fresh())
        self.passwords, self.names, self.box = Passwords(folder), Names(["box.lan"], folder), Box(socket)
        self.names.learn("front-desk")
        identity(folder, list(self.names), ["127.0.0.1"])
        self.token = self.sign_ins.begin(time.monotonic())
        self.follower = resets.Follower(self.box, self.sign_ins, self.names, folder, self.life)

    @property
    def certificate(self) -> Facts:
        return facts(identity_in(self.folder))

    @property
    def is_new(self) -> bool:
        return not self.passwords.is_set and self.sign_ins.find(self.token, time.monotonic()) is None


@pytest.fixture
async def page(tmp_path: Path) -> AsyncGenerator[Page, None]:
    page = Page(tmp_path / "admin", tmp_path / "control.sock")
    await page.passwords.set_first("horse battery staple")
    yield page
    await page.box.close()


@asynccontextmanager
async def phone(data: Path) -> AsyncGenerator[Events, None]:
    """What the phone process tells of a reset, after its start."""
    await trio.to_thread.run_sync(keep_promise, data)
    events = Events()
    async with trio.open_nursery() as nursery:
        asked = ResetVerbs(cast("SqliteLedger", None), cast("Scene", None), data, lambda: None, nursery)
        answers = {"get_reset": asked.get_reset, "reset_followed": asked.reset_followed}
        async with serving(run_control, data / "control.sock", answers, events, _no_recording):
            yield events


async def _no_recording(_: str) -> Path | None:
    return None


async def until(done: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - files do not announce themselves
            await trio.sleep(0.02)


@pytest.mark.parametrize("extent", ["settings", "everything"])
async def test_a_page_that_comes_after_the_reset_follows(tmp_path: Path, page: Page, extent: Extent) -> None:
    before = page.certificate
    promise_reset(tmp_path, extent)
    async with phone(tmp_path), trio.open_nursery() as nursery:
        nursery.start_soon(page.follower.follow)
        await until(lambda: reset_promised(tmp_path) is None)
        assert page.is_new
        assert (page.certificate == before) is (extent == "settings")
        assert ("front-desk" in page.certificate.names) is (extent == "settings")
        await page.life.has_seen_secret.wait()
        nursery.cancel_scope.cancel()


async def test_a_page_that_was_there_all_the_time_follows(
    tmp_path: Path, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resets, "_RETRY_S", 0.02)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(page.follower.follow)
        async with phone(tmp_path) as events:
            await until(lambda: bool(events._listeners))
            assert not page.is_new
        promise_reset(tmp_path, "settings")
        async with phone(tmp_path):
            await until(lambda: page.is_new and reset_promised(tmp_path) is None)
        nursery.cancel_scope.cancel()


async def test_a_disk_that_forgets_nothing_is_tried_again(
    tmp_path: Path, page: Page, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resets, "_RETRY_S", 0.02)
    promise_reset(tmp_path, "settings")
    password = tmp_path / "admin" / "password"
    await trio.to_thread.run_sync(password.unlink)
    await trio.to_thread.run_sync(password.mkdir)  # cannot be unlinked, also by root
    async with phone(tmp_path), trio.open_nursery() as nursery:
        nursery.start_soon(page.follower.follow)
        await until(lambda: len(caplog.records) > 1)
        assert reset_promised(tmp_path)
        await trio.to_thread.run_sync(password.rmdir)
        await until(lambda: reset_promised(tmp_path) is None)
        nursery.cancel_scope.cancel()
