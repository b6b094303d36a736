"""Files that an agent knows, on its page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.control import views
from app.control.connectivity import ConnectivityList
from app.control.documents import Documents, DocumentView
from app.control.http_tools import HttpToolList
from app.control.refusals import Refusal, Why
from app.settings import Agent, Settings
from provisioning.shelf import LARGEST_LIST
from tests.unit.test_diagnosis import agent
from tests.unit.test_provisioning_pages import signed_in

pytestmark = pytest.mark.unit

ADDED = DocumentView(id="d1", name="prices <b>.md", added_at=datetime(2026, 11, 26, tzinfo=UTC), passages=2)
DETAIL = views.AgentDetail(view=agent(), plan=views.AgentPlan(settings=Agent(name="Reception")))
ANSWERS: dict[str, list[Settings]] = {
    "get_agent": [DETAIL],
    "list_connections": [views.Connections(items=())],
    "list_connectivity": [ConnectivityList(items=())],
    "list_documents": [Documents(items=(ADDED,))],
    "list_http_tools": [HttpToolList(items=())],
}


async def test_they_are_listed_with_their_passages(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = dict(ANSWERS)
        text = (await client.get("/agents/a")).text
    assert "<strong>prices &lt;b&gt;.md</strong>, 2 passages" in text
    assert 'action="/agents/a/files/d1/remove"' in text


async def test_a_file_is_read_and_added(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"add_document": [Documents(items=(ADDED,))]}
        file = {"document": ("C:\\tmp\\prices <b>.md", b"# Prices\n\nAll is free.")}
        told = await client.post("/agents/a/files", data={"csrf": csrf}, files=file)
    assert told.headers["location"].endswith("/agents/a#files"), told.text
    (asked,) = box.questions("add_document")
    assert asked.model_dump() == {"id": "a", "name": "prices <b>.md", "text": "Prices\n\nAll is free."}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("Zoë".encode("latin-1"), "“a.txt” was not added: its text is not in UTF-8"),
        (b"%PDF-1.7 no", "“a.txt” was not added: the PDF cannot be read"),
        (b"x" * (LARGEST_LIST + 1), "it is larger than 16 MB"),
    ],
    ids=["latin-1", "broken", "large"],
)
async def test_what_cannot_be_read_is_told_at_its_field(tmp_path: Path, data: bytes, words: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(ANSWERS)
        told = await client.post("/agents/a/files", data={"csrf": csrf}, files={"document": ("a.txt", data)})
    assert told.status_code in (413, 422)
    assert words in told.text
    assert box.questions("add_document") == []


async def test_none_was_chosen_and_one_that_is_too_much(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        refusal = Refusal(why=Why.INVALID, text="The file was not added: too much.")
        box.answers = ANSWERS | {"add_document": [refusal]}
        none = await client.post("/agents/a/files", data={"csrf": csrf}, files={"document": ("", b"")})
        much = await client.post("/agents/a/files", data={"csrf": csrf}, files={"document": ("a.txt", b"a")})
    assert "none was chosen" in none.text
    assert 'id="document-error">The file was not added: too much.' in much.text


async def test_removed(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"delete_document": [views.Nothing()]}
        told = await client.post("/agents/a/files/d1/remove", data={"csrf": csrf})
    assert told.headers["location"].endswith("/agents/a#files")
    (asked,) = box.questions("delete_document")
    assert asked.model_dump() == {"id": "a", "document_id": "d1"}
