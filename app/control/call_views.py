"""What the box tells of calls that somebody asked for. Instants are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.settings import Settings


class CallView(Settings):
    """A call that was started from the page or the API. `dialled`: what the dial rules made of `remote`. `outcome` and
    what follows it mean the same as in `SessionView`. `loudness_dbfs`: of the half second that an echo test heard
    last."""

    id: str
    what: Literal["call", "echo test", "handset"]
    agent_id: str
    agent: str
    remote: str = Field(repr=False)
    dialled: str = Field(repr=False)
    variables: dict[str, str] = Field(repr=False)
    state: Literal["ringing", "talking", "over"]
    session_id: str
    placed_at: datetime
    connected_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    outcome_text: str
    conclusion: str
    sip_code: int | None
    ring_ms: int | None
    talk_ms: int | None
    ended_by: str | None
    results: dict[str, str] = Field(repr=False)
    loudness_dbfs: float | None = None


class Calls(Settings):
    """Newest first. `before`: ask with it for the next page, None at the end."""

    items: tuple[CallView, ...]
    before: str | None


class DialPreview(Settings):
    """`dialled`: empty where it cannot be dialled. `how`: what the number was taken for, or why it cannot."""

    dialled: str = Field(repr=False)
    how: str


class SoundDevices(Settings):
    """Names of sound devices with both a microphone and a speaker."""

    items: tuple[str, ...]
