"""A box with a webhook, on a real database and vault: only the calls are made up."""

from __future__ import annotations

import hmac
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import trio
import trio.testing
from pydantic import SecretStr

from app.control import verbs
from app.control.webhook import DeliveryView, ListDeliveries, UpdateWebhook, WebhookDraft, WebhookView
from app.outcomes import not_placed
from app.ports import Result
from firmware.control.events import Events
from firmware.control.webhook import WebhookVerbs
from firmware.storage import SqliteLedger, call_records, ledger
from firmware.vault import Vault, open_vault
from firmware.webhooks import Webhooks, open_client
from tests.fakes.webhook_receiver import Receiver
from tests.patience import PATIENCE_S

SECRET = "canary secret 7f3a"
QUICK_S = (0.02, 0.05, 0.05)
"""In place of a day: three more attempts."""


@dataclass
class Box:
    folder: Path
    store: SqliteLedger
    vault: Vault
    webhooks: Webhooks
    verbs: WebhookVerbs
    told: list[str]

    async def points_to(self, url: str, *, inbound: bool = False, secret: str | None = SECRET) -> WebhookView:
        version = (await self.verbs.get_webhook(verbs.Empty())).version
        draft = WebhookDraft(url=url, inbound=inbound, secret=SecretStr(secret) if secret else None)
        made = await self.verbs.update_webhook(UpdateWebhook(if_version=version, draft=draft))
        assert isinstance(made, WebhookView), made
        return made

    async def call(self, call_id: str = "c1", what: str = "call") -> str:
        """A call that was asked for, and is open; the id of its session."""
        new = call_records.NewCall(
            call_id, what, "a", "Reception", "l", "outbound", "+49 30 1234", "00301234", {"n": "Zoë"}
        )
        now = datetime.now(UTC)
        return await self.store.transact(lambda db: call_records.insert_call(db, new, None, now))

    async def ended(self, call_id: str = "c1", what: str = "call") -> str:
        session_id = await self.call(call_id, what)
        self.store.session_log(session_id).close(not_placed(Result.NETWORK_ERROR, "no way"), "", {})
        self.webhooks.wake()
        return session_id

    async def deliveries(self) -> tuple[DeliveryView, ...]:
        return (await self.verbs.list_deliveries(ListDeliveries())).items

    async def states(self) -> list[str]:
        return [each.state for each in await self.deliveries()]

    async def becomes(self, state: str) -> DeliveryView:
        """The latest delivery."""

        async def is_so() -> bool:
            return (await self.states())[:1] == [state]

        await eventually(is_so)
        return (await self.deliveries())[0]


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not await fact():  # noqa: ASYNC110 - the store tells nobody
            await trio.sleep(0.02)


@asynccontextmanager
async def box(
    folder: Path, *, delays_s: tuple[float, ...] = QUICK_S, trust: ssl.SSLContext | None = None
) -> AsyncGenerator[Box, None]:
    told: list[str] = []
    vault = open_vault(folder / "vault")
    async with ledger(folder / "box.sqlite") as store, open_client(trust) as client, trio.open_nursery() as nursery:
        webhooks = Webhooks(store, vault, client, lambda: told.append("changed"), delays_s=delays_s)
        nursery.start_soon(webhooks.run)
        yield Box(folder, store, vault, webhooks, WebhookVerbs(store, vault, webhooks, Events()), told)
        nursery.cancel_scope.cancel()


async def are(b: Box, states: list[str]) -> bool:
    return await b.states() == states


async def tried(b: Box, times: int) -> bool:
    found = await b.deliveries()
    return bool(found) and len(found[0].attempts) >= times


async def all_told(there: Receiver, count: int) -> bool:
    await trio.lowlevel.checkpoint()
    return len({json.loads(each.body)["call"]["id"] for each in there.told}) == count


def is_signed(request_body: bytes, header: str, secret: str = SECRET) -> bool:
    """As docs/api.md tells receivers to check it."""
    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), f"{fields['t']}.".encode() + request_body, sha256).hexdigest()
    fresh = abs(int(fields["t"]) - datetime.now(UTC).timestamp()) < 300
    return fresh and hmac.compare_digest(expected, fields["v1"])


def holding(folder: Path, secret: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and secret in file.read_bytes()]
