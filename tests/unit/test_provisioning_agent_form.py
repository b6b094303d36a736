"""An agent's form: instructions and the results that a call should bring, typed, stored, shown again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.control import views
from app.control.connectivity import ConnectivityList
from app.settings import Agent, Person, ResultField
from tests.unit.test_provisioning_pages import CannedBox, _agent, hidden, signed_in

pytestmark = pytest.mark.unit

RESULTS = (
    ResultField(name="name", required=True),
    ResultField(
        name="urgency",
        type="choice",
        choices=("low", "high"),
        description="how soon to call back",
        question="How soon should we call back?",
    ),
    ResultField(name="day", only_after="high"),
)
TYPED = {
    "result": ["name", "", "urgency", "day"],
    "result_means": ["", "", "how soon to call back", ""],
    "result_question": ["", "", "How soon should we call back?", ""],
    "result_type": ["text", "text", "choice", "text"],
    "result_choices": ["", "", "low, high,", ""],
    "result_must": ["yes", "yes", "", ""],
    "result_after": ["", "", "", "high"],
}


@asynccontextmanager
async def form_of(folder: Path, agent: Agent) -> AsyncGenerator[tuple[httpx.AsyncClient, CannedBox, str], None]:
    stored = views.AgentDetail(view=_agent().view, plan=views.AgentPlan(settings=agent))
    async with signed_in(folder) as (client, box, csrf):
        box.answers = {
            "get_agent": [stored],
            "update_agent": [stored],
            "list_connections": [views.Connections(items=())],
            "list_connectivity": [ConnectivityList(items=())],
        }
        yield client, box, csrf


async def test_what_is_typed_is_what_is_stored_and_empty_rows_are_left_out(tmp_path: Path) -> None:
    async with form_of(tmp_path, Agent(name="Reception")) as (client, box, csrf):
        form = {"csrf": csrf, "version": "1", "name": "Reception", "instructions": "Be brief.\r\nBe kind."} | TYPED
        assert (await client.post("/agents/a1", data=form)).status_code == 303
    (asked,) = box.questions("update_agent")
    settings = asked.model_dump()["plan"]["settings"]
    assert settings["instructions"] == "Be brief.\nBe kind."
    assert settings["result_fields"] == tuple(each.model_dump() for each in RESULTS)


async def test_what_is_stored_is_shown_and_what_is_noted_in_passing_is_said(tmp_path: Path) -> None:
    agent = Agent(name="Reception", instructions="Be <brief>.", result_fields=RESULTS)
    async with form_of(tmp_path, agent) as (client, _, __):
        text = (await client.get("/agents/a1")).text
    assert ">Be &lt;brief&gt;.</textarea>" in text
    assert 'name="result_choices" value="low, high"' in text
    assert '<option value="choice" selected>' in text
    assert 'name="result_question" value="How soon should we call back?"' in text
    assert text.count("Noted when a message is taken. It is asked for once it has a question.") == 1


async def test_it_says_what_a_language_model_may_do(tmp_path: Path) -> None:
    people = [Person(name=f"Person {number}", extension="20") for number in range(7)]
    agent = Agent(name="Reception", result_fields=RESULTS, directory=(Person(name="Bob"), *people))
    async with form_of(tmp_path, agent) as (client, _, __):
        text = (await client.get("/agents/a1")).text
    assert "note results (name, urgency, day); put callers through to Person 0, Person 1" in text
    assert "Person 4 and 2 more." in text
    async with form_of(tmp_path, Agent(name="Bare", directory=(Person(name="Bob"),))) as (client, _, __):
        bare = (await client.get("/agents/a1")).text
    assert "hang up after the good-bye; have the receptionist take a message; look up what stands above." in bare


async def test_a_fault_names_the_row_that_people_see_and_more_rows_keep_what_was_typed(tmp_path: Path) -> None:
    wrong = TYPED | {"result_choices": ["", "", "low", ""], "result_after": ["", "", "", "x" * 201]}
    async with form_of(tmp_path, Agent(name="Reception")) as (client, _, csrf):
        form = {"csrf": csrf, "version": "1", "name": "Reception"}
        told = await client.post("/agents/a1", data=form | wrong)
        doubled = await client.post("/agents/a1", data=form | TYPED | {"result": ["who", "", "Who", "day"]})
        more = await client.post("/agents/a1", data=form | wrong | {"more": "results"})
    assert told.status_code == 422
    assert 'href="#c2">Result 2, values of a choice</a>: A choice needs two values or more to choose from.' in told.text
    assert "What the call should bring</a>: Two results have the same name" in doubled.text
    assert 'href="#w3">Result 3, only after</a>' in told.text
    assert more.text.count("<legend>Result ") == 6
    assert hidden(more.text, "version") == "1"


async def test_pressing_keys_is_allowed_by_a_tick_and_told(tmp_path: Path) -> None:
    async with form_of(tmp_path, Agent(name="Buyer", presses_keys=True)) as (client, box, csrf):
        page = (await client.get("/agents/a1")).text
        assert 'name="presses_keys" value="yes" checked' in page
        assert "; press keys" in page
        form = {"csrf": csrf, "version": "1", "name": "Buyer"}
        assert (await client.post("/agents/a1", data=form | {"presses_keys": "yes"})).status_code == 303
        assert (await client.post("/agents/a1", data=form)).status_code == 303
    asked = [each.model_dump()["plan"]["settings"]["presses_keys"] for each in box.questions("update_agent")]
    assert asked == [True, False]


async def test_what_whoever_is_called_hears_first(tmp_path: Path) -> None:
    stored = Agent(name="Reception", announcement="Call from {caller}.", announced_take_by_key=True)
    async with form_of(tmp_path, stored) as (client, box, csrf):
        page = (await client.get("/agents/a1")).text
        assert 'value="Call from {caller}."' in page
        assert 'name="announced_take_by_key" value="yes" checked' in page
        form = {"csrf": csrf, "version": "1", "name": "Reception", "announcement": "A call for you."}
        assert (await client.post("/agents/a1", data=form)).status_code == 303
    (asked,) = box.questions("update_agent")
    settings = asked.model_dump()["plan"]["settings"]
    assert (settings["announcement"], settings["announced_take_by_key"]) == ("A call for you.", False)


async def test_hours_and_stand_ins_of_people(tmp_path: Path) -> None:
    people = (Person(name="Anna", extension="1", hours="Mon-Fri 8-17", stand_in="Bob"), Person(name="Bob"))
    async with form_of(tmp_path, Agent(name="Reception", directory=people)) as (client, box, csrf):
        page = (await client.get("/agents/a1")).text
        assert 'value="Mon-Fri 8-17"' in page
        typed = {
            "person": ["Anna", "Bob", ""],
            "extension": ["1", "2", ""],
            "also": ["", "", ""],
            "person_hours": ["8-12", "", ""],
            "stand_in": ["Bob", "", ""],
        }
        form = {"csrf": csrf, "version": "1", "name": "Reception"}
        assert (await client.post("/agents/a1", data=form | typed)).status_code == 303
        again = await client.post("/agents/a1", data=form | typed | {"person_hours": ["whenever", "", ""]})
        assert again.status_code == 422
        assert "days and times, e.g. “Mon-Thu 8-18; Fri 8:30-12, 13-16”" in again.text
        assert "Person 1, hours" in again.text
        lost = await client.post("/agents/a1", data=form | typed | {"stand_in": ["Eve", "", ""]})
        assert "must be in the directory" in lost.text
    (asked,) = box.questions("update_agent")
    directory = asked.model_dump()["plan"]["settings"]["directory"]
    assert [(each["name"], each["hours"], each["stand_in"]) for each in directory] == [
        ("Anna", "8-12", "Bob"),
        ("Bob", "", ""),
    ]
