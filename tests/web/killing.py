"""kill -9 of the box's processes at random moments, while people edit on the page, scripts over the control socket, and
a caller talks: is every acknowledged change there, and does everything come back by itself?

The moments come from a seeded generator, so that a run can be had again, as far as processes are punctual.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import soundfile
import trio

from app.control import views
from app.control.refusals import Refusal
from app.settings import Agent, ConnectionDraft
from firmware.storage import SessionSummary, read_sessions
from provisioning.client import Box
from tests.bench.processes import tree_of
from tests.office.calling import make_call
from tests.office.pbx import Pbx
from tests.office.script import Listen, Say, Script
from tests.office.voices import SPEAKERS, say
from tests.web.appliance import PASSWORD, Appliance
from tests.web.editing import (
    Editor,
    Life,
    Notebook,
    PageConnections,
    SocketAgents,
    SocketConnections,
    draft,
    keep_editing,
    look,
)
from tests.web.visitor import Visitor, visitor

BACK_S = 60.0
"""Loading the recognisers takes 1 s for each, several times that on a busy machine."""

_MOMENT_S = (0.2, 3.0)
"""After the caller was started, who rings a second later: some kills come before the call, some in the greeting."""

_CLOSED_S = 30.0
"""Calls close and children end within a second."""

_LOOK_EVERY_S = 0.05
_VICTIMS = ("firmware", "firmware", "provisioning", "provisioning.worker")
"""The telephone twice as often: it has the data."""


@dataclass(slots=True)
class Killed:
    """What a run saw. `back_s`: from each kill until the box takes calls and its page shows the agents, by whom it hit.
    `unclosed`: sessions without an outcome at the end. `recorded`: sessions whose recording is there (a call that was
    cut off before any sound leaves none), `unreadable`: those of them that are no sound."""

    notebook: Notebook = field(default_factory=Notebook)
    back_s: dict[str, list[float]] = field(default_factory=dict)
    sessions: int = 0
    unclosed: int = 0
    recorded: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Office:
    """A box at work: its reception answers extension 200."""

    page: Appliance
    pbx: Pbx
    box: Box
    browser: Visitor
    reception: str
    editors: tuple[Editor, ...]


async def kill_at_random(page: Appliance, pbx: Pbx, kills: int, seed: int) -> Killed:
    """So many kills, of a box that nobody has set up yet. Raises: trio.TooSlowError if it does not come back."""
    rng, killed = Random(seed), Killed()
    script = Script(pbx=pbx.address, user="101", dial="200", steps=(Listen(), await _question(), Listen()), repeat_s=60)
    async with _office(page, pbx, killed.notebook) as office:
        for _ in range(kills):
            async with trio.open_nursery() as calling:
                calling.start_soon(partial(make_call, script, pbx.accounts["101"].password, limit_s=BACK_S))
                await _kill_among_edits(office, killed, rng)
                calling.cancel_scope.cancel()
            await _compare(office, killed)
        await _look_at_sessions(office, killed)
    return killed


async def _compare(office: _Office, killed: Killed) -> None:
    """Nobody edits now. The page may just hand over to its next process, which closes connections."""
    for editor in office.editors:
        with trio.fail_after(BACK_S):
            while not await look(editor, killed.notebook):  # noqa: ASYNC110 - as in `_back`
                await trio.sleep(_LOOK_EVERY_S)


async def _question() -> Say:
    return Say(wav=await say(SPEAKERS["slt-hts"], "Where can I park?"))


async def _kill_among_edits(office: _Office, killed: Killed, rng: Random) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as editing:
        for editor in office.editors:
            editing.start_soon(keep_editing, editor, killed.notebook, Random(rng.random()), stop)
        await trio.sleep(rng.uniform(*_MOMENT_S))
        victim = rng.choice(_VICTIMS)
        began_s = trio.current_time()
        await _kill(office.page.pids(victim)[0])
        await _back(office)
        killed.back_s.setdefault(victim, []).append(trio.current_time() - began_s)
        stop.set()


async def _kill(pid: int) -> None:
    """Returns when it is dead, and those whom it had started have ended by themselves."""
    handles = [os.pidfd_open(each) for each in tree_of(pid)]
    try:
        os.kill(pid, signal.SIGKILL)
        with trio.fail_after(_CLOSED_S):
            for handle in handles:
                await trio.lowlevel.wait_readable(handle)
    finally:
        for handle in handles:
            os.close(handle)


async def _back(office: _Office) -> None:
    with trio.fail_after(BACK_S):
        while not await _is_back(office):  # noqa: ASYNC110 - another process's start is no event of ours
            await trio.sleep(_LOOK_EVERY_S)


async def _is_back(office: _Office) -> bool:
    """The agent is registered again, and its owner sees that."""
    agent = await office.box.ask("get_agent", views.AgentDetail, id=office.reception)
    if isinstance(agent, Refusal) or not any(_is_registered(each) for each in agent.view.connections):
        return False
    shown = await office.browser.read(f"/agents/{office.reception}", PASSWORD)
    return shown is not None and "Registered" in shown


def _is_registered(attached: views.AttachedConnection) -> bool:
    return attached.registration is not None and attached.registration.registered


# -- before and after ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def _office(page: Appliance, pbx: Pbx, notebook: Notebook) -> AsyncGenerator[_Office, None]:
    """Set up, at work, and with people who edit."""
    box, certificate = Box(page.data / "control.sock"), page.data.parent / "admin" / "certificate.pem"
    browsers = partial(visitor, page.address, certificate, tries_again=False)
    async with browsers() as browser, browsers() as another:
        await browser.first_boot(page.set_up_code, PASSWORD)
        reception, night = await _agent(box, pbx, "200", "Reception"), await _agent(box, pbx, "201", "Night")
        lines = tuple([await _line(box, draft(f"Line {number}", number)) for number in range(1, 4)])
        editors = (
            SocketConnections(box, ("By socket 1", "By socket 2", "By socket 3")),
            PageConnections(another, PASSWORD, ("On the page 1", "On the page 2")),
            SocketAgents(box, ("Day", "Evening"), lines),
            Life(box, night, notebook),
        )
        office = _Office(page, pbx, box, browser, reception, editors)
        await box.ask("start_agent", views.AgentView, id=reception)
        await _back(office)
        yield office
    await box.close()


async def _agent(box: Box, pbx: Pbx, user: str, name: str) -> str:
    values = {"name": f"Extension {user}", "domain": pbx.address, "user": user, "password": pbx.accounts[user].password}
    line = views.Attachment(connection_id=await _line(box, ConnectionDraft.model_validate(values)), inbound=True)
    settings = Agent(name=name, greeting="Good day, this is the office.")
    speech = {"speech_to_text": "box-ears", "text_to_speech": "box-voice-slt"}
    plan = views.AgentPlan(settings=settings, attachments=(line,), **speech)
    made = await box.ask("create_agent", views.AgentDetail, plan=plan)
    assert isinstance(made, views.AgentDetail), made
    return made.view.id


async def _line(box: Box, typed: ConnectionDraft) -> str:
    made = await box.ask("create_connection", views.ConnectionView, draft=typed)
    assert isinstance(made, views.ConnectionView), made
    return made.id


async def _look_at_sessions(office: _Office, killed: Killed) -> None:
    """Nobody calls any more: each call has ended somehow, and what was recorded of it can be heard."""
    sessions: list[SessionSummary] = []
    with trio.move_on_after(_CLOSED_S):
        while not sessions or any(each.outcome is None for each in sessions):
            await trio.sleep(_LOOK_EVERY_S)
            sessions = await trio.to_thread.run_sync(read_sessions, office.page.data / "deskbell.sqlite", 1000)
    killed.sessions = len(sessions)
    killed.unclosed = sum(each.outcome is None for each in sessions)
    recordings = [each.recording for each in sessions if each.recording and each.recording.exists()]
    killed.recorded = len(recordings)
    killed.unreadable = sum(not _can_be_heard(each) for each in recordings)


def _can_be_heard(recording: Path) -> bool:
    try:
        return bool(soundfile.info(recording).frames > 0)
    except soundfile.LibsndfileError:
        return False
