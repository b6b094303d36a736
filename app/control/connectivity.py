"""What the box tells of Settings > Connectivity: frozen models without a secret."""

from __future__ import annotations

from pydantic import Base64Bytes, Field

from app.engines import Engine, Role, role_of
from app.settings import Settings


class ConnectivityView(Settings):
    """`version` goes into the next edit as `if_version`. `built_in`: it came with the box and stays. `agents`: who uses
    it, by name. `unreadable`: its key must be entered again."""

    id: str
    version: int
    name: str
    description: str
    engine: Engine
    built_in: bool
    agents: tuple[str, ...]
    has_key: bool = False
    unreadable: bool = False

    @property
    def role(self) -> Role:
        """What it does for an agent."""
        return role_of(self.engine)


class ConnectivityList(Settings):
    items: tuple[ConnectivityView, ...]


class ConnectivityTest(Settings):
    """How a test went. `text`: one sentence with the cause, and what to do, where it did not work. `said`: what the box
    said or asked. `heard`: what came of it, as each recogniser understood it, or as the language model answered.
    `first_ms`: until the first sound or word; `took_ms`: until the end. `sound_id`: what can be listened to."""

    worked: bool
    text: str
    said: str = Field(default="", repr=False)
    heard: tuple[str, ...] = Field(default=(), repr=False)
    first_ms: int = 0
    took_ms: int = 0
    sound_id: str = ""


class Sound(Settings):
    """A WAV file, in base64 where it is JSON."""

    wav: Base64Bytes = Field(repr=False)
