"""Programs that an agent may ask in a call: declared, tried, deleted."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.http_tools import HttpToolTrial, HttpToolView
from app.control.refusals import STATUS, Refusal
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
from provisioning.web.tool_form import METHODS, TYPES, Typed, draft_of, labels_of, named, typed_of, typed_tool

_PREFIX = "value."
"""Of the fields in which somebody types values for a try."""


async def new(request: Request) -> Response:
    return await _page(request, None, typed_tool(None))


async def create(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    if form.ticked("more"):
        return await _page(request, None, typed_of(form, None))
    agent_id = request.path_params["id"]
    answer = await _asked(request, "create_http_tool", id=agent_id, draft=draft_of(form))
    if isinstance(answer, Refusal):
        return await _page(request, None, typed_of(form, None), answer, named(answer.fields, form))
    return done(request, f"/agents/{agent_id}/tools/{answer.id}", f"“{answer.tool.name}” is saved. Try it below.")


async def edit(request: Request) -> Response:
    stored = await _stored(request)
    return refused(request, stored) if isinstance(stored, Refusal) else await _page(request, stored, typed_tool(stored))


async def update(request: Request) -> Response:
    form, stored = await form_of(request), await _stored(request)
    if isinstance(form, Response):
        return form
    if isinstance(stored, Refusal):
        return refused(request, stored)
    if form.ticked("more"):
        return await _page(request, stored, typed_of(form, stored))
    question = _which(request) | {"if_version": whole_number(form["version"], 0), "draft": draft_of(form)}
    answer = await _asked(request, "update_http_tool", **question)
    if isinstance(answer, Refusal):
        typed = typed_of(form, stored) | {"version": version_after(answer, form["version"], stored.version)}
        return await _page(request, stored, typed, answer, named(answer.fields, form))
    return done(request, request.url.path, f"“{answer.tool.name}” is saved. Restart the agent to apply it.")


async def test(request: Request) -> Response:
    """What was typed stays; the answer stands below."""
    form, stored = await form_of(request), await _stored(request)
    if isinstance(form, Response):
        return form
    if isinstance(stored, Refusal):
        return refused(request, stored)
    values = {each.name: form[_PREFIX + each.name].strip() for each in stored.tool.fields}
    try:
        given = {name: value for name, value in values.items() if value}
        answer = await door_of(request).box.ask("try_http_tool", HttpToolTrial, **_which(request), values=given)
    except ValidationError as error:
        answer = wrongly_typed(error)
    typed = typed_tool(stored) | {"tries": values}
    if isinstance(answer, Refusal):
        errors = {f"v-{name}": text for name, text in without_prefix(answer.fields, "values.").items()}
        return await _page(request, stored, typed, answer, errors, is_trial=True)
    return await _page(request, stored, typed, trial=answer)


async def delete(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("delete_http_tool", views.Nothing, **_which(request))
    if isinstance(answer, Refusal):
        return refused(request, answer)
    where = f"/agents/{request.path_params['id']}#tools"
    return done(request, where, "The agent may no longer ask it. Restart the agent to apply it.")


def _which(request: Request) -> dict[str, object]:
    return {"id": request.path_params["id"], "tool_id": request.path_params["tool_id"]}


async def _stored(request: Request) -> HttpToolView | Refusal:
    return await door_of(request).box.ask("get_http_tool", HttpToolView, **_which(request))


async def _asked(request: Request, verb: str, **question: object) -> HttpToolView | Refusal:
    try:
        return await door_of(request).box.ask(verb, HttpToolView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


async def _page(
    request: Request,
    stored: HttpToolView | None,
    typed: Typed,
    refusal: Refusal | None = None,
    errors: dict[str, str] | None = None,
    *,
    is_trial: bool = False,
    trial: HttpToolTrial | None = None,
) -> Response:
    """`is_trial`: the refusal is of a try."""
    agent = await door_of(request).box.ask("get_agent", views.AgentDetail, id=request.path_params["id"])
    if isinstance(agent, Refusal):
        return refused(request, agent)
    labels = labels_of(errors or {}) | {f"v-{each.name}": each.name for each in (stored.tool.fields if stored else ())}
    return page(
        request,
        "agent_tool.html",
        STATUS[refusal.why] if refusal else 200,
        agent=agent.view,
        stored=stored,
        typed={"version": "", "tries": _examples(stored)} | typed,
        refusal=None if is_trial else refusal,
        trial_refusal=refusal if is_trial else None,
        trial=trial,
        errors=errors or {},
        labels=labels,
        methods=METHODS,
        types=TYPES,
        has_model=agent.plan.language_model is not None,
    )


def _examples(stored: HttpToolView | None) -> dict[str, str]:
    return {each.name: each.example for each in stored.tool.fields} if stored else {}
