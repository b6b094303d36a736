"""A box without a battery clock: it wakes up in 1970, works, and learns the time while it runs. libfaketime says what
time it is; no other clock is touched."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from cryptography import x509

from app.control import views
from provisioning.client import Box
from tests.bench.processes import tree_of
from tests.office.pbx import Pbx, office_pbx
from tests.patience import PATIENCE_S
from tests.web.appliance import PASSWORD, PBX_RTP, Appliance, appliance
from tests.web.content import furnish
from tests.web.forms import text_of
from tests.web.visitor import Visitor, visitor
from tests.wire.memory import living
from tests.wire.test_box import ask

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]

FIVE_PAST_S = 300


@dataclass(frozen=True, slots=True)
class Clock:
    """What the time is for the box, in a file that libfaketime reads once a second."""

    file: Path

    def wake_in_1970(self) -> None:
        self.file.write_text(f"-{int(time.time()) - FIVE_PAST_S}\n")

    def be_right(self) -> None:
        self.file.write_text("+0\n")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    made = Clock(tmp_path / "clock")
    made.wake_in_1970()
    return made


def _pretend(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the processes that are started from here on. The clock that nobody sets goes on as it is."""
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(clock.file))
    monkeypatch.setenv("FAKETIME_CACHE_DURATION", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")


async def test_a_box_in_1970_works_and_loses_nothing_when_it_learns_the_time(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx:
        _pretend(clock, monkeypatch)
        async with appliance(tmp_path) as page:
            monkeypatch.undo()
            box, certificate = Box(page.data / "control.sock"), tmp_path / "admin" / "certificate.pem"
            try:
                async with visitor(page.address, certificate) as somebody:
                    await somebody.first_boot(page.set_up_code, PASSWORD)
                    _lasts_for_years(certificate)
                    agent = await furnish(box, pbx, connections=1, agents=1)
                    await _works_in_1970(somebody, box, pbx, agent, tmp_path)
                    clock.be_right()
                    await _goes_on(somebody, box, agent)
            finally:
                await box.close()
                await _stopped(page)


async def _stopped(page: Appliance) -> None:
    """Under libfaketime the launcher never wakes from `time.sleep`: it is killed, and its processes told to stop."""
    launcher, *others = tree_of(page.program.pid)
    started = [pid for pid in others if (pid, launcher) in living()]
    await page.program.die()
    with trio.fail_after(PATIENCE_S):
        for pid in started:
            handle = os.pidfd_open(pid)
            try:
                os.kill(pid, signal.SIGTERM)
                await trio.lowlevel.wait_readable(handle)
            finally:
                os.close(handle)


def _lasts_for_years(certificate: Path) -> None:
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert made.not_valid_before_utc.year == 1970
    assert made.not_valid_after_utc.year > 2040


async def _works_in_1970(somebody: Visitor, box: Box, pbx: Pbx, agent: str, folder: Path) -> None:
    assert "Clock not set yet" in (await somebody.client.get("/")).text
    told = text_of((await somebody.client.get("/diagnosis")).text)
    assert "It believes that today is 1 January 1970." in told
    assert "time server (NTP)" in told
    await box.ask("start_agent", views.AgentView, id=agent)
    await _comes(lambda: _is_registered(box, agent))
    await ask(pbx, folder)
    await _comes(lambda: _was_answered(box))
    await pbx.rx("channel request hangup all")
    await _comes(lambda: _is_over(box))
    [session] = await _sessions(box)
    assert session.started_at.year == 1970


async def _goes_on(somebody: Visitor, box: Box, agent: str) -> None:
    """Signed in, registered, running; the log in the order in which it was written; the call is there."""
    await _comes(lambda: _knows_the_time(box))
    assert "Clock not set yet" not in (await somebody.client.get("/")).text
    assert "The clock of the box" not in (await somebody.client.get("/diagnosis")).text
    assert await _is_registered(box, agent)
    restarted = await box.ask("restart_agent", views.AgentView, id=agent)
    assert isinstance(restarted, views.AgentView)
    await _comes(lambda: _is_registered(box, agent))
    log = await box.ask("list_log", views.LogPage)
    assert isinstance(log, views.LogPage)
    assert [each.id for each in log.items] == sorted(each.id for each in log.items)
    years = [each.at.year for each in log.items]
    assert years == sorted(years)
    assert (years[0], years[-1]) == (1970, datetime.now(UTC).year)
    [session] = await _sessions(box)
    assert f'/sessions/{session.id}"' in (await somebody.client.get("/sessions")).text


async def _comes(true: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not await true():  # noqa: ASYNC110 - another process does not call us
            await trio.sleep(0.1)


async def _is_registered(box: Box, agent: str) -> bool:
    found = await box.ask("get_agent", views.AgentDetail, id=agent)
    assert isinstance(found, views.AgentDetail), found
    return any(each.registration and each.registration.registered for each in found.view.connections)


async def _sessions(box: Box) -> tuple[views.SessionView, ...]:
    found = await box.ask("list_sessions", views.Sessions)
    assert isinstance(found, views.Sessions), found
    return found.items


async def _was_answered(box: Box) -> bool:
    return any(each.messages for each in await _sessions(box))


async def _is_over(box: Box) -> bool:
    return all(each.outcome for each in await _sessions(box))


async def _knows_the_time(box: Box) -> bool:
    found = await box.ask("get_box", views.BoxView)
    assert isinstance(found, views.BoxView), found
    return found.health.clock_ok
