"""Verbs of API tokens: who has one and what it may do. Tokens themselves never come here, only their hashes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from firmware.control.events import Events
from firmware.control.refusing import not_found, taken
from firmware.storage import SqliteLedger, StorageFault, records, token_records

MOST_TOKENS = 50
"""One for each program of an office that asks the box, and then some; a list that a person can still look through."""

NOTED = timedelta(minutes=1)
"""How exactly it is known when a token was last used: an SD card need not take a write for each request."""

_TOO_MANY = Refusal(
    why=Why.NOT_NOW,
    text=f"The token was not made: there are {MOST_TOKENS} already. Revoke one that nobody uses any more, then try "
    "again.",
)
_UNKNOWN = Refusal(why=Why.NOT_FOUND, text="The box knows no such token: it was revoked, or never made here.")


class TokenVerbs:
    def __init__(
        self, store: SqliteLedger, events: Events, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._events, self._now = store, events, now

    async def list_tokens(self, _: verbs.Empty) -> views.Tokens:
        found = await self._store.transact(token_records.read_tokens)
        return views.Tokens(items=tuple(_view(each) for each in found))

    async def create_token(self, ask: verbs.CreateToken) -> views.TokenView | Refusal:
        fresh = token_records.TokenRecord(records.new_id(), ask.name, _in_order(ask.scopes), self._now(), None)

        def add(db: records.Db) -> views.TokenView | Refusal:
            if len(token_records.read_tokens(db)) >= MOST_TOKENS:
                return _TOO_MANY
            if why := token_records.add_token(db, fresh, ask.sha256):
                return taken(why, "token")
            return _view(fresh)

        answer = await self._store.transact(add)
        if isinstance(answer, views.TokenView):
            self._tell()
        return answer

    async def check_token(self, ask: verbs.CheckToken) -> views.TokenView | Refusal:
        found = await self._store.transact(lambda db: token_records.find_token(db, ask.sha256))
        if found is None:
            return _UNKNOWN
        now = self._now()
        if found.last_used_at is None or abs(now - found.last_used_at) >= NOTED:
            with suppress(StorageFault):  # a disk that takes nothing locks nobody out
                await self._store.transact(lambda db: token_records.note_use(db, found.id, now))
        return _view(found)

    async def delete_token(self, ask: verbs.ById) -> views.Nothing | Refusal:
        if not await self._store.transact(lambda db: token_records.delete_token(db, ask.id)):
            return not_found("token")
        self._tell()
        return views.Nothing()

    def _tell(self) -> None:
        self._events.changed(verbs.EventKind.SETTINGS)


def _in_order(scopes: tuple[views.Scope, ...]) -> tuple[views.Scope, ...]:
    return tuple(scope for scope in views.Scope if scope in scopes)


def _view(record: token_records.TokenRecord) -> views.TokenView:
    return views.TokenView(
        id=record.id,
        name=record.name,
        scopes=record.scopes,
        created_at=record.created_at,
        last_used_at=record.last_used_at,
    )
