"""A box that sends e-mails, on a real database and vault: only the calls are made up."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trio
from pydantic import SecretStr

from app.control import verbs, views
from app.control.mail import LetterView, ListLetters, MailServerDraft, MailServerView, UpdateMailServer
from app.settings import Agent
from firmware.control.events import Events
from firmware.control.mail import MailVerbs
from firmware.mail import Letters, open_mail
from firmware.storage import SqliteLedger, call_records, ledger, records
from firmware.vault import Vault, open_vault
from tests.contract.webhook_box import eventually
from tests.fakes.ledger import TALKED
from tests.fakes.mail_server import PASSWORD, USER

SENDER, OWNER = "box@office.example", "owner@office.example"
QUICK_S = (0.02, 0.05, 0.05)
"""In place of a day: three more attempts."""


@dataclass
class Box:
    store: SqliteLedger
    vault: Vault
    letters: Letters
    verbs: MailVerbs

    async def sends_by(
        self,
        port: int,
        *,
        host: str = "127.0.0.1",
        security: str = "none",
        user: str = "",
        password: str | None = None,
        sender: str = SENDER,
    ) -> MailServerView:
        version = (await self.verbs.get_mail_server(verbs.Empty())).version
        draft = MailServerDraft.model_validate(
            {"host": host, "port": port, "security": security, "user": user, "sender": sender}
            | ({"password": SecretStr(password)} if password is not None else {})
        )
        made = await self.verbs.update_mail_server(UpdateMailServer(if_version=version, draft=draft))
        assert isinstance(made, MailServerView), made
        return made

    async def logs_in(self, port: int, password: str = PASSWORD, security: str = "starttls") -> MailServerView:
        """As a provider of mailboxes wants it."""
        return await self.sends_by(port, host="localhost", security=security, user=USER, password=password)

    async def has_agent(self, *to: str, when: str = "every call", name: str = "Reception") -> None:
        settings = Agent.model_validate({"name": name, "mail_to": to, "mail_when": when})
        record = records.AgentRecord("a1", 1, datetime.now(UTC), views.AgentPlan(settings=settings), should_run=True)
        assert await self.store.transact(lambda db: records.write_agent(db, record)) is None

    def ended(
        self,
        remote: str = "+49 30 1234",
        conclusion: str = "",
        results: dict[str, str] | None = None,
        agent: str = "Reception",
    ) -> str:
        session = self.store.open_session(call_id="c", agent=agent, direction="inbound", remote=remote)
        session.close(TALKED, conclusion, results or {})
        self.letters.wake()
        return session.id

    async def placed(self, what: str = "call") -> str:
        new = call_records.NewCall(records.new_id(), what, "a1", "Old name", "l", "outbound", "101")
        session_id = await self.store.transact(lambda db: call_records.insert_call(db, new, None, datetime.now(UTC)))
        self.store.session_log(session_id).close(TALKED, "", {})
        self.letters.wake()
        return session_id

    async def found(self) -> tuple[LetterView, ...]:
        return (await self.verbs.list_letters(ListLetters())).items

    async def states(self) -> list[str]:
        return [each.state for each in await self.found()]

    async def looked_at_all(self) -> None:
        """What ended so far has its letters, or gets none."""

        async def is_so() -> bool:
            left = "SELECT count(*) FROM sessions WHERE mailed = 0 AND outcome IS NOT NULL"
            return await self.store.transact(lambda db: db.execute(left).fetchone()[0] == 0)

        await eventually(is_so)

    async def becomes(self, *states: str) -> LetterView:
        """All letters, newest first; the newest."""

        async def is_so() -> bool:
            return await self.states() == [*states]

        await eventually(is_so)
        return (await self.found())[0]


@asynccontextmanager
async def box(
    folder: Path, *, delays_s: tuple[float, ...] = QUICK_S, trust: ssl.SSLContext | None = None
) -> AsyncGenerator[Box, None]:
    vault = open_vault(folder / "vault")
    async with ledger(folder / "box.sqlite") as store, open_mail(trust) as client, trio.open_nursery() as nursery:
        letters = Letters(store, vault, client, lambda: None, delays_s=delays_s)
        nursery.start_soon(letters.run)
        yield Box(store, vault, letters, MailVerbs(store, vault, letters, Events()))
        nursery.cancel_scope.cancel()
