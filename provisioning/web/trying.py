"""Test: call a number now, an echo test, a call from the box's own microphone."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.call_views import Calls, CallView, SoundDevices
from app.control.refusals import STATUS, Refusal
from provisioning.web.rendering import Form, done, door_of, form_of, page, refused, wrongly_typed

_SHOWN = 20
_FIELDS = ("agent_id", "connection_id", "target", "on_machine", "message", "device")
_ON_MACHINE = (
    ("ignore", "Talk to it as to anybody"),
    ("hang up", "Hang up"),
    ("leave message", "Leave a message after its beep"),
)


async def show(request: Request) -> Response:
    return await _page(request, dict.fromkeys(_FIELDS, ""))


async def place(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    question: dict[str, object] = {
        "agent_id": form["agent_id"],
        "connection_id": form["connection_id"] or None,
        "target": form["target"].strip(),
        "on_machine": form["on_machine"] or "ignore",
        "message": form["message"],
        "echo": form.ticked("echo"),
    }
    return await _started(request, form, "place_call", question)


async def handset(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    question: dict[str, object] = {"agent_id": form["agent_id"], "device": form["device"] or "default"}
    return await _started(request, form, "call_from_handset", question)


async def hang_up(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("hang_up_call", CallView, id=request.path_params["id"])
    return refused(request, answer) if isinstance(answer, Refusal) else done(request, "/test")


async def _started(request: Request, form: Form, verb: str, question: dict[str, object]) -> Response:
    try:
        answer = await door_of(request).box.ask(verb, CallView, **question)
    except ValidationError as error:
        answer = wrongly_typed(error)
    if isinstance(answer, Refusal):
        return await _page(request, {name: form[name] for name in _FIELDS}, answer)
    return done(request, "/test")


async def _page(request: Request, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
    box = door_of(request).box
    agents = await box.ask("list_agents", views.Agents)
    connections = await box.ask("list_connections", views.Connections)
    calls = await box.ask("list_calls", Calls, limit=_SHOWN)
    devices = await box.ask("list_sound_devices", SoundDevices)
    if isinstance(agents, Refusal):
        return refused(request, agents)
    if isinstance(connections, Refusal):
        return refused(request, connections)
    if isinstance(calls, Refusal):
        return refused(request, calls)
    if isinstance(devices, Refusal):
        return refused(request, devices)
    running = [each for each in agents.items if each.state is views.AgentState.RUNNING]
    return page(
        request,
        "test.html",
        STATUS[refusal.why] if refusal else 200,
        running=[(each.id, each.name) for each in running],
        lines=[("", "The agent’s only connection"), *((each.id, each.account.name) for each in connections.items)],
        calls=calls.items,
        on_machine=_ON_MACHINE,
        devices=[(name, name) for name in devices.items],
        typed=typed,
        refusal=refusal,
        errors=refusal.fields if refusal else {},
    )
