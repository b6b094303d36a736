"""The mail server: who carries the e-mails after a call, and how the sending goes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from app.control.webhook import Attempt
from app.mail_addresses import MAIL_ADDRESS, MailAddress, mail_address
from app.settings import OneLine, Secret, Settings
from app.web_addresses import is_public

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+")  # or IPv6
IN_CLEAR = "without encryption, strangers could read what callers say: that is for servers in your own network only"


class MailServer(Settings):
    """`host`: empty for none. `user`: empty where the server wants neither user nor password. `sender`: whom the
    e-mails are from."""

    host: str = Field(
        default="",
        max_length=253,
        examples=["smtp.example.com"],
        json_schema_extra={"pattern": f"^(?:{_HOST.pattern})?$"},
    )
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: OneLine = Field(default="", max_length=200)
    sender: str = Field(
        default="",
        max_length=254,
        validate_default=True,
        json_schema_extra={"pattern": f"^(?:{MAIL_ADDRESS.pattern})?$"},
    )

    @field_validator("host")
    @classmethod
    def _name_or_address(cls, value: str) -> str:
        if value and not _HOST.fullmatch(value):
            raise ValueError('must be the name or address of a mail server, e.g. "smtp.example.com", and nothing else')
        return value

    @field_validator("security")
    @classmethod
    def _nobody_listens(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and is_public(info.data.get("host", "")):
            raise ValueError(f"{IN_CLEAR}. Choose STARTTLS or TLS")
        return value

    @field_validator("user")
    @classmethod
    def _ascii(cls, value: str) -> str:
        return _plain(value)

    @field_validator("sender")
    @classmethod
    def _somebody(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("host"):
            raise ValueError("must not be empty: mail servers take nothing without a sender")
        return mail_address(value) if value else ""


class MailServerDraft(MailServer):
    """As a form sends it: a `password` that is None stays as it is stored, for the same server and user only."""

    password: Secret | None = None

    @field_validator("password")
    @classmethod
    def _typed(cls, value: Secret | None) -> Secret | None:
        if value is not None:
            _plain(value.get_secret_value())
        return value


class MailServerView(Settings):
    """`unreadable`: the password must be entered again. `waiting`: e-mails that are to be sent. `given_up`: those that
    nobody took."""

    version: int
    settings: MailServer
    has_password: bool
    unreadable: bool
    waiting: int
    given_up: int


class LetterView(Settings):
    """One e-mail to one address. `next_at`: of the next attempt, while it is waiting. `attempts`: oldest first; their
    `status` is the mail server's code, 0 where none came."""

    id: str
    session_id: str
    recipient: str = Field(repr=False)
    created_at: datetime
    state: Literal["waiting", "delivered", "given up"]
    next_at: datetime | None
    attempts: tuple[Attempt, ...]


class Letters(Settings):
    """Newest first. `before`: ask with it for the next page, None at the end."""

    items: tuple[LetterView, ...]
    before: str | None


class UpdateMailServer(Settings):
    if_version: int = Field(ge=0, le=2**53)
    draft: MailServerDraft


class TryMailServer(Settings):
    """`to`: whom a test is sent to."""

    to: MailAddress = Field(repr=False)


class ListLetters(Settings):
    """`before`: the id of an e-mail. `state` empty: all."""

    state: Literal["", "waiting", "delivered", "given up"] = ""
    before: str | None = Field(default=None, max_length=64)
    limit: int = Field(default=50, ge=1, le=200)


def _plain(value: str) -> str:
    """SMTP's log-in was made for ASCII, and servers differ in what they make of the rest."""
    if not value.isascii():
        raise ValueError("must consist of unaccented letters, digits and signs: give the mailbox such a password")
    return value
