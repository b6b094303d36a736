"""What an agent that is deleted, exported or imported leaves to its owner's decision; on a real database and vault."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.settings import Agent, Person, Workflow
from tests.contract.test_control_verbs import Verbs, box, connection, plan

pytestmark = pytest.mark.contract


async def _answering(b: Verbs) -> views.AgentView:
    """An agent with the Inbound switch of a connection."""
    line = await connection(b)
    attached = views.Attachment(connection_id=line.id, inbound=True)
    made = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception", attached)))
    assert isinstance(made, views.AgentDetail)
    return made.view


async def test_an_agent_that_runs_is_deleted_only_by_who_confirms_it(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        agent = await _answering(b)
        assert isinstance(await b.agents.start_agent(verbs.ById(id=agent.id)), views.AgentView)
        told = await b.agents.delete_agent(verbs.Delete(id=agent.id))
        assert isinstance(told, Refusal)
        assert (told.why, told.names) == (Why.IN_USE, ("Reception",))
        assert b.scene.roster.is_up(agent.id)
        assert [each.id for each in (await b.agents.list_agents(verbs.Empty())).items] == [agent.id]
        assert await b.agents.delete_agent(verbs.Delete(id=agent.id, confirmed=True)) == views.Nothing()
        assert not b.scene.roster.is_up(agent.id)
        assert (await b.agents.list_agents(verbs.Empty())).items == ()


async def test_an_agent_that_does_not_run_is_deleted_at_once(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        agent = await _answering(b)
        assert await b.agents.delete_agent(verbs.Delete(id=agent.id)) == views.Nothing()
        assert await b.agents.delete_agent(verbs.Delete(id=agent.id)) != views.Nothing()


async def test_an_imported_agent_takes_calls_from_nobody(tmp_path: Path) -> None:
    """Attached to the connections of the same names, but who answers is decided here: also where nobody does yet."""
    async with box(tmp_path) as b:
        agent = await _answering(b)
        file = await b.agents.export_agent(verbs.ById(id=agent.id))
        assert isinstance(file, views.AgentFile)
        assert file.connections == ("Office",)
        assert isinstance(await b.agents.delete_agent(verbs.Delete(id=agent.id)), views.Nothing)
        again = await b.agents.import_agent(verbs.ImportAgent(file=file))
        assert isinstance(again, views.AgentDetail)
        assert [each.inbound for each in again.plan.attachments] == [False]
        assert again.view.state is views.AgentState.STOPPED
        elsewhere = file.model_copy(update={"connections": ("Nowhere",), "settings": _named(file, "Night desk")})
        other = await b.agents.import_agent(verbs.ImportAgent(file=elsewhere))
        assert isinstance(other, views.AgentDetail)
        assert other.plan.attachments == ()


def _named(file: views.AgentFile, name: str) -> object:
    return file.settings.model_copy(update={"name": name})


@pytest.mark.parametrize("extension", ["ext. 12 or 13", "ask Bob", "sip:a b@c", "12\u200b3"])
async def test_callers_are_put_through_only_to_what_can_be_dialled(tmp_path: Path, extension: str) -> None:
    people = (Person(name="Anna", extension="+49 (0)30 123-456"), Person(name="Bob", extension=extension))
    agent = Agent(name="Reception", directory=(*people, Person(name="Carol")))
    async with box(tmp_path) as b:
        wanted = plan("Reception").model_copy(update={"settings": agent})
        told = await b.agents.create_agent(verbs.CreateAgent(plan=wanted))
        assert isinstance(told, Refusal)
        assert (told.why, list(told.fields)) == (Why.INVALID, ["directory.1.extension"])
        fewer = agent.model_copy(update={"directory": (people[0], Person(name="Carol"))})
        wanted = wanted.model_copy(update={"settings": fewer})
        assert isinstance(await b.agents.create_agent(verbs.CreateAgent(plan=wanted)), views.AgentDetail)


async def test_a_workflow_in_which_callers_get_stuck_is_refused_at_its_place(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception")))
        assert isinstance(made, views.AgentDetail)
        stuck = _with_workflow(made.plan, [{"name": "a", "tools": ["fly"], "then": [{"to": "b", "when": "x"}]}])
        told = await b.agents.update_agent(verbs.UpdateAgent(id=made.view.id, if_version=1, plan=stuck))
        assert isinstance(told, Refusal)
        assert sorted(told.fields) == ["workflow.states.0.then.0.to", "workflow.states.0.tools.0"]
        kept = await b.agents.get_agent(verbs.ById(id=made.view.id))
        assert isinstance(kept, views.AgentDetail)
        assert kept.plan.settings.workflow is None


async def test_a_workflow_goes_along_with_the_agents_file_whatever_tools_are_there(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        whole = _with_workflow(plan("Reception"), [{"name": "a", "tools": ["Order status"], "last": True}])
        made = await b.agents.create_agent(verbs.CreateAgent(plan=whole))
        assert isinstance(made, views.AgentDetail)
        file = await b.agents.export_agent(verbs.ById(id=made.view.id))
        assert isinstance(file, views.AgentFile)
        read = views.AgentFile.model_validate_json(file.model_dump_json())
        assert await b.agents.delete_agent(verbs.Delete(id=made.view.id)) == views.Nothing()
        again = await b.agents.import_agent(verbs.ImportAgent(file=read))
        assert isinstance(again, views.AgentDetail)
        assert again.plan.settings.workflow == whole.settings.workflow
        plan_ = again.plan.model_copy(update={"settings": again.plan.settings.model_copy(update={"hours": "Always."})})
        saved = await b.agents.update_agent(verbs.UpdateAgent(id=again.view.id, if_version=1, plan=plan_))
        assert isinstance(saved, views.AgentDetail), "what did not change keeps nobody from saving the rest"


def _with_workflow(whole: views.AgentPlan, states: list[object]) -> views.AgentPlan:
    flow = Workflow.model_validate({"first": "a", "states": states})
    return whole.model_copy(update={"settings": whole.settings.model_copy(update={"workflow": flow})})
