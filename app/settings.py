"""What a user can set, as frozen models: the only place where settings are validated.

Unknown keys are refused, and secrets are opaque in `repr` and in errors. Report a `ValidationError` with
`errors(include_input=False, include_url=False)` only: its other forms hold what was typed.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_SIP_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]{1,64}")  # RFC 3261 25.1 `user`, plus # for PBX codes


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Connection(Settings):
    """A SIP account at the PBX, as its administrator gave it out."""

    name: Words
    description: str = Field(default="", max_length=500)
    domain: str
    user: str
    password: SecretStr
    login: SecretStr | None = None
    caller_id: str = Field(default="", max_length=64)
    transport: Literal["udp", "tcp"] = "udp"
    proxy: str = ""
    expiry_s: int = Field(default=300, ge=60, le=7200)
    local_port: int = Field(default=0, ge=0, le=65535, description="0: any free port")

    @field_validator("domain", "proxy")
    @classmethod
    def _host(cls, value: str) -> str:
        if value and not _HOST.fullmatch(value):
            raise ValueError('must be a host name or address, optionally with a port, e.g. "pbx.office.lan:5060"')
        return value

    @field_validator("domain")
    @classmethod
    def _domain_given(cls, value: str) -> str:
        if not value:
            raise ValueError("must not be empty: it is the address of the PBX")
        return value

    @field_validator("user")
    @classmethod
    def _user(cls, value: str) -> str:
        if not _SIP_USER.fullmatch(value):
            raise ValueError("must be the extension or user name that the PBX gave out, without sip: and domain")
        return value


class Knowledge(Settings):
    """One thing the agent knows: ways to ask for it, and the answer in its owner's words."""

    questions: tuple[Words, ...] = Field(min_length=1, max_length=30)
    answer: Text


class Person(Settings):
    """Somebody callers may ask for."""

    name: Words
    extension: str = Field(default="", max_length=32)
    also: tuple[Words, ...] = Field(default=(), description="departments, duties: other words for this person")


class Agent(Settings):
    """An agent: what it says, what it knows, and how it behaves in a call."""

    name: Words
    greeting: str = Field(default="", max_length=500, description="empty: wait for the caller to speak first")
    hours: str = Field(default="", max_length=500)
    knowledge: tuple[Knowledge, ...] = Field(default=(), max_length=200)
    directory: tuple[Person, ...] = Field(default=(), max_length=200)
    vocabulary: tuple[Words, ...] = Field(default=(), max_length=500, description="other words to recognise")
    goodbye: Text = "Thank you for calling. Good-bye."
    voice: Literal["slt", "rms"] = "slt"
    max_opened_sessions: int = Field(default=2, ge=1, le=16)
    pause_ms: int = Field(default=450, ge=200, le=3000, description="silence after which the agent answers")
    barge_in: bool = True
    silence_s: float = Field(default=60.0, ge=5.0, le=600.0)

    @model_validator(mode="after")
    def _something_to_do(self) -> Agent:
        names = [person.name.casefold() for person in self.directory]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"directory names somebody twice ({len(doubled)} name(s)): give each a name of their own")
        return self
