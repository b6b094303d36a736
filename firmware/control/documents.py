"""Verbs of the files that agents know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import trio

from app.brains.passages import cut
from app.control import verbs, views
from app.control.documents import (
    MOST_CHARACTERS,
    MOST_PASSAGES,
    AddDocument,
    Documents,
    DocumentView,
    DropDocument,
)
from app.control.refusals import Refusal, Why
from firmware.control.events import Events
from firmware.control.refusing import not_found
from firmware.storage import SqliteLedger, document_records, records
from firmware.storage.document_records import NewDocument

T = TypeVar("T")

_NOTHING = Refusal(
    why=Why.INVALID, text="The file was not added: it holds no words.", fields={"text": "holds no words"}
)


class DocumentVerbs:
    def __init__(self, store: SqliteLedger, events: Events) -> None:
        self._store, self._events = store, events

    async def list_documents(self, ask: verbs.ById) -> Documents | Refusal:
        return await self._store.transact(lambda db: _documents(db, ask.id))

    async def add_document(self, ask: AddDocument) -> Documents | Refusal:
        # In a thread: 600,000 characters take a tenth of a second, and calls go on.
        passages = await trio.to_thread.run_sync(cut, ask.text)
        if not passages:
            return _NOTHING

        def write(db: records.Db) -> Documents | Refusal:
            others = [each for each in document_records.read_documents(db) if not _is_replaced(each, ask)]
            if why := _too_much(others, ask.id, passages):
                return why
            if records.read_agent(db, ask.id) is None:
                return not_found("agent")
            document = NewDocument(records.new_id(), ask.id, ask.name, datetime.now(UTC), passages)
            document_records.write_document(db, document)
            return _documents(db, ask.id)

        return self._told(await self._store.transact(write))

    async def delete_document(self, ask: DropDocument) -> views.Nothing | Refusal:
        def drop(db: records.Db) -> views.Nothing | Refusal:
            there = {each.id for each in document_records.read_documents(db, ask.id)} if ask.id else set()
            if ask.document_id not in there:
                return not_found("file of this agent")
            document_records.delete_document(db, ask.document_id)
            return views.Nothing()

        return self._told(await self._store.transact(drop))

    def _told(self, answer: T) -> T:
        if not isinstance(answer, Refusal):
            self._events.changed(verbs.EventKind.SETTINGS)
        return answer


def _is_replaced(each: document_records.DocumentRecord, ask: AddDocument) -> bool:
    return (each.agent_id, each.name) == (ask.id, ask.name)


def _too_much(
    others: list[document_records.DocumentRecord], agent_id: str, passages: tuple[str, ...]
) -> Refusal | None:
    known = sum(each.passages for each in others if each.agent_id == agent_id)
    if known + len(passages) > MOST_PASSAGES:
        text = (
            f"The file was not added: it has {len(passages):,} passages, and the agent may know {MOST_PASSAGES:,} in "
            f"all ({known:,} now). Remove a file, or upload only what callers ask about."
        )
        return Refusal(why=Why.INVALID, text=text)
    if sum(each.characters for each in others) + sum(map(len, passages)) > MOST_CHARACTERS:
        text = (
            f"The file was not added: the files of all agents together may hold {MOST_CHARACTERS:,} characters, so "
            "that a backup has room for them. Remove a file, here or of another agent."
        )
        return Refusal(why=Why.INVALID, text=text)
    return None


def _documents(db: records.Db, agent_id: str) -> Documents | Refusal:
    if records.read_agent(db, agent_id) is None:
        return not_found("agent")
    found = document_records.read_documents(db, agent_id)
    views_of = (
        DocumentView(id=each.id, name=each.name, added_at=each.added_at, passages=each.passages) for each in found
    )
    return Documents(items=tuple(views_of))
