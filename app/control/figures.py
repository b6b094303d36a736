"""What the box has counted since it started, for whoever watches boxes over time."""

from __future__ import annotations

from app.control.views import AgentState, Health
from app.settings import Settings

RESPONSE_BOUNDS_S = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Between what nobody notices and what makes callers ask whether anybody is there."""


class CallsEnded(Settings):
    """`result`: a word of app.ports.Result."""

    direction: str
    result: str
    count: int
    talk_s: float


class Responses(Settings):
    """From the caller's last word to the first audio of the answer. `within`: how many were not longer than each of
    RESPONSE_BOUNDS_S. `stages_s`: where all that time went, by stage."""

    count: int
    sum_s: float
    within: tuple[int, ...]
    stages_s: dict[str, float]


class AgentNow(Settings):
    name: str
    state: AgentState
    calls: int


class LineNow(Settings):
    name: str
    registered: bool


class Figures(Settings):
    """`agents` and `lines`: as they are now. `lines`: connections that a running agent uses."""

    software: str
    ended: tuple[CallsEnded, ...]
    responses: Responses
    interruptions: int
    agents: tuple[AgentNow, ...]
    lines: tuple[LineNow, ...]
    health: Health
