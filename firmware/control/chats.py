"""Verbs of test chats."""

from __future__ import annotations

from app.agents.roster import AgentProblem
from app.control import verbs
from app.control.chat import ChatView, SayInChat, WhichChat
from app.control.refusals import Refusal, Why
from firmware.chatting import Chats
from firmware.control.refusing import not_found
from firmware.storage import SqliteLedger, records

_OVER = Refusal(
    why=Why.NOT_FOUND,
    text="This chat is over: nobody typed anything for ten minutes, or others began. Begin another one.",
)


class ChatVerbs:
    def __init__(self, store: SqliteLedger, chats: Chats) -> None:
        self._store, self._chats = store, chats

    async def start_chat(self, ask: verbs.ById) -> ChatView | Refusal:
        if await self._store.transact(lambda db: records.read_agent(db, ask.id)) is None:
            return not_found("agent")
        try:
            return await self._chats.start(ask.id)
        except AgentProblem as problem:
            return Refusal(why=Why.NOT_NOW, text=str(problem))

    async def get_chat(self, ask: WhichChat) -> ChatView | Refusal:
        return self._chats.find(ask.id, ask.chat_id) or _OVER

    async def say_in_chat(self, ask: SayInChat) -> ChatView | Refusal:
        return await self._chats.say(ask.id, ask.chat_id, ask.text) or _OVER
