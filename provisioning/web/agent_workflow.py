"""The workflow of an agent: its states as a form, and as text."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.http_tools import HttpToolList
from app.control.refusals import STATUS, Refusal, Why
from provisioning.web.rendering import (
    done,
    door_of,
    form_of,
    page,
    refused,
    version_after,
    whole_number,
    without_prefix,
    wrongly_typed,
)
from provisioning.web.workflow_form import (
    MOST_STATES,
    MOST_WAYS,
    Typed,
    changed,
    label_of,
    typed_workflow,
    typed_workflow_of,
    workflow_draft,
    workflow_errors,
)
from provisioning.web.workflow_text import Parsed, mistakes_in, workflow_of, workflow_text
from provisioning.web.yaml_text import Mistake

_WRONG_TEXT = Refusal(why=Why.INVALID, text="Not saved: something in the text cannot be used. See below.")
_TOOLS = {
    "end_call": "Say good-bye and hang up",
    "transfer": "Put callers through",
    "take_message": "Take a message",
    "set_result": "Note results",
    "look_up": "Look up what the office knows",
    "send_digits": "Press keys, if the agent may",
}
"""What is allowed by a tick, in words. Going on from state to state is none of it: the ways say that."""


async def show(request: Request) -> Response:
    stored = await _stored(request)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    return await _page(request, stored, typed_workflow(stored.plan.settings.workflow), stored.view.version)


async def update(request: Request) -> Response:
    form, stored = await form_of(request), await _stored(request)
    if isinstance(form, Response):
        return form
    if isinstance(stored, Refusal):
        return refused(request, stored)
    typed, version = typed_workflow_of(form), whole_number(form["version"], 0)
    if form.ticked("change"):
        return await _page(request, stored, changed(typed, form["change"]), version, unsaved=True)
    answer = await _saved(request, stored, version, workflow_draft(typed))
    if isinstance(answer, Refusal):
        version = whole_number(version_after(answer, form["version"], stored.view.version), 0)
        return await _page(request, stored, typed, version, refusal=answer)
    return done(request, request.url.path, _kept(answer))


async def text(request: Request) -> Response:
    stored = await _stored(request)
    if isinstance(stored, Refusal):
        return refused(request, stored)
    return _text_page(request, stored, workflow_text(stored.plan.settings.workflow), stored.view.version)


async def update_text(request: Request) -> Response:
    form, stored = await form_of(request), await _stored(request)
    if isinstance(form, Response):
        return form
    if isinstance(stored, Refusal):
        return refused(request, stored)
    typed, version = form["text"], whole_number(form["version"], 0)
    found = await workflow_of(typed)
    if not isinstance(found, Parsed):
        return _text_page(request, stored, typed, version, _WRONG_TEXT, found)
    draft = found.workflow.model_dump(mode="json") if found.workflow else None
    answer = await _saved(request, stored, version, draft)
    if isinstance(answer, Refusal):
        version = whole_number(version_after(answer, form["version"], stored.view.version), 0)
        return _text_page(request, stored, typed, version, answer, mistakes_in(found.read, _fields(answer)))
    return done(request, f"/agents/{stored.view.id}/workflow", _kept(answer))


async def _stored(request: Request) -> views.AgentDetail | Refusal:
    return await door_of(request).box.ask("get_agent", views.AgentDetail, id=request.path_params["id"])


async def _saved(
    request: Request, stored: views.AgentDetail, version: int, draft: dict[str, object] | None
) -> views.AgentDetail | Refusal:
    """All else of the agent stays as it is stored."""
    plan = stored.plan.model_dump(mode="json")
    plan["settings"]["workflow"] = draft
    question = {"id": stored.view.id, "if_version": version, "plan": plan}
    try:
        return await door_of(request).box.ask("update_agent", views.AgentDetail, **question)
    except ValidationError as error:
        return wrongly_typed(error)


def _kept(agent: views.AgentDetail) -> str:
    restart = " Restart the agent to apply it." if agent.view.restart_pending else ""
    return f"The workflow is saved.{restart}"


def _fields(refusal: Refusal) -> dict[str, str]:
    return without_prefix(refusal.fields, "plan.", "settings.")


async def _page(
    request: Request,
    stored: views.AgentDetail,
    typed: Typed,
    version: int,
    *,
    refusal: Refusal | None = None,
    unsaved: bool = False,
) -> Response:
    declared = await door_of(request).box.ask("list_http_tools", HttpToolList, id=stored.view.id)
    if isinstance(declared, Refusal):
        return refused(request, declared)
    errors = workflow_errors(_fields(refusal)) if refusal else {}
    first, states = typed
    return page(
        request,
        "agent_workflow.html",
        STATUS[refusal.why] if refusal else 200,
        agent=stored.view,
        version=version,
        first=first,
        states=states,
        refusal=refusal,
        errors=errors,
        labels={each: label_of(each, states) for each in errors},
        unsaved=unsaved,
        tools=[*_TOOLS.items(), *((each.tool.name, f"Ask “{each.tool.name}”") for each in declared.items)],
        results=[(each.name, each.name) for each in stored.plan.settings.result_fields],
        most_ways=MOST_WAYS,
        most_states=MOST_STATES,
        has_model=stored.plan.language_model is not None,
    )


def _text_page(
    request: Request,
    stored: views.AgentDetail,
    typed: str,
    version: int,
    refusal: Refusal | None = None,
    mistakes: Sequence[Mistake] = (),
) -> Response:
    return page(
        request,
        "agent_workflow_text.html",
        STATUS[refusal.why] if refusal else 200,
        agent=stored.view,
        typed=typed,
        version=version,
        refusal=refusal,
        mistakes=mistakes,
        is_new=stored.plan.settings.workflow is None and refusal is None,
    )
