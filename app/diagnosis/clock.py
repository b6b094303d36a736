"""A clock that was not set yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.clock import is_set
from app.control.views import Finding, Severity


def of_clock(now: datetime) -> Iterator[Finding]:
    if not is_set(now):
        yield Finding(
            kind="clock not set",
            severity=Severity.WARNING,
            title="The clock of the box is not set",
            evidence=f"It believes that today is {now.day} {now:%B %Y}.",
            remedy="The box sets it by itself as soon as it reaches a time server: connect it to a network that leads "
            "to the internet, or ask the administrator of the network for a time server (NTP). Calls work meanwhile, "
            "but sessions and log show wrong times, and no old session is deleted.",
        )
