"""Test chats: the brain of an agent as it is saved, with text in and text out. No call, no session; what would reach
somebody else in a call is only told."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from math import inf

import trio

from app.control.chat import ChatLine, ChatView
from app.http_tools import HttpTool, HttpTools, ToolAnswer, ToolRun, Value
from app.ports import Action, Brain, HangUp, Heard, Noted, Say
from app.pressing import Press
from app.settings import Agent
from app.transfers import Transfer, number_of

MOST_CHATS = 4
"""At once: each holds an agent's knowledge, and calls go on."""

IDLE_S = 600.0
"""Whoever types nothing for so long has left."""

ANSWER_S = 18.0
"""For one answer: the page waits for 20 s."""

MOST_LINES = 200
"""A conversation that nobody reads any more."""

_TOO_SLOW = f"The agent had nothing more to say within {ANSWER_S:.0f} s."
_TOO_LONG = "The chat is too long by now. Begin another one."


@dataclass(frozen=True, slots=True)
class Partner:
    """Whom one chats with."""

    agent: Agent
    brain: Brain


Opener = Callable[[str, Callable[[HttpTools], HttpTools]], AbstractAsyncContextManager[Partner]]
"""The partner of an agent's id; what it may ask of programs is what the other argument makes of its HTTP tools."""


@dataclass
class Chat:
    """One of them. One line is answered after the other."""

    id: str
    agent_id: str
    scope: trio.CancelScope
    lines: list[ChatLine] = field(default_factory=list)
    ended: bool = False
    partner: Partner | None = None
    answering: trio.Lock = field(default_factory=trio.Lock)

    def box(self, text: str) -> None:
        self.lines.append(ChatLine(speaker="box", text=text))

    def agent(self, said: Sequence[str]) -> None:
        if said:
            self.lines.append(ChatLine(speaker="agent", text=" ".join(said)))

    @property
    def view(self) -> ChatView:
        results = self.partner.brain.results if self.partner else {}
        return ChatView(id=self.id, lines=tuple(self.lines), ended=self.ended, results=results)


class Chats:
    """Made by firmware/appliance.py. `nursery`: outlives them."""

    def __init__(self, nursery: trio.Nursery, opened: Opener) -> None:
        self._nursery, self._opened = nursery, opened
        self._chats: dict[str, Chat] = {}

    async def start(self, agent_id: str) -> ChatView:
        """Greeted. In place of the oldest, where there are too many. Raises: AgentProblem, if the agent cannot run."""
        while len(self._chats) >= MOST_CHATS:
            self._chats.pop(next(iter(self._chats))).scope.cancel()
        chat = Chat(secrets.token_hex(6), agent_id, trio.CancelScope(deadline=trio.current_time() + IDLE_S))
        await self._nursery.start(self._live, chat)
        if chat.partner and chat.partner.agent.greeting:
            await self._perform(chat, chat.partner.brain.greet(), chat.partner)
        return chat.view

    def find(self, agent_id: str, chat_id: str) -> ChatView | None:
        chat = self._chats.get(chat_id)
        return chat.view if chat and chat.agent_id == agent_id else None

    async def say(self, agent_id: str, chat_id: str, text: str) -> ChatView | None:
        """The answer stands in it. None: there is no such chat any more."""
        chat = self._chats.get(chat_id)
        if chat is None or chat.agent_id != agent_id or chat.partner is None:
            return None
        chat.scope.deadline = trio.current_time() + IDLE_S
        async with chat.answering:
            if chat.ended:
                return chat.view
            chat.lines.append(ChatLine(speaker="caller", text=text))
            await self._perform(chat, chat.partner.brain.reply(Heard(text, text)), chat.partner)
            if len(chat.lines) >= MOST_LINES and not chat.ended:
                chat.ended = True
                chat.box(_TOO_LONG)
        return chat.view

    async def _live(self, chat: Chat, task_status: trio.TaskStatus[None]) -> None:
        """Until nobody types any more."""
        try:
            with chat.scope:
                async with self._opened(chat.agent_id, lambda tools: OnlyLooks(tools, chat.box)) as partner:
                    chat.partner, self._chats[chat.id] = partner, chat
                    task_status.started()
                    await trio.sleep(inf)
        finally:
            self._chats.pop(chat.id, None)

    async def _perform(self, chat: Chat, actions: AsyncGenerator[Action, None], partner: Partner) -> None:
        said: list[str] = []
        with trio.move_on_after(ANSWER_S) as patience:
            async with aclosing(actions):
                async for action in actions:
                    match action:
                        case Say(text):
                            said.append(text)
                        case Noted(text):
                            chat.box(text)
                        case Press(keys):
                            chat.agent(said)
                            said.clear()
                            chat.box(f"In a call, the agent would press these keys now: {keys}")
                        case HangUp() | Transfer():
                            chat.agent(said)
                            _end(chat, action, partner)
                            return
        chat.agent(said)
        if patience.cancelled_caught:
            partner.brain.interrupted(" ".join(said))
            chat.box(_TOO_SLOW)


def _end(chat: Chat, action: HangUp | Transfer, partner: Partner) -> None:
    """What a call would end with."""
    chat.ended = True
    match action:
        case HangUp():
            chat.box("The agent hangs up.")
        case Transfer(person):
            number = number_of(partner.agent, person)
            chat.box(f"In a call, the box would put the caller through to {person}, on {number}, now.")
    told = partner.agent.mail_to
    if told and (partner.agent.mail_when == "every call" or any(partner.brain.results.values())):
        chat.box(f"After a call, an e-mail would go to {', '.join(told)}.")


class OnlyLooks:
    """Implements app.http_tools.HttpTools: nothing is done by a chat. `would`: hears what is not."""

    def __init__(self, tools: HttpTools, would: Callable[[str], None]) -> None:
        self._inner, self._would = tools, would

    @property
    def tools(self) -> Sequence[HttpTool]:
        return self._inner.tools

    def start(self, tool: HttpTool, values: Mapping[str, Value], within_s: float) -> ToolRun:
        if tool.method == "GET":
            return self._inner.start(tool, values, within_s)
        self._would(f"In a call, the tool “{tool.name}” would really be asked now; here it is as if it had answered.")
        return _AsIf()


class _AsIf:
    """Implements app.http_tools.ToolRun."""

    async def answer(self) -> ToolAnswer:
        await trio.lowlevel.checkpoint()
        return ToolAnswer(0.0, 200, "Done.")

    def stop(self) -> None:
        """There is nothing on its way."""
