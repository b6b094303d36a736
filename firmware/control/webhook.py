"""Verbs of the webhook: who is told of calls that ended, and how the telling goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.webhook import (
    Attempt,
    Deliveries,
    DeliveryView,
    ListDeliveries,
    UpdateWebhook,
    Webhook,
    WebhookDraft,
    WebhookView,
)
from firmware.control.events import Events
from firmware.control.refusing import missed, not_found
from firmware.storage import SqliteLedger, records, webhook_records
from firmware.storage.webhook_records import WebhookRecord
from firmware.vault import Unreadable, Vault
from firmware.webhooks import TEST, Webhooks

_NEEDS_SECRET = Refusal(
    why=Why.INVALID,
    text="The webhook was not saved: it needs a secret, with which the receiver checks that this box is speaking.",
    fields={"secret": "enter a secret, and give it to the receiver too"},
)
_NOT_SET_UP = Refusal(
    why=Why.NOT_NOW, text="No test was sent: the webhook has no address, or its secret cannot be read. Save both first."
)


class WebhookVerbs:
    def __init__(self, store: SqliteLedger, vault: Vault, webhooks: Webhooks, events: Events) -> None:
        self._store, self._vault, self._webhooks, self._events = store, vault, webhooks, events

    async def get_webhook(self, _: verbs.Empty) -> WebhookView:
        return await self._store.transact(self._view)

    async def update_webhook(self, ask: UpdateWebhook) -> WebhookView | Refusal:
        def write(db: records.Db) -> WebhookView | Refusal:
            record = self._changed(webhook_records.read_webhook(db), ask.draft)
            if record.settings.url and record.secret is None:
                return _NEEDS_SECRET
            why = webhook_records.write_webhook(db, record, ask.if_version)
            return missed(why, "webhook") if why else self._view(db)

        answer = await self._store.transact(write)
        if not isinstance(answer, Refusal):
            self._webhooks.wake()
            self._events.changed(verbs.EventKind.WEBHOOK)
        return answer

    async def try_webhook(self, _: verbs.Empty) -> Attempt | Refusal:
        """One delivery without a call, which is not repeated and not kept."""
        record = await self._store.transact(webhook_records.read_webhook)
        secret = self._webhooks.secret_of(record)
        if not record.settings.url or not isinstance(secret, SecretStr):
            return _NOT_SET_UP
        return await self._webhooks.told(record.settings.url, secret, TEST)

    async def list_deliveries(self, ask: ListDeliveries) -> Deliveries:
        found = await self._store.transact(lambda db: webhook_records.OUTBOX.find(db, ask.state, ask.before, ask.limit))
        items = tuple(_delivery(row) for row in found[: ask.limit])
        return Deliveries(items=items, before=items[-1].id if len(found) > ask.limit else None)

    async def resend_delivery(self, ask: verbs.ById) -> views.Nothing | Refusal:
        again = await self._store.transact(lambda db: webhook_records.OUTBOX.send_again(db, ask.id, datetime.now(UTC)))
        if not again:
            return not_found("delivery that somebody still waits for")
        self._webhooks.wake()
        self._events.changed(verbs.EventKind.WEBHOOK)
        return views.Nothing()

    def _changed(self, record: WebhookRecord, draft: WebhookDraft) -> WebhookRecord:
        version, secret = record.version + 1, record.secret
        if draft.secret is not None:
            sealed = self._vault.seal("webhook", webhook_records.ID, "secret", version, draft.secret)
            secret = records.Sealed(sealed, version)
        return WebhookRecord(version, Webhook(**draft.model_dump(exclude={"secret"})), secret)

    def _view(self, db: records.Db) -> WebhookView:
        record = webhook_records.read_webhook(db)
        return WebhookView(
            version=record.version,
            settings=record.settings,
            has_secret=record.secret is not None,
            unreadable=isinstance(self._webhooks.secret_of(record), Unreadable),
            waiting=webhook_records.OUTBOX.count(db, "waiting"),
            given_up=webhook_records.OUTBOX.count(db, "given up"),
        )


def _delivery(row: dict[str, Any]) -> DeliveryView:
    names = ("id", "event", "created_at", "state", "next_at")
    attempts = [{name: each[name] for name in Attempt.model_fields} for each in row["tries"]]
    told = {name: row[name] for name in names}
    return DeliveryView.model_validate(told | {"session_id": row["session_id"] or "", "attempts": attempts})
