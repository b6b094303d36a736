"""Sessions: found, read as a chat, listened to, deleted."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import Refusal, Why
from provisioning.web import relaying
from provisioning.web.rendering import done, door_of, form_of, page, refused
from provisioning.web.session_files import FILTERS, WRONG_FILTER


async def show(request: Request) -> Response:
    asked = {name: request.query_params.get(name, "") for name in FILTERS}
    box = door_of(request).box
    try:
        found = await box.ask("list_sessions", views.Sessions, **asked, before=request.query_params.get("before"))
    except ValidationError:
        return refused(request, WRONG_FILTER)
    around = await box.ask("get_overview", views.Overview)
    if isinstance(found, Refusal):
        return refused(request, found)
    if isinstance(around, Refusal):
        return refused(request, around)
    given = {name: value for name, value in asked.items() if value}
    return page(
        request,
        "sessions.html",
        sessions=found.items,
        query=urlencode(given),
        older=urlencode({**given, "before": found.before}) if found.before else "",
        asked=asked,
        agents=[agent.name for agent in around.agents],
        outcomes=views.OUTCOMES,
        zone=around.box.settings.time_zone,
    )


async def detail(request: Request) -> Response:
    box = door_of(request).box
    found = await box.ask("get_session", views.SessionDetail, id=request.path_params["id"])
    around = await box.ask("get_box", views.BoxView)
    if isinstance(found, Refusal):
        return refused(request, found)
    if isinstance(around, Refusal):
        return refused(request, around)
    return page(request, "session.html", session=found, zone=around.settings.time_zone)


async def recording(request: Request) -> Response:
    answer = await relaying.recording(request)
    return refused(request, answer) if isinstance(answer, Refusal) else answer


async def delete(request: Request) -> Response:
    form, session_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    if not form.ticked("confirmed"):
        text = "Delete this session? Its transcript and its recording are gone for good then."
        asked = Refusal(why=Why.IN_USE, text=text)
        return page(request, "confirm.html", refusal=asked, action=request.url.path, back=f"/sessions/{session_id}")
    answer = await door_of(request).box.ask("delete_session", views.Nothing, id=session_id)
    return refused(request, answer) if isinstance(answer, Refusal) else done(request, "/sessions", "It is deleted.")
