"""A disk that is nearly full, that takes nothing, or that comes from another machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.control.views import Finding, Severity

LITTLE_MB = 100
"""An hour and a half of recordings: time to do something about it."""

_NOTHING_MB = 5


def of_disk(free_mb: int | None, problem: str = "", left_machine: Sequence[str] = ()) -> Iterator[Finding]:
    """`problem`: why nothing is stored at the moment, with what to do. See `Facts`."""
    if free_mb is not None and free_mb < LITTLE_MB:
        yield _little_room(free_mb)
    elif problem:
        yield _refuses(problem)
    if left_machine:
        yield _moved(left_machine)


def _little_room(free_mb: int) -> Finding:
    full = free_mb < _NOTHING_MB
    means = "Calls go on, but neither they nor any change can be stored." if full else "Recordings take 1 MB a minute."
    return Finding(
        kind="disk full",
        severity=Severity.ERROR if full else Severity.WARNING,
        title="The disk is full" if full else "The disk is nearly full",
        evidence=f"{free_mb} MB are free. {means}",
        remedy="Delete sessions that nobody needs any more, oldest first: their recordings take the most room. Then "
        "let the box do it by itself: under Box, keep sessions for fewer days.",
    )


def _refuses(problem: str) -> Finding:
    return Finding(
        kind="disk refuses",
        severity=Severity.ERROR,
        title="The disk takes no data",
        evidence=problem,
        remedy="An SD card that is worn out does this. Make a backup now under Box > Backup: settings can still be "
        "read. Then write the image onto a new card, start the box with it, and restore the backup there.",
    )


def _moved(left_machine: Sequence[str]) -> Finding:
    return Finding(
        kind="moved",
        severity=Severity.WARNING,
        title="This card was set up in another box",
        evidence=f"That one has the network address {', '.join(left_machine)}, and this one another. If it still runs "
        "with a copy of this card, both register as the same extensions, and calls reach only one of them.",
        remedy="If the card was put in here on purpose, say so under Box. If not, make this box as new under Box > "
        "Factory reset, with everything.",
    )
