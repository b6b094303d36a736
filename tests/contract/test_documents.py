"""Files that agents know: added, replaced, removed, bounded, kept in a backup; on a real database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.control import documents, verbs, views
from app.control.documents import AddDocument, Documents, DropDocument
from app.control.refusals import Refusal, Why
from app.settings import Agent
from firmware.control.documents import DocumentVerbs
from firmware.control.events import Events
from firmware.keeping.content import misfit, packed, unpacked
from firmware.keeping.copying import copied, replaced
from firmware.storage import SqliteLedger, document_records, ledger, records
from firmware.vault import open_vault

pytestmark = pytest.mark.contract

NOW = datetime(2026, 11, 26, tzinfo=UTC)
PARAGRAPH = "Parking is free on Sundays. " * 20


async def with_agent(store: SqliteLedger, agent_id: str = "a1") -> DocumentVerbs:
    settings = Agent(name=f"Agent {agent_id}")
    record = records.AgentRecord(agent_id, 1, NOW, views.AgentPlan(settings=settings), should_run=False)
    assert await store.transact(lambda db: records.write_agent(db, record)) is None
    return DocumentVerbs(store, Events())


async def add(asked: DocumentVerbs, name: str, text: str, agent_id: str = "a1") -> Documents:
    answer = await asked.add_document(AddDocument(id=agent_id, name=name, text=text))
    assert isinstance(answer, Documents), answer
    return answer


async def test_added_replaced_and_removed(tmp_path: Path) -> None:
    async with ledger(tmp_path / "box.sqlite") as store:
        asked = await with_agent(store)
        await add(asked, "b.txt", f"{PARAGRAPH}\n\n{PARAGRAPH}")
        listed = await add(asked, "a.txt", "Short.")
        assert [(each.name, each.passages) for each in listed.items] == [("a.txt", 1), ("b.txt", 2)]
        again = await add(asked, "b.txt", "Another one.")
        assert [(each.name, each.passages) for each in again.items] == [("a.txt", 1), ("b.txt", 1)]
        known = await store.transact(lambda db: document_records.read_passages(db, "a1"))
        assert [(each.file, each.number, each.text) for each in known] == [
            ("a.txt", 1, "Short."),
            ("b.txt", 1, "Another one."),
        ]
        which = DropDocument(id="a1", document_id=again.items[0].id)
        other = await asked.delete_document(DropDocument(id="a2", document_id=which.document_id))
        assert isinstance(other, Refusal)
        assert await asked.delete_document(which) == views.Nothing()
        assert isinstance(await asked.delete_document(which), Refusal)
        left = await asked.list_documents(verbs.ById(id="a1"))
        assert isinstance(left, Documents)
        assert [each.name for each in left.items] == ["b.txt"]


async def test_what_is_too_much_is_refused_with_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ledger(tmp_path / "box.sqlite") as store:
        asked = await with_agent(store)
        await add(asked, "a.txt", PARAGRAPH)
        monkeypatch.setattr("firmware.control.documents.MOST_PASSAGES", 2)
        refusal = await asked.add_document(AddDocument(id="a1", name="b.txt", text="\n\n".join([PARAGRAPH] * 2)))
        assert isinstance(refusal, Refusal)
        assert "it has 2 passages" in refusal.text
        await add(asked, "a.txt", "\n\n".join([PARAGRAPH] * 2))
        monkeypatch.setattr("firmware.control.documents.MOST_CHARACTERS", 100)
        await with_agent(store, "a2")
        refusal = await asked.add_document(AddDocument(id="a2", name="b.txt", text="word"))
        assert isinstance(refusal, Refusal)
        assert "files of all agents together" in refusal.text
        for text, why in (("\x1c", Why.INVALID), ("word", Why.NOT_FOUND)):
            monkeypatch.setattr("firmware.control.documents.MOST_CHARACTERS", documents.MOST_CHARACTERS)
            nothing = await asked.add_document(AddDocument.model_construct(id="nobody", name="b.txt", text=text))
            assert isinstance(nothing, Refusal)
            assert nothing.why is why


async def test_it_goes_with_its_agent_and_comes_with_a_backup(tmp_path: Path) -> None:
    async with ledger(tmp_path / "box.sqlite") as store:
        asked, vault = await with_agent(store), open_vault(tmp_path / "vault")
        await add(asked, "a.txt", f"{PARAGRAPH}\n\n{PARAGRAPH}")
        known = await store.transact(lambda db: document_records.read_passages(db, "a1"))
        content = await store.transact(lambda db: copied(db, vault, "0.1", NOW))
        assert misfit(content, {}) is None
        payload = packed(content)
        assert payload
        await store.transact(lambda db: records.delete_agent(db, "a1"))
        assert await store.transact(document_records.read_documents) == []
        opened = unpacked(payload)
        assert opened == content
        await store.transact(lambda db: replaced(db, vault, content, NOW))
        assert await store.transact(lambda db: document_records.read_passages(db, "a1")) == known
