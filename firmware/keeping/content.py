"""What a backup holds: the settings of one moment with their secrets in clear, as lines of JSON, packed. Pure.

    first line    the head: the format, when and by which software it was made, the settings of the box itself, its
                  webhook, its mail server
    other lines   a connection, a connectivity entry, an agent, a file that one knows, a tool of
                  one, a campaign without
                  its participants, or a part of the
                  do-not-call list each

Lines, so that no step holds the GIL for longer than one agent takes; still, make and read them in a thread.
Not in it: what came with the box, sessions and recordings, the log, API tokens, the password of the page; whom
campaigns call, and what became of it.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from app.control.documents import MOST_PASSAGES
from app.control.http_tools import HeaderValue
from app.control.mail import MailServer
from app.control.views import AgentPlan
from app.control.webhook import Webhook
from app.engines import Engine
from app.http_tools import MOST_HEADERS, HeaderName, HttpTool, function_name
from app.outbound.campaign import Campaign
from app.settings import REVEAL_SECRETS, Account, Box, Secret, Settings
from firmware.vault import BackupRefusal

# Unpacked; ten times what packs into the largest file. Whoever made a file that grows to more did not use Deskbell.
LARGEST_BYTES = 16 * 1024 * 1024

DO_NOT_CALL_AT_ONCE = 500

_ID = Field(min_length=1, max_length=64)
_VERSION = Field(ge=0, le=2**53)


class WebhookCopy(Settings):
    """A secret that could not be read when the backup was made is None."""

    settings: Webhook
    secret: Secret | None


class MailServerCopy(Settings):
    """A password that could not be read when the backup was made is None."""

    settings: MailServer
    password: Secret | None


class Head(Settings):
    deskbell_backup: Literal[1] = 1
    made_at: datetime
    software: str
    box: Box
    webhook: WebhookCopy | None = None
    mail_server: MailServerCopy | None = None


class ConnectionCopy(Settings):
    """A secret that could not be read when the backup was made is None."""

    kind: Literal["connection"] = "connection"
    id: str = _ID
    version: int = _VERSION
    account: Account
    password: Secret | None
    login: Secret | None


class ConnectivityCopy(Settings):
    """A key that could not be read when the backup was made is None."""

    kind: Literal["connectivity"] = "connectivity"
    id: str = _ID
    version: int = _VERSION
    name: str
    description: str
    engine: Engine
    api_key: Secret | None = None


class AgentCopy(Settings):
    kind: Literal["agent"] = "agent"
    id: str = _ID
    version: int = _VERSION
    plan: AgentPlan
    should_run: bool


class DocumentCopy(Settings):
    """A file that an agent knows. `passages`: into which it was cut."""

    kind: Literal["document"] = "document"
    id: str = _ID
    agent_id: str = _ID
    name: str = Field(min_length=1, max_length=80)
    added_at: datetime
    passages: tuple[str, ...] = Field(max_length=MOST_PASSAGES, repr=False)


class ToolCopy(Settings):
    """A program that an agent may ask. `values`: of its headers; those that could not be read are not there."""

    kind: Literal["tool"] = "tool"
    id: str = _ID
    agent_id: str = _ID
    version: int = _VERSION
    tool: HttpTool
    values: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=MOST_HEADERS)


class CampaignCopy(Settings):
    """Without its participants: restored, it has not been started."""

    kind: Literal["campaign"] = "campaign"
    id: str = _ID
    version: int = _VERSION
    settings: Campaign


class DoNotCallNumber(Settings):
    """As it stands in the list."""

    number: str = Field(max_length=200, repr=False)
    canonical: str = Field(min_length=1, max_length=200, repr=False)
    note: str = Field(max_length=500, repr=False)
    source: Literal["person", "caller"]
    session_id: str = Field(max_length=64)
    added_at: datetime


class DoNotCallCopy(Settings):
    """A part of the list: so many that reading them takes a millisecond."""

    kind: Literal["do-not-call"] = "do-not-call"
    numbers: tuple[DoNotCallNumber, ...] = Field(max_length=DO_NOT_CALL_AT_ONCE, repr=False)


Copy = ConnectionCopy | ConnectivityCopy | AgentCopy | DocumentCopy | ToolCopy | CampaignCopy | DoNotCallCopy

_COPY: TypeAdapter[Copy] = TypeAdapter(Annotated[Copy, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True)
class Content:
    head: Head
    connections: tuple[ConnectionCopy, ...]
    connectivity: tuple[ConnectivityCopy, ...]
    agents: tuple[AgentCopy, ...]
    campaigns: tuple[CampaignCopy, ...] = ()
    do_not_call: tuple[DoNotCallCopy, ...] = ()
    documents: tuple[DocumentCopy, ...] = ()
    tools: tuple[ToolCopy, ...] = ()


def packed(content: Content) -> bytes | None:
    """None: `unpacked` would find it too large."""
    copies: Iterable[Settings] = (
        *content.connections,
        *content.connectivity,
        *content.agents,
        *content.campaigns,
        *content.do_not_call,
        *content.documents,
        *content.tools,
    )
    text = b"\n".join(each.model_dump_json(context=REVEAL_SECRETS).encode() for each in (content.head, *copies))
    return zlib.compress(text) if len(text) <= LARGEST_BYTES else None


def unpacked(payload: bytes) -> Content | BackupRefusal:
    """`payload` is authentic: whatever this version does not know in it, a newer one wrote."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(payload, LARGEST_BYTES)
    except zlib.error:
        return BackupRefusal.DAMAGED
    if not unpacker.eof:
        return BackupRefusal.DAMAGED
    try:
        return _read(io.BytesIO(text))
    except ValidationError:
        return BackupRefusal.NEWER_VERSION


def misfit(content: Content, built_in: dict[str, str]) -> BackupRefusal | None:
    """Why its parts do not make a box together with what came with this one: `built_in`, names by id."""
    known = {*built_in, *(each.id for each in content.connectivity)}
    chosen = {each for agent in content.agents for each in _chosen(agent.plan)}
    if chosen - known:
        return BackupRefusal.NEWER_VERSION  # it came with the box that made it
    lists = (
        [each.id for each in content.connections],
        [each.id for each in content.agents],
        [each.id for each in content.campaigns],
        [each.id for each in content.documents],
        [each.id for each in content.tools],
        [f"{each.agent_id} {function_name(each.tool.name)}" for each in content.tools],
        [_folded(each.settings.name) for each in content.campaigns],
        [*built_in, *(each.id for each in content.connectivity)],
        [_folded(each.account.name) for each in content.connections],
        [_folded(each.plan.settings.name) for each in content.agents],
        [_folded(name) for name in (*built_in.values(), *(each.name for each in content.connectivity))],
        [each.connection_id for agent in content.agents for each in agent.plan.attachments if each.inbound],
        *([each.connection_id for each in agent.plan.attachments] for agent in content.agents),
    )
    attached = {each.connection_id for agent in content.agents for each in agent.plan.attachments}
    owners = {each.agent_id for each in content.documents} | {each.agent_id for each in content.tools}
    whole = owners <= set(lists[1]) and attached <= set(lists[0]) and not any(_has_doubles(each) for each in lists)
    return None if whole else BackupRefusal.DAMAGED


def _read(lines: io.BytesIO) -> Content:
    """Raises: ValidationError."""
    head = Head.model_validate_json(lines.readline())
    copies = [_COPY.validate_json(line) for line in lines]
    return Content(
        head,
        tuple(each for each in copies if isinstance(each, ConnectionCopy)),
        tuple(each for each in copies if isinstance(each, ConnectivityCopy)),
        tuple(each for each in copies if isinstance(each, AgentCopy)),
        tuple(each for each in copies if isinstance(each, CampaignCopy)),
        tuple(each for each in copies if isinstance(each, DoNotCallCopy)),
        tuple(each for each in copies if isinstance(each, DocumentCopy)),
        tuple(each for each in copies if isinstance(each, ToolCopy)),
    )


def _chosen(plan: AgentPlan) -> Iterator[str]:
    return (each for each in (plan.speech_to_text, plan.text_to_speech, plan.language_model) if each is not None)


def _folded(name: str) -> str:
    """As the database compares names: only the letters that ASCII has are the same, small and large."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def _has_doubles(values: list[str]) -> bool:
    return len(set(values)) < len(values)
