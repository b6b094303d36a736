"""Agents: what they say and know, which connections they use, and their life."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.connectivity import ConnectivityList
from app.control.documents import Documents
from app.control.http_tools import HttpToolList
from app.control.refusals import STATUS, Refusal, Why
from app.settings import NOTED_RESULTS
from provisioning.web.agent_form import free_line, labels_of, named, plan_of, typed_of, typed_plan, with_workflow
from provisioning.web.rendering import (
    Form,
    done,
    door_of,
    form_of,
    next_of,
    page,
    refused,
    version_after,
    whole_number,
    without_prefix,
    wrongly_typed,
    zone_of,
)

_LIFE = {"start": "start_agent", "stop": "stop_agent", "restart": "restart_agent"}


async def show(request: Request) -> Response:
    match await door_of(request).box.ask("list_agents", views.Agents):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Agents(items=agents):
            asked = {name: request.query_params.get(name, "")[:200] for name in ("text", "show")}
            return page(
                request,
                "agents.html",
                agents=[agent for agent in agents if _fits(agent, asked)],
                asked=asked,
                all=len(agents),
                running=sum(agent.state is views.AgentState.RUNNING for agent in agents),
                zone=await zone_of(request),
            )


def _fits(agent: views.AgentView, asked: dict[str, str]) -> bool:
    """`show`: "running", or all."""
    wanted = asked["show"] != "running" or agent.state is views.AgentState.RUNNING
    return wanted and asked["text"].casefold() in f"{agent.name}\n{agent.description}".casefold()


async def new(request: Request) -> Response:
    """Answering the connection that nobody answers yet, where there is one."""
    connections = await door_of(request).box.ask("list_connections", views.Connections)
    if isinstance(connections, Refusal):
        return refused(request, connections)
    where = {"next": next_of(request.query_params.get("next", ""), "")}
    return await _form_page(request, None, typed_plan(None) | free_line(connections.items) | where)


async def edit(request: Request) -> Response:
    match await door_of(request).box.ask("get_agent", views.AgentDetail, id=request.path_params["id"]):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.AgentDetail() as agent:
            return await _form_page(request, agent.view, typed_plan(agent))


async def create(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    if form.ticked("more"):
        return await _form_page(request, None, typed_of(form, more=form["more"]))
    answer = await _asked(request, "create_agent", plan_of(form))
    if isinstance(answer, Refusal):
        return await _form_page(request, None, typed_of(form), answer)
    where = next_of(form["next"], f"/agents/{answer.view.id}")
    return done(request, where, f"“{answer.view.name}” is saved. Start it when you are ready.")


async def update(request: Request) -> Response:
    form, agent_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    stored = await door_of(request).box.ask("get_agent", views.AgentDetail, id=agent_id)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    if form.ticked("more"):
        return await _form_page(request, stored.view, typed_of(form, more=form["more"]))
    plan = with_workflow(plan_of(form), stored)
    answer = await _asked(request, "update_agent", plan, id=agent_id, if_version=whole_number(form["version"], 0))
    if isinstance(answer, Refusal):
        typed = typed_of(form) | {"version": version_after(answer, form["version"], stored.view.version)}
        return await _form_page(request, stored.view, typed, answer)
    restart = " Restart it to apply the changes." if answer.view.restart_pending else ""
    return done(request, f"/agents/{agent_id}", f"“{answer.view.name}” is saved.{restart}")


async def act(request: Request) -> Response:
    """Start, stop, restart, delete."""
    form, action, agent_id = await form_of(request), request.path_params["action"], request.path_params["id"]
    if isinstance(form, Response):
        return form
    if action == "delete":
        return await _delete(request, form, agent_id)
    if action not in _LIFE:
        return refused(request, Refusal(why=Why.NOT_FOUND, text="There is no such page. Go on from the menu."))
    answer = await door_of(request).box.ask(_LIFE[action], views.AgentView, id=agent_id)
    if isinstance(answer, Refusal):
        return refused(request, answer)
    back = form["back"] if form["back"].startswith("/agents") else next_of(form["back"], "/agents")
    return done(request, back)


async def _delete(request: Request, form: Form, agent_id: str) -> Response:
    if not form.ticked("confirmed"):
        return await _really(request, agent_id)
    answer = await door_of(request).box.ask("delete_agent", views.Nothing, id=agent_id, confirmed=True)
    match answer:
        case Refusal():
            return refused(request, answer)
        case views.Nothing():
            return done(request, "/agents", "The agent is deleted. Its sessions stay until you delete them.")


async def _really(request: Request, agent_id: str) -> Response:
    match await door_of(request).box.ask("get_agent", views.AgentDetail, id=agent_id):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.AgentDetail(view=agent):
            runs = "It runs: callers will no longer reach it. " if agent.state is not views.AgentState.STOPPED else ""
            text = f"Delete “{agent.name}”? {runs}What it says and knows goes for good; its sessions stay."
            asked = Refusal(why=Why.IN_USE, text=text)
            return page(request, "confirm.html", refusal=asked, action=request.url.path, back=f"/agents/{agent_id}")


async def log(request: Request) -> Response:
    agent_id, level = request.path_params["id"], request.query_params.get("level", "")
    text = request.query_params.get("text", "")[:200]
    box = door_of(request).box
    agent = await box.ask("get_agent", views.AgentDetail, id=agent_id)
    level = level if level in ("INFO", "WARNING", "ERROR") else ""
    before = whole_number(request.query_params.get("before", "")[:15], 0) or None
    lines = await box.ask("list_log", views.LogPage, agent_id=agent_id, level=level, text=text, before=before)
    if isinstance(agent, Refusal):
        return refused(request, agent)
    if isinstance(lines, Refusal):
        return refused(request, lines)
    earlier = urlencode({"level": level, "text": text, "before": lines.earlier}) if lines.earlier else ""
    return page(
        request,
        "log.html",
        agent=agent.view,
        entries=lines.items,
        level=level,
        text=text,
        earlier=earlier,
        zone=await zone_of(request),
    )


async def _asked(
    request: Request, verb: str, plan: dict[str, object], **question: object
) -> views.AgentDetail | Refusal:
    try:
        return await door_of(request).box.ask(verb, views.AgentDetail, **question, plan=plan)
    except ValidationError as error:
        return wrongly_typed(error)


async def show_again(request: Request, refusal: Refusal, file_error: str = "") -> Response:
    """The page of a stored agent, where something else than its form was sent."""
    match await door_of(request).box.ask("get_agent", views.AgentDetail, id=request.path_params["id"]):
        case Refusal() as gone:
            return refused(request, gone)
        case views.AgentDetail() as agent:
            return await _form_page(request, agent.view, typed_plan(agent), refusal, file_error)


async def _form_page(
    request: Request,
    view: views.AgentView | None,
    typed: dict[str, object],
    refusal: Refusal | None = None,
    file_error: str = "",
) -> Response:
    box = door_of(request).box
    documents = await box.ask("list_documents", Documents, id=view.id) if view else Documents(items=())
    if isinstance(documents, Refusal):
        return refused(request, documents)
    stored = await box.ask("get_agent", views.AgentDetail, id=view.id) if view else None
    if isinstance(stored, Refusal):
        return refused(request, stored)
    workflow = stored.plan.settings.workflow if stored else None
    tools = await box.ask("list_http_tools", HttpToolList, id=view.id) if view else HttpToolList(items=())
    if isinstance(tools, Refusal):
        return refused(request, tools)
    connections = await box.ask("list_connections", views.Connections)
    speech = await box.ask("list_connectivity", ConnectivityList)
    if isinstance(connections, Refusal):
        return refused(request, connections)
    if isinstance(speech, Refusal):
        return refused(request, speech)
    errors = named(without_prefix(refusal.fields, "plan.", "settings.")) if refusal else {}
    return page(
        request,
        "agent.html",
        STATUS[refusal.why] if refusal else 200,
        view=view,
        typed=typed,
        refusal=refusal,
        errors=errors,
        labels=labels_of(errors),
        connections=connections.items,
        speech=speech.items,
        zone=await zone_of(request),
        noted_results=NOTED_RESULTS,
        documents=documents.items,
        tools=tools.items,
        states=[each.name for each in workflow.states] if workflow else [],
        file_error=file_error,
    )
