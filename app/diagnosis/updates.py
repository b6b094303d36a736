"""An update that the box did not stay with, and one that it does not have yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.control.updating import LastUpdate, NewerVersion
from app.control.views import Finding, Severity

TOLD_FOR = timedelta(days=14)
"""Who looks after the box looks in once a fortnight. The page Box > Update tells it for as long as it was the last."""


def of_update(last: LastUpdate | None, newer: NewerVersion | None, now: datetime) -> Iterator[Finding]:
    if last and last.outcome == "rolled back" and now - last.at <= TOLD_FOR:
        yield Finding(
            kind="update rolled back",
            severity=Severity.WARNING,
            title=f"The update to {last.version} was rolled back",
            evidence=last.text,
            remedy=last.remedy,
        )
    if newer and not (last and last.version == newer.version):
        yield Finding(
            kind="update there",
            severity=Severity.INFO,
            title=f"Deskbell {newer.version} is there",
            evidence=f"{newer.address} is what the list of versions names.",
            remedy="Download it, then upload it under Box > Update. Nothing is installed before you say so.",
        )
