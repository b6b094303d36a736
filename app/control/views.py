"""What the box tells: frozen models without a secret. Instants are UTC."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

from pydantic import Field

from app.ports import Result
from app.settings import Account, Agent, Box, Settings


class Nothing(Settings):
    """Done; there is nothing to tell."""


class Scope(Enum):
    """What an API token may do. The page, signed in, may do everything. KEEP: back up, restore and reset the box; a
    backup opens with a passphrase that its maker chose, so whoever has this scope can have every SIP password."""

    READ = "read"
    WRITE = "write"
    CALL = "call"
    KEEP = "keep"


# -- registration and connections ------------------------------------------------------------------------------


class RegistrationView(Settings):
    """`cause`: a value of firmware.telephony's Cause ("registered", "trying", "wrong user, login or password", ...).
    `text`: one sentence with cause, remedy and next try. `answer`: what the PBX said, e.g. "401 Unauthorized"."""

    cause: str
    registered: bool
    text: str
    remedy: str = ""
    answer: str = ""
    expires_s: int = 0
    next_try: datetime | None = None


class AgentRef(Settings):
    id: str
    name: str
    inbound: bool
    running: bool


class ConnectionView(Settings):
    """`version` goes into the next edit as `if_version`. `unreadable`: the secrets must be entered again.
    `registration`: None while no running agent uses the connection."""

    id: str
    version: int
    modified_at: datetime
    account: Account
    has_password: bool
    has_login: bool
    unreadable: bool
    agents: tuple[AgentRef, ...]
    registration: RegistrationView | None


class Connections(Settings):
    items: tuple[ConnectionView, ...]


class KeptSecrets(Settings):
    """Secrets that the box remembers for ten minutes, under a random `id`: which ones, not what they are."""

    id: str
    password: bool
    login: bool


class Trial(Settings):
    """How a trial registration went, while everything else stayed as it was."""

    registration: RegistrationView
    took_ms: int


# -- agents ----------------------------------------------------------------------------------------------------


class AgentState(Enum):
    STOPPED = "Stopped"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    ERROR = "Error"


class Attachment(Settings):
    """A connection attached to an agent. Without `inbound`, the agent only places calls through it."""

    connection_id: str
    inbound: bool = False


class AgentPlan(Settings):
    """All that a user decides about an agent. Connectivity: ids, None where nothing is attached."""

    settings: Agent
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=20)
    speech_to_text: str | None = None
    text_to_speech: str | None = None
    language_model: str | None = None


class AttachedConnection(Settings):
    connection_id: str
    name: str
    inbound: bool
    registration: RegistrationView | None


class AgentView(Settings):
    """An agent with its state. `problem`: why it is in Error, and what to do. `restart_pending`: what was saved since
    the start, in words, empty if nothing. `calls`: opened sessions now."""

    id: str
    version: int
    name: str
    description: str
    kind: Literal["Inbound", "Outbound"]
    state: AgentState
    problem: str = ""
    restart_pending: tuple[str, ...] = ()
    calls: int
    max_opened_sessions: int
    modified_at: datetime
    connections: tuple[AttachedConnection, ...]


class Agents(Settings):
    items: tuple[AgentView, ...]


class AgentDetail(Settings):
    view: AgentView
    plan: AgentPlan


class AgentFile(Settings):
    """An exported agent: no secrets, no ids of this box. Connections, and the ears, voice and language model where they
    did not come with the box, are named, and matched by name on import."""

    deskbell_agent: Literal[1] = 1
    settings: Agent
    connections: tuple[str, ...] = ()
    speech_to_text: str = ""
    text_to_speech: str = ""
    language_model: str = ""


class LogEntry(Settings):
    """`id` grows with time; entries of a running box come as events too."""

    id: int
    at: datetime
    level: str
    source: str
    text: str
    fields: dict[str, str] = Field(default_factory=dict)


class LogPage(Settings):
    """Newest last. `earlier`: ask with it as `before` for the page before this one."""

    items: tuple[LogEntry, ...]
    earlier: int | None


# -- sessions --------------------------------------------------------------------------------------------------

OUTCOMES = tuple(each.value for each in Result)
"""What became of a call, in a word. Sessions from older versions may hold others."""


class SessionView(Settings):
    """One call. `outcome` is None while it goes on; then one of `OUTCOMES`. `outcome_text`: the same in a sentence.
    `conclusion`: what the talk came to, e.g. "message taken". `sip_code` 0: no answer came. Times in milliseconds."""

    id: str
    agent: str
    direction: Literal["inbound", "outbound"]
    remote: str = Field(repr=False)
    started_at: datetime
    connected_at: datetime | None
    ended_at: datetime | None
    codec: str | None
    outcome: str | None
    outcome_text: str
    conclusion: str
    sip_code: int | None
    ring_ms: int | None
    talk_ms: int | None
    ended_by: str | None
    messages: int
    has_recording: bool


class Sessions(Settings):
    """Newest first. `before`: ask with it for the next page, None at the end."""

    items: tuple[SessionView, ...]
    before: str | None


class MessageView(Settings):
    speaker: Literal["caller", "agent"]
    text: str = Field(repr=False)
    start_ms: int
    end_ms: int
    interrupted: bool


class TurnView(Settings):
    """Where the time of one answer went, in milliseconds. Pause, words, brain and voice add up to `response_ms`."""

    at_ms: int
    response_ms: int = Field(description="from the caller's last sound to the agent's first one, on the line")
    pause_ms: int
    words_ms: float = Field(default=0.0, description="waited for the recogniser after the pause, or for its own turn")
    recognition_ms: float
    brain_ms: float
    voice_ms: float
    pause_because: str = Field(default="", description="complete, plain, unfinished or dictated: why it was enough")


class NoteView(Settings):
    """What the box noted of a call, and when in it."""

    at_ms: int
    text: str


class SessionDetail(Settings):
    """`variables`: of a call that somebody asked for."""

    view: SessionView
    messages: tuple[MessageView, ...]
    turns: tuple[TurnView, ...]
    results: dict[str, str] = Field(repr=False)
    variables: dict[str, str] = Field(repr=False)
    notes: tuple[NoteView, ...] = ()


# -- the box ---------------------------------------------------------------------------------------------------


class Health(Settings):
    """Figures of the box. None: this machine does not tell. `tick_gap_*`: between two audio frames (20 ms when all is
    well), over all calls since the start. `clock_ok`: False before the time is known (a box without a battery clock
    wakes up in the past)."""

    temperature_c: float | None
    memory_used_mb: int
    memory_total_mb: int
    disk_free_mb: int
    disk_total_mb: int
    load_1min: float
    uptime_s: int
    tick_gap_p999_ms: float
    tick_gap_max_ms: float
    clock_ok: bool
    storage_problem: str = ""


class NetworkFact(Settings):
    """A network interface. `up`: its link is. `addresses`: with prefix length, e.g. "192.0.2.10/24". `gateways`: of its
    default routes."""

    interface: str
    mac: str
    up: bool = True
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()


class BoxView(Settings):
    """`left_machine`: MAC addresses of the machine that the card was set up in, if this is another one."""

    version: int
    settings: Box
    software: str
    host_name: str
    now: datetime
    network: tuple[NetworkFact, ...]
    name_servers: tuple[str, ...] = ()
    secrets_bound_by: str
    health: Health
    left_machine: tuple[str, ...] = ()


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "information"


class Finding(Settings):
    """Something that keeps calls from working, or that people take for a fault: what, how we know, what mends it.
    `about`: "agent", "connection" or "campaign" and its id, for a link."""

    kind: str
    severity: Severity
    title: str
    evidence: str
    remedy: str
    about: Literal["agent", "connection", "campaign", "box"] = "box"
    about_id: str = ""
    about_name: str = ""


class Findings(Settings):
    items: tuple[Finding, ...]


class Overview(Settings):
    box: BoxView
    agents: tuple[AgentView, ...]
    last_sessions: tuple[SessionView, ...]
    findings: tuple[Finding, ...]
    calls_by_hour: tuple[int, ...] = Field(description="begun in each of the last 24 clock hours, oldest first")


# -- the REST API ----------------------------------------------------------------------------------------------


class TokenView(Settings):
    """An API token, without the token: nobody is shown it twice. `last_used_at`: exact to a minute."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None


class Tokens(Settings):
    items: tuple[TokenView, ...]
