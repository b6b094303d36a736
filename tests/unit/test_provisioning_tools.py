"""Programs that an agent may ask: a table of fields, secrets that are written and never read, and a try."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.control import views
from app.control.http_tools import HttpToolList, HttpToolTrial, HttpToolView
from app.control.refusals import Refusal, Why
from app.http_tools import HttpTool, ToolField
from app.settings import Agent, Settings
from provisioning.web.rendering import MASK, Form
from provisioning.web.tool_form import draft_of, labels_of, named
from tests.unit.test_diagnosis import agent
from tests.unit.test_provisioning_documents import ANSWERS as AGENT
from tests.unit.test_provisioning_pages import hidden, signed_in

pytestmark = pytest.mark.unit

KEY = "Bearer key-that-nobody-may-see"
TOOL = HttpTool(
    name="Order <status>",
    when="Where is my order?",
    fields=(
        ToolField(name="order", description="its number", example="A-1"),
        ToolField(name="size", type="choice", choices=("small", "large"), required=False),
    ),
    headers=("Authorization",),
    url="https://shop.example/orders/{order}",
)
STORED = HttpToolView(id="t1", version=3, tool=TOOL)
MODELLED = views.AgentDetail(view=agent(), plan=views.AgentPlan(settings=Agent(name="Reception"), language_model="m"))
ANSWERS: dict[str, list[Settings]] = {"get_agent": [MODELLED], "get_http_tool": [STORED]}
PATH = "/agents/a/tools/t1"


def typed(csrf: str, **changes: str | list[str]) -> dict[str, str | list[str]]:
    """As the form of `STORED` is sent, with an empty row at its end."""
    sent: dict[str, str | list[str]] = {
        "csrf": csrf,
        "version": "3",
        "name": "Order status",
        "when": TOOL.when,
        "address": TOOL.url,
        "method": "GET",
        "field": ["", "order", "size"],
        "means": ["", "its number", ""],
        "kind": ["text", "text", "choice"],
        "values": ["", "", "small, large"],
        "must": ["yes", "yes", ""],
        "example": ["", "A-1", ""],
        "header": ["Authorization", ""],
        "secret": [MASK, ""],
    }
    return sent | changes


async def test_the_agents_page_lists_them(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        missing = STORED.model_copy(update={"id": "t2", "missing": ("Authorization",)})
        box.answers = AGENT | {"get_agent": [MODELLED], "list_http_tools": [HttpToolList(items=(STORED, missing))]}
        text = (await client.get("/agents/a")).text
    assert '<a href="/agents/a/tools/t1"><strong>Order &lt;status&gt;</strong></a>' in text
    assert "ask your programs (Order &lt;status&gt;, Order &lt;status&gt;)" in text
    assert text.count("A secret is missing") == 1


async def test_a_stored_tool_is_shown_as_a_table_without_its_secret(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = dict(ANSWERS)
        text = (await client.get(PATH)).text
    assert 'name="field" value="order"' in text
    assert 'name="values" value="small, large"' in text
    assert f'name="secret" type="password" value="{MASK}"' in text
    assert 'name="value.order" value="A-1"' in text
    assert "JSON" not in text
    assert "has no language model" not in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert sorted(ids) == sorted(set(ids)), "or a label names something else"


async def test_without_a_language_model_it_says_that_nothing_is_asked(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = ANSWERS | {"get_agent": AGENT["get_agent"]}
        text = (await client.get("/agents/a/tools/new")).text
    assert "has no language model" in text


async def test_saved_with_a_secret_that_stays(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"update_http_tool": [STORED]}
        told = await client.post(PATH, data=typed(csrf))
    assert told.headers["location"].endswith(PATH), told.text
    (asked,) = box.questions("update_http_tool")
    draft = asked.model_dump()["draft"]
    assert (asked.model_dump()["if_version"], draft["values"]) == (3, {})
    assert draft["tool"] | {"name": TOOL.name} == TOOL.model_dump()


async def test_a_new_one_with_a_secret(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"create_http_tool": [STORED]}
        told = await client.post("/agents/a/tools/new", data=typed(csrf, secret=[KEY, ""]))
    assert told.headers["location"].endswith(PATH), told.text
    (asked,) = box.questions("create_http_tool")
    assert asked.model_dump()["draft"]["values"] == {"Authorization": SecretStr(KEY)}


async def test_what_is_wrong_is_told_at_its_field_and_no_secret_comes_back(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(ANSWERS)
        wrong = typed(csrf, field=["", "order number", "size"], address="http://8.8.8.8/", secret=[KEY, ""])
        told = await client.post(PATH, data=wrong)
    assert told.status_code == 422
    assert 'id="f1-error">Has letters or signs that cannot stand here.' in told.text
    assert 'id="address-error">Must begin with https://' in told.text
    assert '<a href="#f1">Field 1, name</a>' in told.text
    assert 'name="field" value="order number"' in told.text
    assert KEY not in told.text
    assert box.questions("update_http_tool") == []


async def test_a_secret_for_another_host_is_asked_for_at_its_field(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        refusal = Refusal(why=Why.INVALID, text="Not saved.", fields={"draft.values.Authorization": "enter the value"})
        box.answers = ANSWERS | {"update_http_tool": [refusal]}
        told = await client.post(PATH, data=typed(csrf))
    assert 'id="s1-error">enter the value' in told.text
    assert '<a href="#s1">Header 1</a>' in told.text


async def test_more_rows_keep_what_was_typed(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(ANSWERS)
        told = await client.post(PATH, data=typed(csrf, more="fields", name="Renamed"))
    assert told.text.count('name="field"') == 4
    assert 'value="Renamed"' in told.text
    assert hidden(told.text, "version") == "3"


async def test_somebody_else_saved_meanwhile(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        overtaken = Refusal(why=Why.CHANGED_MEANWHILE, text="Somebody changed it.")
        newer = STORED.model_copy(update={"version": 5})
        box.answers = ANSWERS | {"get_http_tool": [newer], "update_http_tool": [overtaken]}
        told = await client.post(PATH, data=typed(csrf))
    assert told.status_code == 409
    assert hidden(told.text, "version") == "5"


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (
            HttpToolTrial(asked="GET https://a/<b>", status=200, answer='{"a": "<b>"}', problem="", took_ms=12),
            ["It works", "(12 ms)", "https://a/&lt;b&gt;", "{&#34;a&#34;: &#34;&lt;b&gt;&#34;}"],
        ),
        (
            HttpToolTrial(asked="GET https://a/", status=500, answer="", problem="it failed. Mend it", took_ms=12),
            ["It does not work", "It failed. Mend it."],
        ),
    ],
    ids=["works", "fails"],
)
async def test_a_try_shows_the_answer_or_the_reason(tmp_path: Path, trial: HttpToolTrial, words: list[str]) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"try_http_tool": [trial]}
        sent = {"csrf": csrf, "value.order": " B 2 ", "value.size": ""}
        told = await client.post(f"{PATH}/test", data=sent)
    assert [each for each in words if each not in told.text] == []
    assert 'name="value.order" value="B 2"' in told.text
    (asked,) = box.questions("try_http_tool")
    assert asked.model_dump() == {"id": "a", "tool_id": "t1", "values": {"order": "B 2"}}


async def test_a_try_with_a_value_that_does_not_fit(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        refusal = Refusal(why=Why.INVALID, text="It was not tried.", fields={"values.order": "must be filled in"})
        box.answers = ANSWERS | {"try_http_tool": [refusal]}
        told = await client.post(f"{PATH}/test", data={"csrf": csrf})
    assert told.status_code == 422
    assert 'id="v-order-error">must be filled in' in told.text
    assert '<a href="#v-order">order</a>' in told.text


async def test_deleted(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"delete_http_tool": [views.Nothing()]}
        told = await client.post(f"{PATH}/delete", data={"csrf": csrf})
    assert told.headers["location"].endswith("/agents/a#tools")
    (asked,) = box.questions("delete_http_tool")
    assert asked.model_dump() == {"id": "a", "tool_id": "t1"}


async def test_one_that_is_gone(tmp_path: Path) -> None:
    gone = Refusal(why=Why.NOT_FOUND, text="There is no such tool.")
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"delete_http_tool": [gone], "get_http_tool": [gone]}
        assert (await client.get(PATH)).status_code == 404
        for path in (PATH, f"{PATH}/test", f"{PATH}/delete"):
            assert (await client.post(path, data=typed(csrf))).status_code == 404


def test_faults_find_their_rows() -> None:
    form = Form([("header", ""), ("secret", ""), ("header", "X-Key"), ("secret", "a")])
    found = named(
        {
            "draft.tool.fields.1.choices.0": "a",
            "draft.tool.fields.0": "b",
            "draft.tool.fields": "c",
            "draft.tool.headers.0": "d",
            "draft.tool.headers": "e",
            "draft.values.X-Key": "f",
            "draft.values.X-Other": "g",
            "draft.tool.url": "h",
            "draft.tool.when": "i",
        },
        form,
    )
    assert found == {
        "c2": "a", "f1": "b", "table": "c", "h1": "d", "secrets": "e", "s1": "f", "address": "h", "when": "i",
    }  # fmt: skip
    assert labels_of(found)["c2"] == "Field 2, values of a choice"
    assert labels_of(found)["s1"] == "Header 1"


def test_rows_without_text_are_left_out() -> None:
    pairs = [("field", ""), ("means", ""), ("kind", "text"), ("values", ""), ("must", "yes"), ("example", "")]
    draft = draft_of(Form([*pairs, ("header", ""), ("secret", MASK)]))
    assert isinstance(draft["tool"], dict)
    assert (draft["tool"]["fields"], draft["tool"]["headers"], draft["values"]) == ([], [], {})
