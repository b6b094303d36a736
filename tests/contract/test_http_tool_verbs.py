"""HTTP tools of agents: kept, tried, restored; on a real database and vault, with a real program behind them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from app.control import verbs, views
from app.control.http_tools import (
    CreateHttpTool,
    HttpToolDraft,
    HttpToolList,
    HttpToolTrial,
    HttpToolView,
    TryHttpTool,
    UpdateHttpTool,
    WhichHttpTool,
)
from app.control.refusals import Refusal, Why
from app.http_tools import MOST_TOOLS
from app.settings import REVEAL_SECRETS, Agent
from firmware.control.events import Events
from firmware.control.http_tools import HttpToolVerbs
from firmware.http_tools import opened_tools
from firmware.keeping.content import misfit, packed, unpacked
from firmware.keeping.copying import copied, replaced
from firmware.keeping.rotation import renew_keys
from firmware.storage import SqliteLedger, ledger, records, tool_records
from firmware.vault import Vault, open_vault
from tests.contract.test_http_tools import sends
from tests.fakes.webhook_receiver import FAILED, receiver
from tests.web.canary import holding

pytestmark = pytest.mark.contract

NOW = datetime(2026, 11, 27, tzinfo=UTC)
KEY = "Bearer key-that-nobody-may-see"
URL = "https://shop.example/orders/{order}"


@dataclass(frozen=True)
class Box:
    store: SqliteLedger
    vault: Vault
    verbs: HttpToolVerbs

    async def adds(self, values: dict[str, str] | None = None, **changes: object) -> HttpToolView:
        answer = await self.verbs.create_http_tool(CreateHttpTool(id="a1", draft=draft(values, **changes)))
        assert isinstance(answer, HttpToolView), answer
        return answer

    async def keys(self) -> list[str]:
        """What would be sent, of all tools."""
        found = await self.store.transact(lambda db: opened_tools(self.vault, tool_records.read_tools(db, "a1")))
        return [each.headers["Authorization"].get_secret_value() if each else "" for each in found]


@asynccontextmanager
async def box(folder: Path) -> AsyncGenerator[Box, None]:
    await trio.Path(folder).mkdir(exist_ok=True)
    async with ledger(folder / "box.sqlite") as store:
        vault = open_vault(folder / "vault")
        await store.transact(write_agent)
        yield Box(store, vault, HttpToolVerbs(store, vault, Events()))


def write_agent(db: records.Db) -> None:
    plan = views.AgentPlan(settings=Agent(name="Reception"))
    assert records.write_agent(db, records.AgentRecord("a1", 1, NOW, plan, should_run=False)) is None


def draft(values: dict[str, str] | None = None, **changes: object) -> HttpToolDraft:
    tool: dict[str, object] = {
        "name": "Order status",
        "when": "Where is my order?",
        "fields": [{"name": "order", "example": "A-1"}, {"name": "lamps", "type": "number", "required": False}],
        "headers": ["Authorization"],
        "plain_http": True,
        "url": URL,
    }
    given = {"Authorization": KEY} if values is None else values
    return HttpToolDraft.model_validate({"tool": tool | changes, "values": given})


async def test_added_changed_and_deleted(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        added = await b.adds()
        assert (added.version, added.missing, added.tool.name) == (1, (), "Order status")
        which = {"id": "a1", "tool_id": added.id}
        kept = UpdateHttpTool(**which, if_version=1, draft=draft({}, when="Is it on its way?"))
        changed = await b.verbs.update_http_tool(kept)
        assert isinstance(changed, HttpToolView)
        assert (changed.version, changed.tool.when) == (2, "Is it on its way?")
        assert await b.keys() == [KEY]
        overtaken = await b.verbs.update_http_tool(kept)
        assert isinstance(overtaken, Refusal)
        assert overtaken.why is Why.CHANGED_MEANWHILE
        listed = await b.verbs.list_http_tools(verbs.ById(id="a1"))
        assert listed == HttpToolList(items=(changed,))
        assert await b.verbs.get_http_tool(WhichHttpTool(**which)) == changed
        assert await b.verbs.delete_http_tool(WhichHttpTool(**which)) == views.Nothing()
        for gone in (
            await b.verbs.delete_http_tool(WhichHttpTool(**which)),
            await b.verbs.get_http_tool(WhichHttpTool(**which)),
            await b.verbs.try_http_tool(TryHttpTool(**which)),
            await b.verbs.update_http_tool(UpdateHttpTool(**which, if_version=2, draft=draft())),
            await b.verbs.list_http_tools(verbs.ById(id="a2")),
            await b.verbs.create_http_tool(CreateHttpTool(id="a2", draft=draft())),
        ):
            assert isinstance(gone, Refusal)
            assert gone.why is Why.NOT_FOUND


async def test_a_tool_of_another_agent_is_not_there(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        added = await b.adds()
        other = await b.verbs.delete_http_tool(WhichHttpTool(id="a2", tool_id=added.id))
        assert isinstance(other, Refusal)
        assert len(await b.keys()) == 1


async def test_names_that_a_model_could_not_tell_apart_and_too_many(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await b.adds()
        same = await b.verbs.create_http_tool(CreateHttpTool(id="a1", draft=draft(name="order-STATUS")))
        assert isinstance(same, Refusal)
        assert (same.why, "“Order status” already" in same.text) == (Why.TAKEN, True)
        for number in range(MOST_TOOLS - 1):
            await b.adds(name=f"Tool {number}")
        many = await b.verbs.create_http_tool(CreateHttpTool(id="a1", draft=draft(name="One more")))
        assert isinstance(many, Refusal)
        assert "an agent has 8 at most" in many.text


# -- secrets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/other/{order}", True),
        ("https://SHOP.example/orders/{order}", True),
        ("https://evil.example/orders/{order}", False),
        ("https://shop.example:8443/orders/{order}", False),
        ("http://shop.example/orders/{order}", False),
    ],
)
async def test_a_secret_is_never_sent_to_another_host(tmp_path: Path, url: str, kept: bool) -> None:
    async with box(tmp_path) as b:
        added = await b.adds()
        edit = UpdateHttpTool(id="a1", tool_id=added.id, if_version=1, draft=draft({}, url=url))
        answer = await b.verbs.update_http_tool(edit)
        assert isinstance(answer, HttpToolView) is kept
        if isinstance(answer, Refusal):
            assert answer.fields == {"draft.values.Authorization": "enter the value"}
        assert await b.keys() == [KEY]  # for the host that it was before


async def test_a_header_without_a_value_and_a_value_without_a_header(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        needs = await b.verbs.create_http_tool(CreateHttpTool(id="a1", draft=draft({})))
        assert isinstance(needs, Refusal)
        assert "the value of Authorization is missing" in needs.text
        without = await b.adds(values={}, headers=[])
        assert without.missing == ()
    with pytest.raises(ValueError, match="add the header"):
        draft({"X-Other": "1"})
    for value in ("", "a\nb", "schlüssel", "x" * 2_001):
        with pytest.raises(ValueError, match="Authorization"):
            draft({"Authorization": value})


async def test_a_key_is_nowhere_in_clear_and_comes_again_with_renewed_keys(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        added = await b.adds()
        assert KEY not in f"{added!r} {added.model_dump_json()} {draft()!r} {draft().model_dump_json()}"
        assert KEY in draft().model_dump_json(context=REVEAL_SECRETS)
        await renew_keys(b.store, b.vault)
        assert await b.keys() == [KEY]
    assert holding(tmp_path, KEY) == []


async def test_a_key_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        added = await b.adds()
        await b.store.transact(lambda db: db.execute("UPDATE http_tools SET headers = X'00'").fetchall())
        which = {"id": "a1", "tool_id": added.id}
        seen = await b.verbs.get_http_tool(WhichHttpTool(**which))
        assert isinstance(seen, HttpToolView)
        assert seen.missing == ("Authorization",)
        tried = await b.verbs.try_http_tool(TryHttpTool(**which))
        assert isinstance(tried, Refusal)
        assert tried.why is Why.NOT_NOW
        assert await b.store.transact(lambda db: opened_tools(b.vault, tool_records.read_tools(db))) == [None]
        again = await b.verbs.update_http_tool(UpdateHttpTool(**which, if_version=1, draft=draft()))
        assert isinstance(again, HttpToolView)
        assert (again.missing, await b.keys()) == ((), [KEY])


async def test_it_goes_with_its_agent_and_comes_with_a_backup(tmp_path: Path) -> None:
    async with box(tmp_path / "one") as b:
        await b.adds()
        content = await b.store.transact(lambda db: copied(db, b.vault, "0.1", NOW))
        assert misfit(content, {}) is None
        payload = packed(content)
        assert payload
        opened = unpacked(payload)
        assert opened == content
        await b.store.transact(lambda db: records.delete_agent(db, "a1"))
        assert await b.store.transact(tool_records.read_tools) == []
    async with box(tmp_path / "two") as b:
        await b.store.transact(lambda db: replaced(db, b.vault, content, NOW))
        assert await b.keys() == [KEY]
        [record] = await b.store.transact(tool_records.read_tools)
        assert record.version > 1
        await b.store.transact(lambda db: replaced(db, b.vault, content, NOW))
        [later] = await b.store.transact(tool_records.read_tools)
        assert later.version > record.version


# -- a try -------------------------------------------------------------------------------------------------------


async def trial(b: Box, tool: HttpToolView, **values: str) -> HttpToolTrial | Refusal:
    return await b.verbs.try_http_tool(TryHttpTool(id="a1", tool_id=tool.id, values=values))


async def test_a_try_sends_the_examples_and_shows_the_answer(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        there.answers(sends(b'{\n "state": "<b>lost</b>"\n}'), FAILED)
        added = await b.adds(url=f"{there.url}/{{order}}")
        worked = await trial(b, added)
        failed = await trial(b, added, order="B 2", lamps="3")
    assert isinstance(worked, HttpToolTrial)
    assert (worked.status, worked.problem, worked.answer) == (200, "", '{"state": "‹b›lost‹/b›"}')
    assert worked.asked == f"GET {there.url}/A-1"
    assert isinstance(failed, HttpToolTrial)
    assert failed.problem == "it met an error of its own (500). Look into the program's log"
    assert [each.path for each in there.told] == ["/calls/A-1", "/calls/B%202?lamps=3"]
    assert there.told[0].headers["authorization"] == KEY
    assert KEY not in f"{worked} {failed} {worked.model_dump_json()}"


async def test_a_try_shows_the_body_that_was_sent(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        there.answers(sends(b"Done.", "text/plain"))
        tried = await trial(b, await b.adds(url=there.url, method="POST"))
    assert isinstance(tried, HttpToolTrial)
    assert tried.asked == f'POST {there.url} {{"order": "A-1"}}'
    assert json.loads(there.told[0].body) == {"order": "A-1"}


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"order": "../admin"}, "values.order", "since it stands in the address"),
        ({"lamps": "ten"}, "values.lamps", "must be a number"),
    ],
)
async def test_a_try_with_values_that_do_not_fit(
    tmp_path: Path, values: dict[str, str], field: str, words: str
) -> None:
    async with box(tmp_path) as b:
        refusal = await trial(b, await b.adds(), **values)
    assert isinstance(refusal, Refusal)
    assert words in refusal.fields[field]


async def test_one_try_at_a_time(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b, trio.open_nursery() as nursery:
        there.answers(None)
        added = await b.adds(url=there.url)
        nursery.start_soon(trial, b, added)
        await there.is_told(1)
        second = await trial(b, added)
        assert isinstance(second, Refusal)
        assert second.why is Why.NOT_NOW
        there.dies()
