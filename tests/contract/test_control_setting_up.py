"""A new box set up in one question: all of it or nothing, once, on a real database and vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.setting_up import SetUpBox
from firmware.control.events import Events
from firmware.control.setting_up import SetUpVerbs
from tests.contract.test_control_verbs import Verbs, box, connection
from tests.web.canary import holding

pytestmark = pytest.mark.contract

OFFICE = {"name": "Office", "domain": "pbx.lan", "user": "200", "password": "canary"}
NIGHT = {"name": "Night line", "domain": "pbx.lan", "user": "201", "password": "canary"}


def asked(file_id: str = "f1", **tables: object) -> SetUpBox:
    return SetUpBox.model_validate({"id": file_id, "connection": [OFFICE], "agent": [{"name": "Reception"}]} | tables)


async def set_up(b: Verbs, ask: SetUpBox) -> views.Nothing | Refusal:
    made = SetUpVerbs(b.store, b.connections, b.agents, b.scene.roster, Events())
    return await made.set_up_box(ask)


async def test_everything_is_there_and_the_agent_starts(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        answer = await set_up(b, asked(box={"name": "front-desk", "time_zone": "Europe/Berlin"}))
        assert answer == views.Nothing()
        (line,) = (await b.connections.list_connections(verbs.Empty())).items
        (agent,) = (await b.agents.list_agents(verbs.Empty())).items
        assert (line.account.name, line.has_password, line.unreadable) == ("Office", True, False)
        assert [(each.connection_id, each.inbound) for each in agent.connections] == [(line.id, True)]
        assert agent.state is not views.AgentState.STOPPED
    assert holding(tmp_path, "canary") == []


async def test_asked_again_it_is_done_and_another_file_is_refused(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await set_up(b, asked("f1"))
        assert await set_up(b, asked("f1")) == views.Nothing()
        refusal = await set_up(b, asked("f2"))
        assert isinstance(refusal, Refusal)
        assert refusal.why is Why.NOT_NOW
        assert len((await b.connections.list_connections(verbs.Empty())).items) == 1


async def test_what_a_person_set_stays(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await connection(b, "By hand")
        refusal = await set_up(b, asked())
        assert isinstance(refusal, Refusal)
        assert [each.account.name for each in (await b.connections.list_connections(verbs.Empty())).items] == [
            "By hand"
        ]


@pytest.mark.parametrize(
    ("tables", "field"),
    [
        ({"connection": [OFFICE, OFFICE]}, "connection.1.name"),
        ({"connection": [OFFICE, NIGHT | {"password": None}]}, "connection.1.password"),
        ({"agent": [{"name": "Reception", "connections": ["Elsewhere"]}]}, "agent.0.connections"),
        ({"agent": [{"name": "Reception"}, {"name": "Night"}]}, "agent.1.connections"),
        ({"agent": [{"name": "Reception", "connections": []}, {"name": "Reception"}]}, "agent.1.name"),
    ],
)
async def test_a_fault_anywhere_takes_everything_back(tmp_path: Path, tables: dict[str, Any], field: str) -> None:
    async with box(tmp_path) as b:
        refusal = await set_up(b, asked(**tables))
        assert isinstance(refusal, Refusal)
        assert list(refusal.fields) == [field]
        assert (await b.connections.list_connections(verbs.Empty())).items == ()
        assert (await b.agents.list_agents(verbs.Empty())).items == ()
        assert await set_up(b, asked()) == views.Nothing(), "the mended file is taken"


async def test_agents_share_the_connections_as_the_file_says(tmp_path: Path) -> None:
    agents = [
        {"name": "Day", "connections": ["Office"]},
        {"name": "Night", "connections": ["Night line"], "start": False},
        {"name": "Campaign", "inbound": False},
    ]
    async with box(tmp_path) as b:
        assert await set_up(b, asked(connection=[OFFICE, NIGHT], agent=agents)) == views.Nothing()
        found = {each.name: each for each in (await b.agents.list_agents(verbs.Empty())).items}
    attached = {name: [(line.name, line.inbound) for line in each.connections] for name, each in found.items()}
    assert attached["Day"] == [("Office", True)]
    assert attached["Night"] == [("Night line", True)]
    assert sorted(attached["Campaign"]) == [("Night line", False), ("Office", False)]
    assert found["Night"].state is views.AgentState.STOPPED
