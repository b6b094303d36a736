"""Verbs of the mail server: who carries e-mails after a call, and how the sending goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import trio
from pydantic import SecretStr

from app.control import verbs, views
from app.control.mail import (
    Letters,
    LetterView,
    ListLetters,
    MailServer,
    MailServerDraft,
    MailServerView,
    TryMailServer,
    UpdateMailServer,
)
from app.control.refusals import Refusal, Why
from app.control.webhook import Attempt
from firmware import mail
from firmware.control.events import Events
from firmware.control.refusing import missed, not_found
from firmware.storage import SqliteLedger, letter_records, records
from firmware.storage.letter_records import MailRecord
from firmware.vault import Unreadable, Vault

_PATIENCE_S = 18.0
"""For a test: who tries the mail server on the page waits for 20 s."""

_TOO_SLOW = f"the mail server took longer than {_PATIENCE_S:.0f} s: check port and encryption, then try again"
_NEEDS_PASSWORD = Refusal(
    why=Why.INVALID,
    text="The mail server was not saved: its password is needed. One that is stored is sent to the server and for the "
    "user that it was entered for, and to nobody else.",
    fields={"password": "enter the password of this user on this server"},
)
_NOT_SET_UP = Refusal(
    why=Why.NOT_NOW,
    text="No test was sent: there is no mail server yet, or its password cannot be read. Save both first.",
)


class MailVerbs:
    def __init__(self, store: SqliteLedger, vault: Vault, letters: mail.Letters, events: Events) -> None:
        self._store, self._vault, self._letters, self._events = store, vault, letters, events

    async def get_mail_server(self, _: verbs.Empty) -> MailServerView:
        return await self._store.transact(self._view)

    async def update_mail_server(self, ask: UpdateMailServer) -> MailServerView | Refusal:
        def write(db: records.Db) -> MailServerView | Refusal:
            record = self._changed(letter_records.read_server(db), ask.draft)
            if record.settings.user and record.password is None:
                return _NEEDS_PASSWORD
            why = letter_records.write_server(db, record, ask.if_version, datetime.now(UTC))
            return missed(why, "mail server") if why else self._view(db)

        answer = await self._store.transact(write)
        if not isinstance(answer, Refusal):
            self._letters.try_again()
            self._events.changed(verbs.EventKind.MAIL)
        return answer

    async def try_mail_server(self, ask: TryMailServer) -> Attempt | Refusal:
        """One message without a call, which is not repeated and not kept."""
        record = await self._store.transact(letter_records.read_server)
        password = self._letters.password_of(record)
        if not record.settings.host or isinstance(password, Unreadable):
            return _NOT_SET_UP
        at = datetime.now(UTC)
        with trio.move_on_after(_PATIENCE_S):
            return await self._letters.tried(record.settings, password, ask.to)
        return Attempt(at=at, status=0, problem=_TOO_SLOW, took_ms=round(_PATIENCE_S * 1000))

    async def list_letters(self, ask: ListLetters) -> Letters:
        found = await self._store.transact(lambda db: letter_records.OUTBOX.find(db, ask.state, ask.before, ask.limit))
        items = tuple(_letter(row) for row in found[: ask.limit])
        return Letters(items=items, before=items[-1].id if len(found) > ask.limit else None)

    async def resend_letter(self, ask: verbs.ById) -> views.Nothing | Refusal:
        again = await self._store.transact(lambda db: letter_records.OUTBOX.send_again(db, ask.id, datetime.now(UTC)))
        if not again:
            return not_found("e-mail that is still to be sent")
        self._letters.try_again()
        self._events.changed(verbs.EventKind.MAIL)
        return views.Nothing()

    def _changed(self, record: MailRecord, draft: MailServerDraft) -> MailRecord:
        version, settings = record.version + 1, MailServer(**draft.model_dump(exclude={"password"}))
        return MailRecord(version, settings, self._password(record, settings, draft.password, version))

    def _password(
        self, before: MailRecord, settings: MailServer, typed: SecretStr | None, version: int
    ) -> records.Sealed | None:
        if not settings.user:
            return None
        if typed is None:
            same = (before.settings.host, before.settings.user) == (settings.host, settings.user)
            return before.password if same else None
        if not typed.get_secret_value():
            return None
        return records.Sealed(self._vault.seal("mail_server", letter_records.ID, "password", version, typed), version)

    def _view(self, db: records.Db) -> MailServerView:
        record = letter_records.read_server(db)
        return MailServerView(
            version=record.version,
            settings=record.settings,
            has_password=record.password is not None,
            unreadable=isinstance(self._letters.password_of(record), Unreadable),
            waiting=letter_records.OUTBOX.count(db, "waiting"),
            given_up=letter_records.OUTBOX.count(db, "given up"),
        )


def _letter(row: dict[str, Any]) -> LetterView:
    names = ("id", "session_id", "recipient", "created_at", "state", "next_at")
    attempts = [{name: each[name] for name in Attempt.model_fields} for each in row["tries"]]
    return LetterView.model_validate({name: row[name] for name in names} | {"attempts": attempts})
