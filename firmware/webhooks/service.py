"""Deliveries made of what ended, and made until somebody takes them. See the package."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import trio
from pydantic import SecretStr

from app.control.webhook import Attempt
from app.outbound.deliveries import DELAYS_S, next_attempt, wait_s
from firmware.rounds import Rounds
from firmware.storage import SqliteLedger, records, webhook_records
from firmware.storage.webhook_records import Delivery, WebhookRecord
from firmware.vault import Unreadable, Vault
from firmware.webhooks.body import call_ended
from firmware.webhooks.client import WebhookClient, open_client

AT_ONCE = 4
"""Deliveries under way: a receiver that takes 10 s for each keeps up with an office."""

_LOOK_S = 60.0
"""What ended is told of at once; this is for a clock that was set, and for what was missed."""

TEST = Delivery("test", "test", '{"event": "test", "delivery": "test"}', 0, datetime.min)
"""To see whether a receiver is there, and knows the secret."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Webhooks:
    """Made by `run_webhooks`. `changed` hears that a delivery was made, or tried."""

    def __init__(
        self,
        store: SqliteLedger,
        vault: Vault,
        client: WebhookClient,
        changed: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
        delays_s: tuple[float, ...] = DELAYS_S,
    ) -> None:
        self._store, self._vault, self._client, self._changed = store, vault, client, changed
        self._now, self._delays_s = now, delays_s
        self._rounds = Rounds("webhooks")

    def wake(self) -> None:
        """A call ended, the webhook was edited, or a delivery is wanted now."""
        self._rounds.wake()

    def secret_of(self, webhook: WebhookRecord) -> SecretStr | Unreadable | None:
        """None where there is none."""
        if webhook.secret is None:
            return None
        return self._vault.unseal("webhook", webhook_records.ID, "secret", webhook.secret.revision, webhook.secret.data)

    async def run(self) -> None:
        """Until cancelled."""
        await self._rounds.run(self._one_round)

    async def _one_round(self) -> float:
        """Make what is due; how long to wait until the next round. Raises: StorageFault, possibly in a group."""
        webhook, waiting = await self._store.transact(self._read)
        secret = self.secret_of(webhook)
        if not webhook.settings.url or not isinstance(secret, SecretStr):
            return _LOOK_S
        pauses_s = {each.id: wait_s(each.next_at, self._now(), max(self._delays_s)) for each in waiting}
        due = [each for each in waiting if not pauses_s[each.id]]
        async with trio.open_nursery() as nursery:
            for each in due:
                nursery.start_soon(self._deliver, webhook.settings.url, secret, each)
        return 0.0 if due else min([_LOOK_S, *pauses_s.values()])

    def _read(self, db: records.Db) -> tuple[WebhookRecord, list[Delivery]]:
        webhook = webhook_records.read_webhook(db)
        if webhook.settings.url:
            webhook_records.take_ended(db, webhook.settings, call_ended, self._now())
        return webhook, webhook_records.read_waiting(db, AT_ONCE)

    async def _deliver(self, url: str, secret: SecretStr, delivery: Delivery) -> None:
        """Raises: StorageFault; it is told again then."""
        attempt, attempts = await self.told(url, secret, delivery), delivery.attempts + 1
        next_at = next_attempt(attempts, self._now(), self._delays_s) if attempt.problem else None
        await self._store.transact(lambda db: webhook_records.OUTBOX.note_attempt(db, delivery.id, attempt, next_at))
        if attempt.problem:
            _log.warning("a webhook was not taken", extra={"attempt": attempts, "problem": attempt.problem})
        self._changed()

    async def told(self, url: str, secret: SecretStr, delivery: Delivery) -> Attempt:
        """Tell it once, and note nothing."""
        at, began = self._now(), trio.current_time()
        answered = await self._client.post(url, secret, delivery.event, delivery.id, delivery.body, int(at.timestamp()))
        took_ms = round((trio.current_time() - began) * 1000)
        return Attempt(at=at, status=answered.status, problem=answered.problem, took_ms=took_ms)


async def run_webhooks(
    store: SqliteLedger, vault: Vault, changed: Callable[[], None], *, task_status: trio.TaskStatus[Webhooks]
) -> None:
    """The service, for `firmware.lifetimes.serving`."""
    async with open_client() as client:
        webhooks = Webhooks(store, vault, client, changed)
        task_status.started(webhooks)
        await webhooks.run()
