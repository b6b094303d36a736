"""The page learns the name of the box from the phone process, over the real control socket."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from app.control import views
from app.control.verbs import Empty, Event, EventKind
from app.settings import Box as BoxSettings
from firmware.control import run_control
from firmware.control.events import Events
from firmware.lifetimes import serving
from provisioning.client import Box
from provisioning.names import Names, keep_learning, own_addresses
from tests.contract.test_control import no_recording
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

HEALTH = views.Health(
    temperature_c=None,
    memory_used_mb=1,
    memory_total_mb=2,
    disk_free_mb=1,
    disk_total_mb=2,
    load_1min=0,
    uptime_s=1,
    tick_gap_p999_ms=0,
    tick_gap_max_ms=0,
    clock_ok=True,
)


class Phone:
    """As much of the phone process as tells a name."""

    def __init__(self) -> None:
        self.name, self.events = "deskbell", Events()

    async def get_box(self, _: Empty) -> views.BoxView:
        return views.BoxView(
            version=1,
            settings=BoxSettings(name=self.name),
            software="0",
            host_name="host",
            now=datetime(2026, 11, 26, tzinfo=UTC),
            network=(),
            secrets_bound_by="a key file",
            health=HEALTH,
        )

    def rename(self, name: str) -> None:
        self.name = name
        self.events.tell(Event(kind=EventKind.SETTINGS))


async def _is(names: Names, box: str) -> None:
    with trio.fail_after(PATIENCE_S):
        while names.box != box:  # noqa: ASYNC110 - the name tells nobody
            await trio.sleep(0.01)


async def test_a_new_name_counts_at_once_and_is_remembered(tmp_path: Path) -> None:
    names, phone, box = Names(["host"], tmp_path), Phone(), Box(tmp_path / "control.sock")
    assert list(names) == ["deskbell.local", "deskbell", "host"]
    answers = {"get_box": phone.get_box}
    async with trio.open_nursery() as page:
        page.start_soon(keep_learning, names, box)
        async with serving(run_control, tmp_path / "control.sock", answers, phone.events, no_recording):
            phone.rename("front-desk")
            await _is(names, "front-desk")
            while not phone.events._listeners:  # noqa: ASYNC110
                await trio.sleep(0.01)
            phone.rename("back-desk")
            await _is(names, "back-desk")
        assert "back-desk.local" in names
        assert "front-desk.local" not in names
        page.cancel_scope.cancel()
    await box.close()
    assert Names([], tmp_path).box == "back-desk", "for a start while nobody can be asked"


async def test_a_full_disk_keeps_nobody_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = Names([], tmp_path)
    (tmp_path / "box-name.part").mkdir()
    with caplog.at_level(logging.WARNING):
        names.learn("front-desk")
    assert "front-desk" in names
    assert [record.getMessage() for record in caplog.records] == ["the name of the box cannot be remembered"]


def test_the_loopback_is_always_ours() -> None:
    assert own_addresses()[:2] == ["127.0.0.1", "::1"]
