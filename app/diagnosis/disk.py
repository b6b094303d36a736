"""A disk that is nearly full."""

from __future__ import annotations

from collections.abc import Iterator

from app.control.views import Finding, Severity

LITTLE_MB = 100
"""An hour and a half of recordings: time to do something about it."""

_NOTHING_MB = 5


def of_disk(free_mb: int | None) -> Iterator[Finding]:
    if free_mb is None or free_mb >= LITTLE_MB:
        return
    full = free_mb < _NOTHING_MB
    means = "Calls go on, but neither they nor any change can be stored." if full else "Recordings take 1 MB a minute."
    yield Finding(
        kind="disk full",
        severity=Severity.ERROR if full else Severity.WARNING,
        title="The disk is full" if full else "The disk is nearly full",
        evidence=f"{free_mb} MB are free. {means}",
        remedy="Delete sessions that nobody needs any more, oldest first: their recordings take the most room. Then "
        "let the box do it by itself: under Box, keep sessions for fewer days.",
    )
