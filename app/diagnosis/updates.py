"""An update that the box did not stay with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.control.updating import LastUpdate
from app.control.views import Finding, Severity

TOLD_FOR = timedelta(days=14)
"""Who looks after the box looks in once a fortnight. The page Box > Update tells it for as long as it was the last."""


def of_update(last: LastUpdate | None, now: datetime) -> Iterator[Finding]:
    if last is None or last.outcome != "rolled back" or now - last.at > TOLD_FOR:
        return
    yield Finding(
        kind="update rolled back",
        severity=Severity.WARNING,
        title=f"The update to {last.version} was rolled back",
        evidence=last.text,
        remedy=last.remedy,
    )
