"""When a box may be restarted that was told to do so later. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_WAIT = timedelta(hours=1)
"""After the hour that was set, for calls to end: then the night is for other things, and it waits for the next."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`hour`: 0 to 23, by the box's own time zone; None: as soon as no call goes on."""

    hour: int | None = None


def is_due(plan: Plan, local: datetime, *, in_call: bool) -> bool:
    """`local`: now, in the box's zone."""
    if in_call:
        return False
    if plan.hour is None:
        return True
    since = timedelta(hours=(local.hour - plan.hour) % 24, minutes=local.minute, seconds=local.second)
    return since < LONGEST_WAIT
