"""A whole new box in one question: what the set-up file of the boot partition says, beside the page's password."""

from __future__ import annotations

from pydantic import Field

from app.settings import Agent, Box, ConnectionDraft, Name, Settings

_MOST = 20
"""Connections, and agents, of one box: whoever has more needs a second box anyway."""


class AgentToSetUp(Agent):
    """An agent as one table of the file. `connections`: by name, None stands for all of the file. `inbound`: it answers
    their calls; otherwise it only places calls through them. `start`: at once, and whenever the box starts."""

    connections: tuple[Name, ...] | None = Field(default=None, max_length=_MOST)
    inbound: bool = True
    start: bool = True


class SetUpBox(Settings):
    """All or nothing, and only on a box without settings. `id`: random, of this file; asked again with it, the box
    says that it is done. Fields are named as the tables of the file."""

    id: str = Field(min_length=1, max_length=64)
    box: Box = Box()
    connection: tuple[ConnectionDraft, ...] = Field(default=(), max_length=_MOST)
    agent: tuple[AgentToSetUp, ...] = Field(default=(), max_length=_MOST)
