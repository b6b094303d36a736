"""The verbs of API tokens on a real database."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.views import Scope
from firmware.control.events import Events
from firmware.control.tokens import MOST_TOKENS, NOTED, TokenVerbs
from firmware.storage import SqliteLedger, StorageFault, ledger

pytestmark = pytest.mark.contract

BEGIN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = field(default=BEGIN)

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def tokens(folder: Path, clock: Clock | None = None) -> AsyncGenerator[tuple[TokenVerbs, SqliteLedger], None]:
    async with ledger(folder / "box.sqlite") as store:
        yield TokenVerbs(store, Events(), clock or Clock()), store


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def made(verbs_: TokenVerbs, name: str = "Cron", *scopes: Scope) -> views.TokenView:
    ask = verbs.CreateToken(name=name, scopes=scopes or (Scope.READ,), sha256=sha256(name))
    answer = await verbs_.create_token(ask)
    assert isinstance(answer, views.TokenView)
    return answer


async def checked(verbs_: TokenVerbs, token: str) -> views.TokenView | Refusal:
    return await verbs_.check_token(verbs.CheckToken(sha256=sha256(token)))


async def test_a_token_is_known_by_its_hash_until_it_is_revoked(tmp_path: Path) -> None:
    async with tokens(tmp_path) as (t, _):
        token = await made(t, "Cron", Scope.CALL, Scope.READ, Scope.CALL)
        assert token.scopes == (Scope.READ, Scope.CALL)
        assert sha256("Cron") not in token.model_dump_json()
    async with tokens(tmp_path) as (t, _):
        assert await checked(t, "Cron") == token
        assert isinstance(await checked(t, "Corn"), Refusal)
        assert isinstance(await t.delete_token(verbs.ById(id=token.id)), views.Nothing)
        again = await t.delete_token(verbs.ById(id=token.id))
        assert isinstance(again, Refusal)
        assert again.why is Why.NOT_FOUND
        gone = await checked(t, "Cron")
        assert isinstance(gone, Refusal)
        assert gone.why is Why.NOT_FOUND
        assert await t.list_tokens(verbs.Empty()) == views.Tokens(items=())


async def test_its_use_is_noted_once_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    async with tokens(tmp_path, clock) as (t, _):
        assert (await made(t)).last_used_at is None
        noted = []
        for later in (timedelta(0), NOTED - timedelta(seconds=1), NOTED, timedelta(days=-20_000)):
            clock.now = BEGIN + later
            await checked(t, "Cron")
            noted.append((await t.list_tokens(verbs.Empty())).items[0].last_used_at)
    assert noted == [BEGIN, BEGIN, BEGIN + NOTED, BEGIN - timedelta(days=20_000)]


async def test_a_disk_that_takes_nothing_locks_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tokens(tmp_path) as (t, _):
        token = await made(t)

        def full(*_: object) -> None:
            raise StorageFault("the disk is full", full=True)

        monkeypatch.setattr("firmware.storage.token_records.note_use", full)
        assert await checked(t, "Cron") == token


async def test_a_name_is_given_once(tmp_path: Path) -> None:
    async with tokens(tmp_path) as (t, _):
        await made(t, "Cron")
        again = verbs.CreateToken(name="CRON", scopes=(Scope.READ,), sha256=sha256("another"))
        refusal = await t.create_token(again)
        assert isinstance(refusal, Refusal)
        assert (refusal.why, list(refusal.fields)) == (Why.TAKEN, ["name"])


async def test_there_is_an_end_to_tokens(tmp_path: Path) -> None:
    async with tokens(tmp_path) as (t, _):
        for number in range(MOST_TOKENS):
            await made(t, f"Token {number}")
        one_more = verbs.CreateToken(name="One more", scopes=(Scope.READ,), sha256=sha256("one more"))
        refusal = await t.create_token(one_more)
        assert isinstance(refusal, Refusal)
        assert refusal.why is Why.NOT_NOW


async def test_a_scope_of_a_newer_version_is_none_here(tmp_path: Path) -> None:
    async with tokens(tmp_path) as (t, store):
        await made(t)
        await store.transact(lambda db: db.execute("UPDATE tokens SET scopes = 'fly read'"))
        found = await checked(t, "Cron")
        assert isinstance(found, views.TokenView)
        assert found.scopes == (Scope.READ,)
