"""What leaves the box about an agent, and comes back: its file, and its log."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal, Why
from app.settings import Agent
from provisioning.client import Box
from provisioning.web.rendering import (
    Form,
    done,
    door_of,
    download,
    form_of,
    page,
    refused,
    without_prefix,
    wrongly_typed,
)

_LINES_AT_ONCE = 1000
_ROUNDS = 10
"""10 000 lines are about 1 MB: weeks of a small office."""


async def export(request: Request) -> Response:
    match await door_of(request).box.ask("export_agent", views.AgentFile, id=request.path_params["id"]):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.AgentFile() as file:
            return download("agent.json", file.model_dump_json(indent=2).encode(), "application/json")


async def import_form(request: Request) -> Response:
    return page(request, "import.html", typed={"file": "", "name": ""}, errors={})


async def import_agent(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    file = _file_of(form)
    if isinstance(file, Refusal):
        return _form_page(request, form, file)
    answer = await _imported(door_of(request).box, file, form["name"])
    if isinstance(answer, Refusal):
        return _form_page(request, form, answer)
    return done(request, f"/agents/{answer.view.id}", _welcome(file, answer))


def _file_of(form: Form) -> views.AgentFile | Refusal:
    """The chosen file, or else its text."""
    try:
        return views.AgentFile.model_validate_json(form.file("picked") or form["file"])
    except ValidationError as error:
        return Refusal(
            why=Why.INVALID,
            text="Not imported: this is not the file of an agent, or a newer Deskbell made it. Export the agent again, "
            "and give the whole file.",
            fields={
                "file": "; ".join(f"{place or 'file'}: {what}" for place, what in wrongly_typed(error).fields.items())
            },
        )


async def _imported(box: Box, file: views.AgentFile, name: str) -> views.AgentDetail | Refusal:
    """`name`: another one than in the file; empty keeps that."""
    try:
        settings = Agent.model_validate(file.settings.model_dump() | ({"name": name} if name.strip() else {}))
    except ValidationError as error:
        return wrongly_typed(error)
    return await box.ask("import_agent", views.AgentDetail, file=file.model_copy(update={"settings": settings}))


def _welcome(file: views.AgentFile, agent: views.AgentDetail) -> str:
    missing = sorted(set(file.connections) - {each.name for each in agent.view.connections})
    lines = f" This box has no connection named {', '.join(missing)}." if missing else ""
    if file.language_model and not agent.plan.language_model:
        lines += f" This box has no language model named {file.language_model}: the receptionist answers."
    return f"“{agent.view.name}” is imported.{lines} Look at its channels, switch Inbound on, and start it."


def _form_page(request: Request, form: Form, refusal: Refusal) -> Response:
    picked = form.file("picked").decode(errors="replace")  # a browser forgets which file it was
    typed = {"file": picked or form["file"], "name": form["name"]}
    errors = without_prefix(refusal.fields, "file.", "settings.")
    return page(request, "import.html", STATUS[refusal.why], typed=typed, refusal=refusal, errors=errors)


async def log(request: Request) -> Response:
    """The newest 10 000 lines, as text."""
    lines: list[str] = []
    async for answer in _log_pages(door_of(request).box, request.path_params["id"]):
        if isinstance(answer, Refusal):
            return refused(request, answer)
        lines = [*(_line(entry) for entry in answer.items), *lines]
    return download("agent.log", "".join(lines).encode(), "text/plain")


async def _log_pages(box: Box, agent_id: str) -> AsyncIterator[views.LogPage | Refusal]:
    """From the newest to older ones."""
    before: int | None = None
    for _ in range(_ROUNDS):
        answer = await box.ask("list_log", views.LogPage, agent_id=agent_id, before=before, limit=_LINES_AT_ONCE)
        yield answer
        if isinstance(answer, Refusal) or answer.earlier is None:
            return
        before = answer.earlier


def _line(entry: views.LogEntry) -> str:
    fields = "".join(f" {key}={value}" for key, value in entry.fields.items())
    return f"{entry.at.isoformat(timespec='milliseconds')} {entry.level} {entry.text}{fields}\n"
