"""The form of a campaign's calling: hours, holidays, retries and limits as text, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from app.outbound.campaign import WEEKDAYS, Campaign
from provisioning.web.rendering import Form

Typed = dict[str, object]
Draft = dict[str, object]

RETRIED = (
    ("busy", "Busy"),
    ("no answer", "No answer"),
    ("machine", "An answering machine"),
    ("declined", "Declined: somebody pressed the call away"),
    ("network error", "The line failed on the way"),
    ("capacity", "No line was free"),
    ("failed", "Failed for another reason"),
    ("unknown", "Unknown: the box lost its power in the call"),
)

_NUMBERS = ("attempts", "communications", "seats_for_inbound", "at_once")
_RETRY = ("attempts", "wait_minutes", "growth")
_BREAKER = ("window", "percent", "pause_minutes")
_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d{2}))?", re.ASCII)
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", re.ASCII),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})", re.ASCII),
)


def retry_id(after: str) -> str:
    """How the fields of an outcome are named: ids have no spaces."""
    return f"retry.{after.replace(' ', '-')}"


def typed_calling(settings: Campaign, version: int) -> Typed:
    retries = {str(each.after): each for each in settings.retries}
    typed: Typed = {name: str(getattr(settings, name)) for name in _NUMBERS}
    typed |= {f"breaker.{name}": str(getattr(settings.breaker, name)) for name in _BREAKER}
    typed |= {f"hours.{day}": _spans(settings, day) for day in WEEKDAYS}
    for after, _ in RETRIED:
        retry = retries.get(after)
        typed[retry_id(after)] = (
            (str(retry.attempts), str(retry.wait_minutes), f"{retry.growth:g}") if retry else ("1", "60", "2")
        )
    return typed | {
        "holidays": "\n".join(str(each) for each in sorted(settings.holidays)),
        "time_zone": settings.time_zone,
        "version": str(version),
    }


def _spans(settings: Campaign, day: str) -> str:
    return ", ".join(sorted(f"{each.begin}-{each.end}" for each in settings.hours if day in each.days))


def typed_calling_of(form: Form) -> Typed:
    plain = (*_NUMBERS, *(f"breaker.{name}" for name in _BREAKER), *(f"hours.{day}" for day in WEEKDAYS))
    typed: Typed = {name: form[name] for name in (*plain, "holidays", "time_zone", "version")}
    return typed | {retry_id(after): _retry(form, after) for after, _ in RETRIED}


def _retry(form: Form, after: str) -> tuple[str, ...]:
    return tuple(form[f"{retry_id(after)}.{part}"] for part in _RETRY)


def calling_draft(form: Form) -> tuple[Draft, dict[str, str]]:
    """That part of the settings, and what of it cannot be read at all, by the id of the field."""
    hours, errors = _hours(form)
    holidays, wrong = _holidays(form["holidays"])
    draft: Draft = {name: form[name].strip() for name in _NUMBERS if form[name].strip()}
    return draft | {
        "hours": hours,
        "holidays": holidays,
        "time_zone": form["time_zone"],
        "breaker": {name: form[f"breaker.{name}"].strip() for name in _BREAKER if form[f"breaker.{name}"].strip()},
        "retries": [_retry_draft(form, after) for after, _ in RETRIED if _is_repeated(form, after)],
    }, errors | wrong


def _is_repeated(form: Form, after: str) -> bool:
    return form[f"{retry_id(after)}.attempts"].strip() not in ("", "0", "1")


def _retry_draft(form: Form, after: str) -> Draft:
    return {"after": after, **{name: form[f"{retry_id(after)}.{name}"].strip() for name in _RETRY}}


def _hours(form: Form) -> tuple[list[Draft], dict[str, str]]:
    """Days with the same hours become one line."""
    days: dict[tuple[str, str], list[str]] = {}
    errors = {}
    for day in WEEKDAYS:
        found = _read_spans(form[f"hours.{day}"])
        if isinstance(found, str):
            errors[f"hours.{day}"] = found
            continue
        for span in found:
            days.setdefault(span, []).append(day)
    return [{"days": on, "begin": begin, "end": end} for (begin, end), on in days.items()], errors


def _read_spans(text: str) -> list[tuple[str, str]] | str:
    """From and until, or what is wrong."""
    spans = []
    for part in (each.strip() for each in text.split(",")):
        found = _SPAN.fullmatch(part)
        if not part:
            continue
        if found is None:
            return "Write it like this: 09:00-12:00, 13:00-17:00. Leave it empty for a day without calls."
        begin, end = (
            f"{int(hour):02}:{minute or '00'}" for hour, minute in ((found[1], found[2]), (found[3], found[4]))
        )
        if not "00:00" <= begin < end <= "24:00" or max(begin[3:], end[3:]) > "59":
            return "Each span ends later than it begins, and on the same day: 18:00-24:00, for example."
        spans.append((begin, end))
    return spans


def _holidays(text: str) -> tuple[list[str], dict[str, str]]:
    days: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        found = next((match for each in _DATES if (match := each.fullmatch(line.strip()))), None)
        day = _day(found) if found else None
        if line.strip() and day is None:
            return [], {"holidays": f"Line {number} is no date. Write 2026-12-25 or 25.12.2026, one on each line."}
        if day and str(day) not in days:
            days.append(str(day))
    return days, {}


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return None


_RETRY_PATH = re.compile(r"retries\.(\d+)\.(\w+)")


def calling_errors(errors: Mapping[str, str], form: Form) -> dict[str, str]:
    """Faults by the id of the field: of retries, only those with a second call are in the draft."""
    retries = [after for after, _ in RETRIED if _is_repeated(form, after)]
    told = {}
    for path, text in errors.items():
        retry = _RETRY_PATH.fullmatch(path)
        told[f"{retry_id(retries[int(retry[1])])}.{retry[2]}" if retry else path] = text
    return told
