"""Why a running campaign calls nobody now, for its owner: what stands in the way, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.outbound.campaign import WEEKDAYS

_SOON_DAYS: Final = 6
"""So far ahead the day of the week says which day is meant."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a campaign calls through. `agent`: its name, None if it was deleted. `problem`: why it is in Error."""

    agent: str | None
    runs: bool
    starts: bool = False
    problem: str = ""
    connection: str | None = None
    registered: bool = False
    registration: str = ""


def line_obstacle(line: Line) -> str:
    """Empty where calls can be placed."""
    if line.agent is None:
        return "Nobody is called: the agent was deleted. Choose another one in the campaign's settings."
    if line.problem:
        return f"Nobody is called: the agent “{line.agent}” cannot run. {line.problem}"
    if line.starts:
        return f"Nobody is called yet: the agent “{line.agent}” is starting."
    if not line.runs:
        return f"Nobody is called: the agent “{line.agent}” is not running. Start it; the campaign goes on then."
    if line.connection is None:
        return (
            f"Nobody is called: the agent “{line.agent}” does not use the campaign's connection. Attach it, then "
            "restart the agent."
        )
    if not line.registered:
        return f"Nobody is called: the connection “{line.connection}” is not registered. {line.registration}"
    return ""


CLOCK: Final = (
    "Nobody is called: the clock of the box is not set, so nobody knows whether it is calling time. Connect the box to "
    "the network, or look under Box."
)
NEVER_OPEN: Final = "Nobody is called: no calling hours are ahead. Add some, or take holidays away."
SEATS: Final = "All seats are taken: the next call begins when one is free."
NO_SEATS: Final = (
    "Nobody is called: all of the agent's Max opened sessions are kept free for callers. Raise it, or keep fewer "
    "seats free."
)


def hours_begin(opening: datetime, now: datetime, zone: str) -> str:
    return f"Calling hours begin {_when(opening, now, zone)}."


def next_is_due(due_at: datetime, now: datetime, zone: str) -> str:
    return f"The next participant is due {_when(due_at, now, zone)}."


def holds_back(until: datetime, now: datetime, zone: str) -> str:
    return (
        f"Too many calls failed because of the line: nobody is called before {_when(until, now, zone, on='')}, then "
        "one call is tried. Look under Diagnosis whether the phone system has a fault."
    )


TRIES_ONE: Final = "Too many calls failed because of the line: one call is tried before others follow."


def _when(instant: datetime, now: datetime, zone: str, on: str = "on ") -> str:
    """By the clock of `zone`: a time today, a day of this week, or a date."""
    place = ZoneInfo(zone)
    local, today = instant.astimezone(place), now.astimezone(place).date()
    clock = f"{local:%H:%M} ({zone})"
    ahead = (local.date() - today).days
    if ahead == 0:
        return f"at {clock}" if on else clock
    day = WEEKDAYS[local.weekday()].title() if 0 < ahead <= _SOON_DAYS else f"{local:%Y-%m-%d}"
    return f"{on}{day} at {clock}"
