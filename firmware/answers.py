"""Who answers which verb. A group for a new service gets a line in `answers`, and whatever it asks a field of `Box`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import trio

from app.agents.roster import Roster
from firmware import telephony
from firmware.board.home import Home
from firmware.calling import Calling
from firmware.campaigns import Campaigns
from firmware.chatting import Chats
from firmware.compose import VERSION
from firmware.control import Answer, answers_of
from firmware.control.agents import AgentVerbs
from firmware.control.backups import BackupVerbs
from firmware.control.box import BoxVerbs
from firmware.control.calls import CallVerbs
from firmware.control.campaigns import CampaignVerbs
from firmware.control.chats import ChatVerbs
from firmware.control.connections import ConnectionVerbs
from firmware.control.connectivity import ConnectivityVerbs
from firmware.control.do_not_call import DoNotCallVerbs
from firmware.control.documents import DocumentVerbs
from firmware.control.events import Events
from firmware.control.figures import FiguresVerbs
from firmware.control.http_tools import HttpToolVerbs
from firmware.control.look import Scene
from firmware.control.mail import MailVerbs
from firmware.control.packs import PackVerbs
from firmware.control.participants import ParticipantVerbs
from firmware.control.resets import ResetVerbs
from firmware.control.sessions import SessionVerbs
from firmware.control.setting_up import SetUpVerbs
from firmware.control.support import SupportVerbs
from firmware.control.tokens import TokenVerbs
from firmware.control.trials import TrialVerbs
from firmware.control.updates import UpdateVerbs
from firmware.control.webhook import WebhookVerbs
from firmware.counting import Counts
from firmware.employer import Employer
from firmware.mail import Letters
from firmware.newer_versions import News
from firmware.packs import Packs
from firmware.storage import SqliteLedger
from firmware.switchboard import Switchboard
from firmware.update.service import Updates
from firmware.vault import Vault
from firmware.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Box:
    """All that is asked when somebody asks the box. `data`: its folder. `lines`: the nursery that outlives every agent.
    `leave`: ends this process, for whoever minds it to start it again."""

    data: Path
    home: Home
    store: SqliteLedger
    vault: Vault
    packs: Packs
    events: Events
    endpoint: telephony.Endpoint
    counts: Counts
    webhooks: Webhooks
    letters: Letters
    switchboard: Switchboard
    employer: Employer
    roster: Roster
    calling: Calling
    chats: Chats
    campaigns: Campaigns
    updates: Updates
    news: News
    lines: trio.Nursery
    leave: Callable[[], None]


def answers(box: Box, sessions: SessionVerbs) -> Mapping[str, Answer]:
    """`sessions` is given, since others use it too. Raises: LookupError for a verb that no group answers."""
    store, vault, events = box.store, box.vault, box.events
    scene = Scene(box.roster, box.employer.at_work, box.switchboard, vault)
    connections = ConnectionVerbs(store, vault, scene, box.endpoint, events)
    agents = AgentVerbs(store, scene, events)
    itself = BoxVerbs(
        store, scene, box.endpoint, events, box.data, box.home, VERSION, box.updates.last, lambda: box.news.heard.newer
    )
    return answers_of(
        connections,
        agents,
        DocumentVerbs(store, events),
        HttpToolVerbs(store, vault, events),
        ChatVerbs(store, box.chats),
        SetUpVerbs(store, connections, agents, box.roster, events),
        ConnectivityVerbs(store, vault, events),
        TrialVerbs(store, vault, box.packs),
        PackVerbs(store, box.packs, events, box.lines),
        sessions,
        CallVerbs(store, box.calling),
        CampaignVerbs(store, box.campaigns, events),
        ParticipantVerbs(store, box.campaigns),
        DoNotCallVerbs(store),
        itself,
        FiguresVerbs(store, scene, box.counts, itself),
        SupportVerbs(store, scene, itself),
        WebhookVerbs(store, vault, box.webhooks, events),
        MailVerbs(store, vault, box.letters, events),
        TokenVerbs(store, events),
        BackupVerbs(store, scene, events, VERSION, box.lines),
        ResetVerbs(store, scene, box.data, box.leave, box.lines),
        UpdateVerbs(box.updates, box.news, scene, box.lines),
    )
