"""How the page says what the box tells: times, lengths, how a call ended. Pure; templates use them as filters."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.control.views import RegistrationView

_DAYS = {0: "Today", 1: "Yesterday"}
_KINDS = {
    "answered": "good",
    "transferred": "good",
    "message left": "good",
    "machine": "busy",
    "busy": "busy",
    "no answer": "busy",
    "unreachable": "busy",
    "capacity": "busy",
    "network error": "bad",
    "failed": "bad",
    "unknown": "bad",
}


def when(instant: datetime, zone: str, now: datetime) -> str:
    """A moment as people say it, in the box's time zone: "Today, 10:58"."""
    there, today = instant.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    year = "" if there.year == today.year else f" {there.year}"
    day = _DAYS.get((today - there.date()).days, f"{there:%a} {there.day} {there:%b}{year}")
    return f"{day}, {there:%H:%M}"


def day(instant: datetime, zone: str) -> str:
    there = instant.astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%b %Y}"


def at(instant: datetime, zone: str) -> str:
    """The time of day, to the second: for what happens soon, and for logs."""
    return f"{instant.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def hour(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%H:%M}"


def clock_hour(instant: datetime, zone: str, earlier: int) -> str:
    """The clock hour that was under way `earlier` hours before `instant`: "14:00"."""
    return f"{(instant - timedelta(hours=earlier)).astimezone(ZoneInfo(zone)):%H}:00"


def clock(milliseconds: float) -> str:
    """A place in a call, or its length: 1:05."""
    return f"{int(milliseconds) // 60_000}:{int(milliseconds) // 1000 % 60:02d}"


def length(begin: datetime, end: datetime | None) -> str:
    """How long a call was; empty while it goes on."""
    return clock((end - begin).total_seconds() * 1000) if end else ""


def span(seconds: int) -> str:
    """Minutes, hours or days, whichever says enough."""
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def outcome_kind(outcome: str) -> str:
    """The class of a badge: what needs a person is not green, and what went wrong is red."""
    return _KINDS.get(outcome, "")


def capital(text: str) -> str:
    """The first letter only: the rest may be names."""
    return text[:1].upper() + text[1:]


def answered(registration: RegistrationView) -> str:
    """What came back from the phone system, or what kept us from it."""
    if registration.answer[:3].isdigit():
        return f"The phone system answered “{registration.answer}”."
    return f"{capital(registration.answer)}." if registration.answer else "There was no answer."


FILTERS = {
    "when": when,
    "day": day,
    "at": at,
    "hour": hour,
    "clock_hour": clock_hour,
    "clock": clock,
    "length_of": length,
    "span": span,
    "outcome_kind": outcome_kind,
    "capital": capital,
    "answered": answered,
}
