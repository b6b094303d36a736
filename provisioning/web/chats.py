"""A test chat with an agent: typed instead of said, without a call."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.chat import ChatView
from app.control.refusals import STATUS, Refusal
from provisioning.web.rendering import done, door_of, form_of, page, refused, wrongly_typed


async def start(request: Request) -> Response:
    form, agent_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("start_chat", ChatView, id=agent_id)
    if isinstance(answer, Refusal):
        return refused(request, answer)
    return done(request, f"/agents/{agent_id}/chats/{answer.id}#say")


async def show(request: Request) -> Response:
    chat = await door_of(request).box.ask("get_chat", ChatView, **_which(request))
    return refused(request, chat) if isinstance(chat, Refusal) else await _page(request, chat)


async def say(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    try:
        answer = await door_of(request).box.ask("say_in_chat", ChatView, **_which(request), text=form["spoken"])
    except ValidationError as error:
        answer = wrongly_typed(error)
    if not isinstance(answer, Refusal):
        return done(request, f"{request.url.path}#say")
    chat = await door_of(request).box.ask("get_chat", ChatView, **_which(request))
    if isinstance(chat, Refusal):
        return refused(request, chat)
    return await _page(request, chat, answer, form["spoken"])


def _which(request: Request) -> dict[str, object]:
    return {"id": request.path_params["id"], "chat_id": request.path_params["chat_id"]}


async def _page(request: Request, chat: ChatView, refusal: Refusal | None = None, spoken: str = "") -> Response:
    agent = await door_of(request).box.ask("get_agent", views.AgentDetail, id=request.path_params["id"])
    if isinstance(agent, Refusal):
        return refused(request, agent)
    return page(
        request,
        "chat.html",
        STATUS[refusal.why] if refusal else 200,
        agent=agent.view,
        has_model=agent.plan.language_model is not None,
        chat=chat,
        refusal=refusal,
        error=refusal.fields.get("text", "") if refusal else "",
        spoken=spoken,
    )
