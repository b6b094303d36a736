"""The table of everything that can be asked, and its questions. Field names are those of the REST API."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import Base64Bytes, Field, ValidationInfo, field_validator

from app.control import keeping, packs, views
from app.control.call_views import Calls, CallView, DialPreview, SoundDevices
from app.control.campaign_verbs import CAMPAIGN_VERBS
from app.control.chat import ChatView, SayInChat, WhichChat
from app.control.connectivity import ConnectivityList, ConnectivityTest, ConnectivityView, Sound
from app.control.documents import AddDocument, Documents, DropDocument
from app.control.figures import Figures
from app.control.http_tools import (
    CreateHttpTool,
    HttpToolList,
    HttpToolTrial,
    HttpToolView,
    TryHttpTool,
    UpdateHttpTool,
    WhichHttpTool,
)
from app.control.mail import Letters, ListLetters, MailServerView, TryMailServer, UpdateMailServer
from app.control.refusals import Why
from app.control.setting_up import SetUpBox
from app.control.updating import RestartBox, UpdateView
from app.control.verb import ALWAYS as ALWAYS
from app.control.verb import DROP, EDIT, LIFE, LOOK, MAKE, MAX_ID
from app.control.verb import ById as ById
from app.control.verb import Delete as Delete
from app.control.verb import Empty as Empty
from app.control.verb import Verb as Verb
from app.control.views import Scope
from app.control.webhook import Attempt, Deliveries, ListDeliveries, UpdateWebhook, WebhookView
from app.engines import ConnectivityDraft
from app.settings import (
    Box,
    ConnectionDraft,
    DialRules,
    Greeting,
    Name,
    OneLine,
    OnMachine,
    Secret,
    Settings,
    VariableName,
    VariableText,
)

_LARGEST_RECORDING = 2 * 1024 * 1024
"""10 s in stereo at 48 kHz and 16 bit are 1.9 MB."""


class KeepSecrets(Settings):
    """Remember what was typed into a form that is shown again: secrets never travel back to a browser. `kept`: what
    was remembered before, of which those given here take the place."""

    kept: str = Field(default="", max_length=MAX_ID)
    password: Secret | None = None
    login: Secret | None = None


class CreateConnection(Settings):
    """`kept`: secrets left out of the draft are those that `keep_secrets` remembers under it."""

    draft: ConnectionDraft
    kept: str = Field(default="", max_length=MAX_ID)


class UpdateConnection(ById):
    """Secrets left out of the draft are those `kept`, and else those that are stored."""

    if_version: int = Field(ge=0, le=2**53)
    draft: ConnectionDraft
    kept: str = Field(default="", max_length=MAX_ID)


class TryRegistration(Settings):
    """Secrets left out of the draft are those `kept`, and else, with `id`, those that are stored."""

    id: str | None = Field(default=None, max_length=MAX_ID)
    draft: ConnectionDraft
    kept: str = Field(default="", max_length=MAX_ID)


class CreateConnectivity(Settings):
    draft: ConnectivityDraft


class UpdateConnectivity(ById):
    if_version: int = Field(ge=0, le=2**53)
    draft: ConnectivityDraft


class TryConnectivity(ById):
    """`text`: what to say; empty for a sentence of the box's own. `recording`: for ears, a WAV file of at most 10 s, in
    base64; without it the box says `text` to itself, as over a telephone."""

    text: OneLine = Field(default="", max_length=200, repr=False)
    recording: Base64Bytes | None = Field(default=None, max_length=_LARGEST_RECORDING, repr=False)


class PreviewDialling(Settings):
    """What would be dialled for `target` by these rules."""

    rules: DialRules
    target: OneLine = Field(max_length=200, repr=False)


class CreateAgent(Settings):
    plan: views.AgentPlan


class UpdateAgent(ById):
    if_version: int = Field(ge=0, le=2**53)
    plan: views.AgentPlan


class ImportAgent(Settings):
    file: views.AgentFile


class ListLog(Settings):
    """`agent_id` empty: the whole box. `level`: this and worse. `text`: part of a line."""

    agent_id: str = Field(default="", max_length=MAX_ID)
    level: Literal["", "INFO", "WARNING", "ERROR"] = ""
    text: str = Field(default="", max_length=200)
    before: int | None = Field(default=None, ge=0, le=2**53)
    limit: int = Field(default=200, ge=1, le=1000)


class ListSessions(Settings):
    """`text` is looked for in the transcript, the number and the results; `day` is YYYY-MM-DD in the box's zone.
    `outcome`: how outcome or conclusion begin."""

    text: str = Field(default="", max_length=200)
    agent: str = Field(default="", max_length=80)
    direction: Literal["", "inbound", "outbound"] = ""
    outcome: str = Field(default="", max_length=80)
    day: str = Field(default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    before: str | None = Field(default=None, max_length=MAX_ID)
    limit: int = Field(default=50, ge=1, le=200)


class UpdateBox(Settings):
    if_version: int = Field(ge=0, le=2**53)
    settings: Box


class ListCalls(Settings):
    """`before`: the id of a call."""

    before: str | None = Field(default=None, max_length=MAX_ID)
    limit: int = Field(default=50, ge=1, le=200)


class PlaceCall(Settings):
    """Call a number or SIP URI, and let the agent talk; with `echo`, the box gives back what it hears instead.

    `connection_id`: only where the agent has several. `variables`: "{name}" in the greeting becomes what is given for
    `name`. `greeting`: in place of the agent's own, "" for none. `ring_s`: for how long the other side may ring.
    `on_machine`: what to do about an answering machine; unless that is "ignore", whoever answers is listened to before
    the agent speaks. `message`: what to leave on it, after its beep; its variables are filled as in the greeting.
    `idempotency_key`: whoever asks a second time with the same key within 24 hours gets the call that was placed then,
    and no second one.
    """

    agent_id: str = Field(max_length=MAX_ID)
    connection_id: str | None = Field(default=None, max_length=MAX_ID)
    target: OneLine = Field(min_length=1, max_length=200, repr=False)
    variables: dict[VariableName, VariableText] = Field(default_factory=dict, max_length=50, repr=False)
    greeting: Greeting | None = Field(default=None, repr=False)
    ring_s: int = Field(default=45, ge=5, le=180)
    on_machine: OnMachine = "ignore"
    message: Greeting = Field(default="", repr=False, validate_default=True)
    idempotency_key: OneLine = Field(default="", max_length=100, repr=False)
    echo: bool = False

    @field_validator("message")
    @classmethod
    def _message_is_for_a_machine(cls, message: str, given: ValidationInfo) -> str:
        leaves = given.data.get("on_machine") == "leave message"
        if leaves and not message.strip():
            raise ValueError("must not be empty: it is the message that is left on the answering machine")
        if message and not leaves:
            raise ValueError('is left on an answering machine only where `on_machine` is "leave message"')
        return message


class HandsetCall(Settings):
    """Call the agent from the box's own microphone and speaker."""

    agent_id: str = Field(max_length=MAX_ID)
    device: OneLine = Field(default="default", max_length=80)


class CheckToken(Settings):
    """`sha256`: of the token, in hex. The token itself never reaches the phone process."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)


class CreateToken(CheckToken):
    name: Name
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))


_MAKE_TOKEN = (Why.TAKEN, Why.NOT_NOW, Why.NO_SPACE)
_DIAL = (Why.NOT_FOUND, Why.NOT_NOW)
_R, _W, _C, _K = Scope.READ, Scope.WRITE, Scope.CALL, Scope.KEEP

_TABLE = (
    Verb("get_overview", Empty, views.Overview, _R, "The box at a glance", "GET", "/overview"),
    Verb("get_diagnosis", Empty, views.Findings, _R, "What keeps calls from working", "GET", "/diagnosis"),
    Verb("list_connections", Empty, views.Connections, _R, "All SIP connections", "GET", "/connections"),
    Verb("get_connection", ById, views.ConnectionView, _R, "One SIP connection", "GET", "/connections/{id}", LOOK),
    Verb("create_connection", CreateConnection, views.ConnectionView, _W, "Add a SIP connection", "POST",
         "/connections", MAKE, created=True),
    Verb("update_connection", UpdateConnection, views.ConnectionView, _W, "Change a SIP connection", "PUT",
         "/connections/{id}", EDIT),
    Verb("delete_connection", Delete, views.Nothing, _W, "Delete a SIP connection", "DELETE", "/connections/{id}",
         DROP),
    Verb("try_registration", TryRegistration, views.Trial, _W, "Try to register, changing nothing", "POST",
         "/connections/trial", LOOK),
    Verb("set_up_box", SetUpBox, views.Nothing, _W, "Set up a new box, from its set-up file",
         refuses=(Why.TAKEN, Why.NOT_NOW, Why.NO_SPACE)),
    Verb("preview_dialling", PreviewDialling, DialPreview, _R, "What dial rules make of a number", "POST",
         "/connections/dial-preview"),
    Verb("keep_secrets", KeepSecrets, views.KeptSecrets, _W, "Remember the secrets of a form for some minutes"),
    Verb("list_connectivity", Empty, ConnectivityList, _R, "Speech and language-model connections", "GET",
         "/connectivity"),
    Verb("get_connectivity", ById, ConnectivityView, _R, "One speech or language-model connection", "GET",
         "/connectivity/{id}", LOOK),
    Verb("create_connectivity", CreateConnectivity, ConnectivityView, _W,
         "Add a speech or language-model connection", "POST", "/connectivity", MAKE, created=True),
    Verb("update_connectivity", UpdateConnectivity, ConnectivityView, _W,
         "Change a speech or language-model connection", "PUT", "/connectivity/{id}", (*EDIT, Why.NOT_ALLOWED)),
    Verb("delete_connectivity", ById, views.Nothing, _W, "Delete a speech or language-model connection", "DELETE",
         "/connectivity/{id}", (*DROP, Why.NOT_ALLOWED)),
    Verb("test_connectivity", TryConnectivity, ConnectivityTest, _W, "Hear, speak or think once, to try it",
         "POST", "/connectivity/{id}/test", (Why.NOT_FOUND, Why.NOT_NOW)),
    Verb("get_test_sound", ById, Sound, _R, "What a test has spoken or heard", "GET", "/test-sounds/{id}", LOOK),
    Verb("list_packs", Empty, packs.Packs, _R, "Neural packs: recognisers and voices as files", "GET", "/packs"),
    Verb("add_pack_part", packs.PackPart, views.Nothing, _W, "Upload a part of a neural pack", "POST", "/packs/parts",
         (Why.NOT_NOW,)),
    Verb("take_pack", Empty, packs.Packs, _W, "Check the uploaded neural pack, and keep it", "POST", "/packs",
         (Why.NOT_NOW,)),
    Verb("delete_pack", packs.WhichPack, views.Nothing, _W, "Remove a neural pack", "DELETE", "/packs/{pack}",
         (Why.NOT_FOUND, Why.NOT_NOW, Why.IN_USE)),
    Verb("list_agents", Empty, views.Agents, _R, "All agents with their state", "GET", "/agents"),
    Verb("get_agent", ById, views.AgentDetail, _R, "One agent", "GET", "/agents/{id}", LOOK),
    Verb("create_agent", CreateAgent, views.AgentDetail, _W, "Add an agent", "POST", "/agents", MAKE, created=True),
    Verb("update_agent", UpdateAgent, views.AgentDetail, _W, "Change an agent", "PUT", "/agents/{id}", EDIT),
    Verb("delete_agent", Delete, views.Nothing, _W, "Delete an agent", "DELETE", "/agents/{id}", DROP),
    Verb("list_documents", ById, Documents, _R, "Files that an agent knows", "GET", "/agents/{id}/documents", LOOK),
    Verb("add_document", AddDocument, Documents, _W, "Give an agent a file to know", "POST", "/agents/{id}/documents",
         LIFE),
    Verb("delete_document", DropDocument, views.Nothing, _W, "Take a file from an agent", "DELETE",
         "/agents/{id}/documents/{document_id}", LIFE),
    Verb("list_http_tools", ById, HttpToolList, _R, "Programs that an agent may ask in a call", "GET",
         "/agents/{id}/tools", LOOK),
    Verb("get_http_tool", WhichHttpTool, HttpToolView, _R, "One program that an agent may ask", "GET",
         "/agents/{id}/tools/{tool_id}", LOOK),
    Verb("create_http_tool", CreateHttpTool, HttpToolView, _W, "Let an agent ask a program", "POST",
         "/agents/{id}/tools", MAKE, created=True),
    Verb("update_http_tool", UpdateHttpTool, HttpToolView, _W, "Change what an agent may ask a program", "PUT",
         "/agents/{id}/tools/{tool_id}", EDIT),
    Verb("delete_http_tool", WhichHttpTool, views.Nothing, _W, "Let an agent no longer ask a program", "DELETE",
         "/agents/{id}/tools/{tool_id}", LIFE),
    Verb("try_http_tool", TryHttpTool, HttpToolTrial, _W, "Ask a program once, with example values", "POST",
         "/agents/{id}/tools/{tool_id}/test", (Why.NOT_FOUND, Why.NOT_NOW)),
    Verb("start_chat", ById, ChatView, _W, "Chat with an agent by typing, without a call", "POST",
         "/agents/{id}/chats", (Why.NOT_FOUND, Why.NOT_NOW), created=True),
    Verb("get_chat", WhichChat, ChatView, _R, "What was typed and answered", "GET", "/agents/{id}/chats/{chat_id}",
         LOOK),
    Verb("say_in_chat", SayInChat, ChatView, _W, "Type what a caller would say", "POST",
         "/agents/{id}/chats/{chat_id}", LOOK),
    Verb("start_agent", ById, views.AgentView, _W, "Start an agent", "POST", "/agents/{id}/start", LIFE),
    Verb("stop_agent", ById, views.AgentView, _W, "Stop an agent", "POST", "/agents/{id}/stop", LIFE),
    Verb("restart_agent", ById, views.AgentView, _W, "Stop, then start an agent", "POST", "/agents/{id}/restart",
         LIFE),
    Verb("export_agent", ById, views.AgentFile, _R, "An agent as a file", "GET", "/agents/{id}/export", LOOK),
    Verb("import_agent", ImportAgent, views.AgentDetail, _W, "An agent from a file", "POST", "/agents/import", MAKE,
         created=True),
    Verb("list_log", ListLog, views.LogPage, _R, "Log of the box, or of one agent", "GET", "/log"),
    Verb("list_sessions", ListSessions, views.Sessions, _R, "Sessions, newest first", "GET", "/sessions"),
    Verb("get_session", ById, views.SessionDetail, _R, "One session", "GET", "/sessions/{id}", LOOK),
    Verb("delete_session", ById, views.Nothing, _W, "Delete a session and its recording", "DELETE", "/sessions/{id}",
         (Why.NOT_FOUND, Why.NOT_NOW, Why.NO_SPACE)),
    Verb("list_calls", ListCalls, Calls, _R, "Calls that were started from the page or the API", "GET", "/calls"),
    Verb("get_call", ById, CallView, _R, "One such call, and what became of it", "GET", "/calls/{id}", LOOK),
    Verb("place_call", PlaceCall, CallView, _C, "Call a number now", "POST", "/calls",
         (*_DIAL, Why.TAKEN, Why.NO_SPACE), created=True),
    Verb("call_from_handset", HandsetCall, CallView, _C, "Call an agent from the box's own microphone", "POST",
         "/calls/handset", (*_DIAL, Why.NO_SPACE), created=True),
    Verb("hang_up_call", ById, CallView, _C, "End such a call, or cancel it while it rings", "POST",
         "/calls/{id}/hang-up", LOOK),
    Verb("list_sound_devices", Empty, SoundDevices, _R, "Sound devices with microphone and speaker", "GET",
         "/sound-devices"),
    Verb("get_box", Empty, views.BoxView, _R, "The box, its settings and health", "GET", "/box"),
    # In the REST API in Prometheus' form.
    Verb("get_figures", Empty, Figures, _R, "What was counted since the start, and how things stand"),
    Verb("update_box", UpdateBox, views.BoxView, _W, "Change the box's settings", "PUT", "/box",
         (Why.CHANGED_MEANWHILE, Why.NO_SPACE)),
    Verb("settle_box", Empty, views.Nothing, _W, "The card belongs into this machine from now on", "POST",
         "/box/settle", (Why.NO_SPACE,)),
    Verb("get_webhook", Empty, WebhookView, _R, "Who is told of calls that ended", "GET", "/webhook"),
    Verb("update_webhook", UpdateWebhook, WebhookView, _W, "Change who is told of calls that ended", "PUT", "/webhook",
         (Why.CHANGED_MEANWHILE, Why.NO_SPACE)),
    Verb("try_webhook", Empty, Attempt, _W, "Send a test to the webhook", "POST", "/webhook/test", (Why.NOT_NOW,)),
    Verb("list_deliveries", ListDeliveries, Deliveries, _R, "What the webhook was told, newest first", "GET",
         "/webhook/deliveries"),
    Verb("resend_delivery", ById, views.Nothing, _W, "Tell the webhook again now", "POST",
         "/webhook/deliveries/{id}/resend", LIFE),
    Verb("get_mail_server", Empty, MailServerView, _R, "Who carries e-mails after a call", "GET", "/mail-server"),
    Verb("update_mail_server", UpdateMailServer, MailServerView, _W, "Change who carries e-mails after a call", "PUT",
         "/mail-server", (Why.CHANGED_MEANWHILE, Why.NO_SPACE)),
    Verb("try_mail_server", TryMailServer, Attempt, _W, "Send a test message", "POST", "/mail-server/test",
         (Why.NOT_NOW,)),
    Verb("list_letters", ListLetters, Letters, _R, "E-mails after calls, newest first", "GET", "/mail-server/letters"),
    Verb("resend_letter", ById, views.Nothing, _W, "Send an e-mail again now", "POST",
         "/mail-server/letters/{id}/resend", LIFE),
    Verb("list_tokens", Empty, views.Tokens, _R, "API tokens, without the tokens themselves", "GET", "/tokens"),
    # Not in the REST API: whoever found a token could make another one, and would stay when the first is revoked.
    Verb("create_token", CreateToken, views.TokenView, _W, "Add an API token", refuses=_MAKE_TOKEN, created=True),
    Verb("check_token", CheckToken, views.TokenView, _R, "Whose API token this is", refuses=LOOK),
    Verb("delete_token", ById, views.Nothing, _W, "Revoke an API token", "DELETE", "/tokens/{id}", LIFE),
    Verb("make_backup", keeping.MakeBackup, keeping.FileView, _K,
         "All settings with their secrets, sealed with a passphrase", "POST", "/backup", (Why.NOT_NOW,)),
    Verb("preview_backup", keeping.OpenBackup, keeping.BackupPreview, _K,
         "What a backup would bring, changing nothing", "POST", "/backup/preview"),
    Verb("restore_backup", keeping.RestoreBackup, views.Nothing, _K,
         "Replace all settings by those of a previewed backup", "POST", "/backup/{id}/restore",
         (Why.NOT_FOUND, Why.NOT_NOW, Why.NO_SPACE)),
    Verb("factory_reset", keeping.FactoryReset, views.Nothing, _K,
         "Forget all settings, or everything, and start again", "POST", "/factory-reset", (Why.NOT_NOW, Why.NO_SPACE)),
    Verb("get_support_bundle", Empty, keeping.FileView, _R, "What helps others to help, without personal data", "GET",
         "/support-bundle"),
    Verb("get_update", Empty, UpdateView, _R, "Which version runs, and what became of the last update", "GET",
         "/update"),
    # Not in the REST API: the bundle itself comes by the page, and whoever installs it stays to see what becomes of it.
    Verb("check_update", Empty, UpdateView, _W, "Look whether the uploaded update may be installed",
         refuses=(Why.NOT_NOW,)),
    Verb("install_update", Empty, UpdateView, _W, "Install the checked update", refuses=(Why.NOT_NOW,)),
    Verb("look_for_update", Empty, UpdateView, _W, "Ask whether there is a newer version", "POST", "/update/look",
         (Why.NOT_NOW,)),
    Verb("restart_box", RestartBox, views.Nothing, _W, "Restart the box, now or later", refuses=(Why.NOT_NOW,)),
    # The page's own part of a reset: its password and its certificate.
    Verb("get_reset", Empty, keeping.ResetToFollow, _K, "Whether the box was reset and the page was not yet"),
    Verb("reset_followed", ById, views.Nothing, _K, "The page was reset too"),
)  # fmt: skip

VERBS = {verb.name: verb for verb in (*_TABLE, *CAMPAIGN_VERBS)}


class EventKind(Enum):
    """`id` of the event: the agent's, the connection's, the session's, the call's or the campaign's."""

    AGENT = "agent"
    REGISTRATION = "registration"
    SESSION = "session"
    CALL = "call"
    LOG = "log"
    SETTINGS = "settings"
    WEBHOOK = "webhook"
    MAIL = "mail"
    CAMPAIGN = "campaign"
    UPDATE = "update"


class Event(Settings):
    """Something changed. What is told is *that*: whoever shows it looks again. Sent as one JSON line each."""

    kind: EventKind
    id: str = ""
