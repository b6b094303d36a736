"""The page of API tokens, and the page that tells people what the API can be asked."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.control import views
from app.control.refusals import Refusal, Why
from app.control.views import Scope
from provisioning.api.application import IN_WORDS
from provisioning.api.bearers import sha256_of
from provisioning.api.operations import OPERATIONS
from provisioning.passwords import Passwords
from provisioning.web.tokens import _MEANS
from tests.unit.program import NOW, holder, program
from tests.unit.test_provisioning_pages import CannedBox, _box, signed_in

pytestmark = pytest.mark.unit

PASSWORD = "three green frogs"
USED = views.TokenView(id="t9", name="<b>Cron</b>", scopes=(Scope.READ, Scope.KEEP), created_at=NOW, last_used_at=NOW)


@asynccontextmanager
async def owner(folder: Path) -> AsyncGenerator[tuple[httpx.AsyncClient, CannedBox, dict[str, str]], None]:
    """Somebody who is signed in and knows the password; with what every form holds."""
    await Passwords(folder).set(PASSWORD)
    async with signed_in(folder) as (client, box, csrf):
        yield client, box, {"csrf": csrf, "password": PASSWORD}


def lay_out(box: CannedBox, *known: views.TokenView) -> None:
    box.answers |= {"list_tokens": [views.Tokens(items=known)], "get_box": [_box(1)]}


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    async with owner(tmp_path) as (client, box, common):
        lay_out(box)
        box.answers["create_token"] = [holder(Scope.READ, Scope.CALL)]
        form = common | {"name": "Cron"} | {"scopes": ["read", "call"]}
        shown = html.unescape((await client.post("/box/tokens", data=form)).text)
        (token, again) = re.findall(r"deskbell_[\w-]+", shown.replace("deskbell_agent", ""))
        assert token == again
        assert (
            f'curl --cacert deskbell.crt -H "Authorization: Bearer {token}" https://deskbell.local/api/v1/box' in shown
        )
        assert token not in (await client.get("/box/tokens")).text
    (question,) = box.questions("create_token")
    assert question.model_dump(mode="json") == {
        "name": "Cron",
        "scopes": ["read", "call"],
        "sha256": sha256_of(f"Bearer {token}"),
    }


async def test_the_process_that_made_a_token_is_replaced(tmp_path: Path) -> None:
    async with owner(tmp_path) as (client, box, common):
        lay_out(box)
        box.answers["create_token"] = [holder(Scope.READ)]
        life = client._transport.app._life  # type: ignore[attr-defined]  # httpx.ASGITransport of the guard
        assert not life.has_seen_secret.is_set()
        await client.post("/box/tokens", data=common | {"name": "Cron", "scopes": "read"})
        assert life.has_seen_secret.is_set()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": "Cron"}, "Tick at least one."),
        ({"name": "Cron", "scopes": "fly"}, "Tick at least one."),
        ({"name": "", "scopes": "read"}, "Must be filled in."),
        ({"name": "Cron", "scopes": "read", "password": "a guess"}, "That is not the password of this box."),
    ],
)
async def test_what_is_wrong_is_told_and_what_was_typed_stays(tmp_path: Path, typed: dict[str, str], told: str) -> None:
    async with owner(tmp_path) as (client, box, common):
        lay_out(box)
        answer = await client.post("/box/tokens", data=common | typed)
    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{typed["name"]}"' in answer.text
    assert "deskbell_" not in answer.text
    assert box.questions("create_token") == []


async def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    async with owner(tmp_path) as (client, box, common):
        lay_out(box)
        box.answers["create_token"] = [Refusal(why=Why.TAKEN, text="One is.", fields={"name": "Choose another name."})]
        answer = await client.post("/box/tokens", data=common | {"name": "Cron", "scopes": "read"})
    assert answer.status_code == 409
    assert '<p class="error" id="name-error">Choose another name.</p>' in answer.text


async def test_tokens_are_listed_in_words_and_revoked_after_a_question(tmp_path: Path) -> None:
    async with owner(tmp_path) as (client, box, common):
        lay_out(box, USED)
        box.answers["delete_token"] = [views.Nothing()]
        listed = (await client.get("/box/tokens")).text
        assert "&lt;b&gt;Cron&lt;/b&gt;" in listed
        assert "<span>look, back up, restore and reset the box</span>" in listed
        asked = await client.post("/box/tokens/t9/revoke", data=common)
        assert "Revoke this token?" in asked.text
        assert box.questions("delete_token") == []
        done = await client.post("/box/tokens/t9/revoke", data=common | {"confirmed": "yes"})
        assert (done.status_code, done.headers["location"]) == (303, "/box/tokens")
    assert [question.model_dump() for question in box.questions("delete_token")] == [{"id": "t9"}]


async def test_people_see_every_operation_and_can_take_the_document_away(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, _, __):
        shown = (await client.get("/box/api")).text
        taken = await client.get("/box/api/openapi.json")
    for each in OPERATIONS:
        assert f"<code>{each.method} {each.path}</code>" in shown
        assert html.escape(each.summary, quote=False) in shown.replace("&#39;", "'")
    async with program(tmp_path) as (client, _, __):
        assert taken.json() == (await client.get("/openapi.json")).json()
    assert taken.headers["content-disposition"] == 'attachment; filename="deskbell-openapi.json"'
    assert json.loads(taken.text)["openapi"] == "3.1.0"


def test_every_scope_has_its_words() -> None:
    assert set(IN_WORDS) == set(_MEANS) == set(Scope)
