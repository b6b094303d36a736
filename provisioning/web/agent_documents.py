"""Files that an agent knows: added and removed."""

from __future__ import annotations

from pathlib import PurePath

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.documents import Documents
from app.control.refusals import Refusal, Why
from provisioning.document_reading import Unreadable, read
from provisioning.web.agents import show_again
from provisioning.web.rendering import Form, done, door_of, form_of, refused, wrongly_typed

_LONGEST_NAME = 80
_NONE_CHOSEN = "The file was not added: none was chosen. Choose a text, Markdown or PDF file."


async def add(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    name = _name(form)
    if not name:
        return await _not_added(request, Refusal(why=Why.INVALID, text=_NONE_CHOSEN))
    found = await read(form.file("document"))
    if isinstance(found, Unreadable):
        return await _not_added(request, Refusal(why=Why.INVALID, text=f"“{name}” was not added: {found.text}"))
    agent_id = request.path_params["id"]
    try:
        answer = await door_of(request).box.ask("add_document", Documents, id=agent_id, name=name, text=found.text)
    except ValidationError as error:
        answer = wrongly_typed(error)
    if isinstance(answer, Refusal):
        return await _not_added(request, answer)
    [added] = [each for each in answer.items if each.name == name]
    passages = f"{added.passages} passage{'s' if added.passages != 1 else ''}"
    return done(request, f"/agents/{agent_id}#files", f"“{name}” is added: {passages}. Restart the agent to apply it.")


async def remove(request: Request) -> Response:
    form, agent_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    which = {"id": agent_id, "document_id": request.path_params["document_id"]}
    answer = await door_of(request).box.ask("delete_document", views.Nothing, **which)
    if isinstance(answer, Refusal):
        return refused(request, answer)
    return done(request, f"/agents/{agent_id}#files", "The file is removed. Restart the agent to apply it.")


async def _not_added(request: Request, refusal: Refusal) -> Response:
    return await show_again(request, refusal.model_copy(update={"fields": {}}), refusal.text)


def _name(form: Form) -> str:
    """Without folders, which some browsers send; empty where none was chosen."""
    name = PurePath(form.file_name("document").replace("\\", "/")).name.strip()
    return name[-_LONGEST_NAME:].strip()
