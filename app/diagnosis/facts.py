"""What a diagnosis is made of: everything that is known, at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal

from app.control.updating import LastUpdate, NewerVersion
from app.control.views import AgentPlan, AgentView, ConnectionView, NetworkFact
from app.engines import Role
from app.establishing import Seen

SILENCE_DAYS: Final = 7
"""How far back calls that ended in a pause are counted: long enough to see a habit, short enough to be remembered."""

Engine = Literal[
    "Speech-To-Text", "Text-To-Speech", "language model", "ears of a server", "voice of a server", "neural pack"
]


@dataclass(frozen=True, slots=True)
class History:
    """What the sessions of an agent tell. `was_called`: it once had an inbound call."""

    was_called: bool = False
    ended_in_silence: int = 0
    silence_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EngineTrouble:
    """An engine that failed at work: how often in the last hour, when last, and its own words for it."""

    engine: Engine
    times: int
    last_at: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CampaignFact:
    """`problem`: why it is in error. `held_until`: nobody is called before, since the line failed too often."""

    id: str
    name: str
    agent_id: str
    runs: bool
    problem: str = ""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MailFact:
    """`is_unreadable`: the mail server's password. `given_up`: e-mails of the last days that nobody took; `stuck`: that
    are still to be sent, after several attempts."""

    has_server: bool = False
    is_unreadable: bool = False
    given_up: int = 0
    stuck: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """`plans`, `troubles` and `tools` (names of HTTP tools) by agent id, `seen` by connection id, `histories` by
    agent name; `locked`: by agent id, engines whose key cannot be read, by what they do and by name. `network`,
    `disk_free_mb`: None where that is not known. `storage_problem`: why nothing can be stored. `left_machine`: by
    their network addresses, the machine that the card was in before, if this is another one. `zone`: the box's."""

    now: datetime
    agents: Sequence[AgentView]
    plans: Mapping[str, AgentPlan]
    connections: Sequence[ConnectionView]
    network: Sequence[NetworkFact] | None = None
    disk_free_mb: int | None = None
    storage_problem: str = ""
    left_machine: Sequence[str] = ()
    zone: tzinfo = UTC
    seen: Mapping[str, Seen] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)
    troubles: Mapping[str, Sequence[EngineTrouble]] = field(default_factory=dict)
    locked: Mapping[str, Sequence[tuple[Role, str]]] = field(default_factory=dict)
    tools: Mapping[str, Sequence[str]] = field(default_factory=dict)
    campaigns: Sequence[CampaignFact] = ()
    mail: MailFact = MailFact()
    last_update: LastUpdate | None = None
    newer: NewerVersion | None = None

    def at(self, instant: datetime) -> str:
        """For a sentence: "at 14:10" today, else "on 25 Nov at 14:10"."""
        local = instant.astimezone(self.zone)
        today = local.date() == self.now.astimezone(self.zone).date()
        return f"at {local:%H:%M}" if today else f"on {local.day} {local:%b} at {local:%H:%M}"

    def history(self, agent: str) -> History:
        return self.histories.get(agent, History())


def times(count: int, what: str) -> str:
    """ "1 call", "3 calls"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
