"""The webhook: who is told of calls that ended, and how the telling goes."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, field_validator

from app.settings import OneLine, Secret, Settings
from app.web_addresses import web_address

SHORTEST_SECRET = 16
"""Characters: whoever could guess it could tell lies in the box's name."""

_NO_URL = "must be the address of a program that takes webhooks, e.g. https://crm.example.com/calls, without a password"


class Webhook(Settings):
    """`url`: empty for none. `inbound`: tell of calls that come in, too."""

    url: OneLine = Field(default="", max_length=500)
    inbound: bool = False

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        return web_address(value, _NO_URL)


class WebhookDraft(Webhook):
    """As a form sends it: a `secret` that is None stays as it is stored."""

    secret: Secret | None = None

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: Secret | None) -> Secret | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters, so that nobody guesses it")
        return value


class WebhookView(Settings):
    """`unreadable`: the secret must be entered again. `waiting`: deliveries that are to be made. `given_up`: those that
    nobody took for a day."""

    version: int
    settings: Webhook
    has_secret: bool
    unreadable: bool
    waiting: int
    given_up: int


class Attempt(Settings):
    """`status`: of the answer, 0 if none came. `problem`: empty where it was taken."""

    at: datetime
    status: int
    problem: str
    took_ms: int


class DeliveryView(Settings):
    """One event for the webhook. `session_id`: empty where it is none of a call. `next_at`: of the next attempt, while
    it is waiting. `attempts`: oldest first."""

    id: str
    event: str
    session_id: str
    created_at: datetime
    state: Literal["waiting", "delivered", "given up"]
    next_at: datetime | None
    attempts: tuple[Attempt, ...]


class Deliveries(Settings):
    """Newest first. `before`: ask with it for the next page, None at the end."""

    items: tuple[DeliveryView, ...]
    before: str | None


class UpdateWebhook(Settings):
    if_version: int = Field(ge=0, le=2**53)
    draft: WebhookDraft


class ListDeliveries(Settings):
    """`before`: the id of a delivery. `state` empty: all."""

    state: Literal["", "waiting", "delivered", "given up"] = ""
    before: str | None = Field(default=None, max_length=64)
    limit: int = Field(default=50, ge=1, le=200)
