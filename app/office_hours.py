"""When somebody of the directory is there, as people write it, and who stands in for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART = re.compile(r"([A-Za-z ,-]*?)\s*(\d.*)")
_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?-(\d{1,2})(?:[:.](\d{2}))?")
_DAY_MINUTES = 24 * 60
_NO_HOURS = "must be days and times, e.g. “Mon-Thu 8-18; Fri 8:30-12, 13-16”"


@dataclass(frozen=True, slots=True)
class Opening:
    """On these `days` (Monday is 0), from one minute of the day until another."""

    days: frozenset[int]
    begin: int
    end: int


class Listed(Protocol):
    """What `app.settings.Person` has of it."""

    @property
    def name(self) -> str: ...

    @property
    def stand_in(self) -> str: ...


def openings(text: str) -> tuple[Opening, ...]:
    """None for no text: always there. Raises: ValueError."""
    parts = [each for each in text.replace("–", "-").split(";") if each.strip()]
    return tuple(opening for part in parts for opening in _openings(part.strip()))


def known_hours(text: str) -> str:
    """`text`. Raises: ValueError."""
    openings(text)
    return text


def is_there(hours: str, local: datetime) -> bool:
    """`local`: on the office's own clock."""
    there, minute = openings(hours), local.hour * 60 + local.minute
    return not there or any(local.weekday() in each.days and each.begin <= minute < each.end for each in there)


def fault_of(people: Sequence[Listed]) -> str:
    """What is wrong between them; empty if nothing is."""
    names = [each.name.casefold() for each in people]
    if doubled := {name for name in names if names.count(name) > 1}:
        return f"directory names somebody twice ({len(doubled)} name(s)): give each a name of their own"
    stands_in = {each.name.casefold(): each.stand_in.casefold() for each in people if each.stand_in}
    if not set(stands_in.values()) <= set(names):
        return "whoever stands in for somebody must be in the directory, by their name there"
    if any(_goes_round(name, stands_in) for name in stands_in):
        return "whoever stands in must not lead back to where it began: leave somebody without one"
    return ""


def _goes_round(name: str, stands_in: dict[str, str]) -> bool:
    seen = set[str]()
    while name in stands_in and name not in seen:
        seen.add(name)
        name = stands_in[name]
    return name in seen


def _openings(part: str) -> Iterator[Opening]:
    found = _PART.fullmatch(part)
    if found is None:
        raise ValueError(_NO_HOURS)
    days = _days(found[1])
    for span in found[2].split(","):
        clock = _SPAN.fullmatch("".join(span.split()))
        if clock is None or int(clock[2] or 0) > 59 or int(clock[4] or 0) > 59:
            raise ValueError(_NO_HOURS)
        begin, end = int(clock[1]) * 60 + int(clock[2] or 0), int(clock[3]) * 60 + int(clock[4] or 0)
        if not begin < end <= _DAY_MINUTES:
            raise ValueError("must end later than they begin; for hours past midnight, write two days")
        yield Opening(days, begin, end)


def _days(text: str) -> frozenset[int]:
    """All of them, where none is named."""
    named = [each.strip() for each in text.rstrip(" ,").split(",") if each.strip()]
    return frozenset(day for each in named for day in _span_of_days(each)) if named else frozenset(range(7))


def _span_of_days(text: str) -> Iterator[int]:
    """ "Fri-Mon" goes over the week-end."""
    first, _, last = (each.strip()[:3].casefold() for each in text.partition("-"))
    if first not in _DAYS or (last or first) not in _DAYS or "-" in text.partition("-")[2]:
        raise ValueError(_NO_HOURS)
    begin, count = _DAYS.index(first), (_DAYS.index(last or first) - _DAYS.index(first)) % 7
    return ((begin + ahead) % 7 for ahead in range(count + 1))
