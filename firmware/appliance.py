"""The box as its owners have it: set up on its page, with as many agents as they like. Constructs, like compose.py.

Lifetimes: store and telephone outlive lines, lines outlive agents, and the control socket closes first.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from app.agents.roster import Roster
from app.control.verbs import EventKind
from firmware import telephony
from firmware.answers import Box, answers
from firmware.board.home import Home
from firmware.calling import Calling
from firmware.campaigns import Campaigns
from firmware.chatting import Chats
from firmware.compose import endpoint_config
from firmware.configuration import Process
from firmware.console import ShownLedger
from firmware.control import run_control
from firmware.control.events import Events
from firmware.control.look import Scene
from firmware.control.sessions import SessionVerbs
from firmware.counting import CountedLedger, Counts
from firmware.data_folder import DATABASE, PACKS, RECORDINGS, VAULT, data_folder
from firmware.employer import Employer
from firmware.equipment import open_equipment
from firmware.keeping.reset import keep_promise
from firmware.keeping.rotation import finish_renewal
from firmware.lifetimes import serving
from firmware.logs import LogLine, log_for_page
from firmware.mail import run_letters
from firmware.packs import Packs
from firmware.retention import keep_house
from firmware.storage import SqliteLedger, StorageFault, ledger, records
from firmware.switchboard import Switchboard
from firmware.told_ledger import ToldLedger
from firmware.update.opening import news_of, updates_of
from firmware.vault import Vault, VaultProblem, credentials_folder, open_vault
from firmware.webhooks import run_webhooks

CONTROL_SOCKET = "control.sock"
_RETRY_S = 3600.0

_log = logging.getLogger(__name__)


async def run_appliance(process: Process, tell: Callable[[str], None], *, show: bool = False) -> None:
    """Run until cancelled, or until a factory reset needs a fresh start. Agents that ran before run again. `tell` gets
    lines for the terminal, with `show` conversations too.

    Raises, possibly in an ExceptionGroup: DataFolderProblem, ResetUnfinished, VaultProblem, TelephonyError,
    models.packs.PackProblem.
    """
    with data_folder(process.data), trio.CancelScope() as life:
        tell("starting")
        await trio.to_thread.run_sync(keep_promise, process.data)
        async with _put_together(process, tell, life.cancel, show=show) as box:
            with log_for_page(partial(_keep, box.store, box.events)):
                await _finish_what_was_cut_short(box.store, box.vault)
                await _start_those_that_ran(box.store, box.roster)
                socket = process.control_socket or process.data / CONTROL_SOCKET
                await _answer_for_ever(box, socket, tell)


@asynccontextmanager
async def _put_together(
    process: Process, tell: Callable[[str], None], leave: Callable[[], None], *, show: bool
) -> AsyncGenerator[Box, None]:
    vault = open_vault(process.data / VAULT, credentials_folder(os.environ))
    packs = Packs(process.data / PACKS)
    await packs.tidy()
    equipment = await open_equipment(process.data / RECORDINGS, packs)
    events = Events()
    async with (
        ledger(process.data / DATABASE) as store,
        serving(telephony.run_endpoint, endpoint_config(process)) as endpoint,
        serving(run_webhooks, store, vault, partial(events.changed, EventKind.WEBHOOK)) as webhooks,
        serving(run_letters, store, vault, partial(events.changed, EventKind.MAIL)) as letters,
        trio.open_nursery() as lines,
        trio.open_nursery() as agents,
    ):

        def told(agent_id: str) -> None:
            """Also when one of its calls ended."""
            events.changed(EventKind.AGENT, agent_id)
            webhooks.wake()
            letters.wake()

        switchboard = Switchboard(endpoint, lines, partial(events.changed, EventKind.REGISTRATION))
        counts = Counts()
        shown = ShownLedger(store, tell) if show else store
        employer = Employer(
            store,
            vault,
            switchboard,
            ledger=ToldLedger(CountedLedger(shown, counts), partial(events.changed, EventKind.SESSION)),
            equipment=equipment,
            changed=told,
        )
        roster = Roster(agents, employer.work, told)
        calling = Calling(store, employer.at_work, switchboard, lines, events.changed, counts)
        campaigns = Campaigns(
            store, calling, employer.at_work, switchboard, roster, events, wake_webhooks=webhooks.wake
        )
        scene = Scene(roster, employer.at_work, switchboard, vault)
        updates = updates_of(process, store, scene, endpoint, partial(events.changed, EventKind.UPDATE), lines)
        yield Box(
            data=process.data,
            home=Home(process.data),
            store=store,
            vault=vault,
            packs=packs,
            events=events,
            endpoint=endpoint,
            counts=counts,
            webhooks=webhooks,
            letters=letters,
            switchboard=switchboard,
            employer=employer,
            roster=roster,
            calling=calling,
            chats=Chats(lines, employer.chat_partner),
            campaigns=campaigns,
            updates=updates,
            news=news_of(store, updates, partial(events.changed, EventKind.UPDATE)),
            lines=lines,
            leave=leave,
        )


async def _answer_for_ever(box: Box, socket: Path, tell: Callable[[str], None]) -> None:
    """What is asked for on the page and by the API. A service that uses agents and calls starts here, before the
    control socket, and its verbs are in firmware/answers.py."""
    sessions = SessionVerbs(box.store, box.data / RECORDINGS, box.events)
    box.lines.start_soon(_keep_house, box.store, sessions)
    box.lines.start_soon(box.campaigns.run)
    box.lines.start_soon(box.packs.run)
    box.lines.start_soon(box.updates.run)
    box.lines.start_soon(box.news.run)
    async with serving(run_control, socket, answers(box, sessions), box.events, sessions.recording):
        tell("ready")
        await trio.sleep_forever()


async def _finish_what_was_cut_short(store: SqliteLedger, vault: Vault) -> None:
    """Old keys that stay for another day cost nothing: calls are what matters."""
    try:
        await finish_renewal(store, vault)
    except (VaultProblem, StorageFault) as problem:
        _log.warning(
            "the renewal of the keys is not finished; tried again at the next start", extra={"problem": str(problem)}
        )


async def _start_those_that_ran(store: SqliteLedger, roster: Roster) -> None:
    for agent in await store.transact(records.read_agents):
        if agent.should_run:
            roster.start(agent.id)


async def _keep_house(store: SqliteLedger, sessions: SessionVerbs) -> None:
    """A disk that takes nothing today is looked at again: calls go on meanwhile."""
    while True:
        try:
            await keep_house(store, sessions.delete_session)
        except (StorageFault, OSError):
            _log.warning("old sessions could not be deleted; tried again in an hour")
            await trio.sleep(_RETRY_S)


def _keep(store: SqliteLedger, events: Events, line: LogLine) -> None:
    store.log_event(line.at, line.level, line.source, line.agent_id, line.text, json.dumps(line.fields))
    events.changed(EventKind.LOG, line.agent_id)
