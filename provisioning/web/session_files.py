"""What leaves the box about sessions: one, or all that a search finds, as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.control import views
from app.control.refusals import Refusal, Why
from provisioning.client import Box
from provisioning.web.rendering import door_of, download, refused

_AT_ONCE = 200
_JSON = "application/json"
_ALL = {"Content-Disposition": 'attachment; filename="sessions.json"'}
FILTERS = ("text", "agent", "direction", "outcome", "day")
WRONG_FILTER = Refusal(
    why=Why.INVALID,
    text="These filters cannot be used: a day is written as 2026-11-25, a text has at most 200 characters.",
)


async def export(request: Request) -> Response:
    session_id = request.path_params["id"]
    match await door_of(request).box.ask("get_session", views.SessionDetail, id=session_id):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.SessionDetail() as session:
            return download(f"session-{session.view.id}.json", session.model_dump_json(indent=2).encode(), _JSON)


async def export_all(request: Request) -> Response:
    """What the search on the page finds, oldest pages last, one session after the other: they may be many."""
    asked, box = {name: request.query_params.get(name, "") for name in FILTERS}, door_of(request).box
    try:
        found = await box.ask("list_sessions", views.Sessions, **asked, limit=_AT_ONCE)
    except ValidationError:
        return refused(request, WRONG_FILTER)
    if isinstance(found, Refusal):
        return refused(request, found)
    return StreamingResponse(_as_list(box, found, asked), media_type=_JSON, headers=_ALL)


async def _as_list(box: Box, found: views.Sessions | Refusal, asked: dict[str, str]) -> AsyncIterator[str]:
    """A list that was cut off, since the box went away, has no closing bracket: nobody takes it for the whole."""
    between = "[\n"
    while isinstance(found, views.Sessions):
        for each in found.items:
            session = await box.ask("get_session", views.SessionDetail, id=each.id)
            if isinstance(session, views.SessionDetail):  # not deleted meanwhile
                yield between + session.model_dump_json()
                between = ",\n"
        if found.before is None:
            yield "\n]\n" if between == ",\n" else "[]\n"
            return
        found = await box.ask("list_sessions", views.Sessions, **asked, before=found.before, limit=_AT_ONCE)
