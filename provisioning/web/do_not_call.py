"""Do not call: numbers that no campaign calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.control import views
from app.control.campaigns import NUMBERS_AT_ONCE, Added, DoNotCall
from app.control.refusals import STATUS, Refusal, Why
from provisioning.client import Box
from provisioning.web import csv_writing
from provisioning.web.rendering import Form, done, door_of, form_of, page, refused, whole_number, wrongly_typed, zone_of

_AT_ONCE = 500
_MOST_LINES = 20_000
_LONGEST_NUMBER = 200
_WRONG_FILTER = Refusal(why=Why.INVALID, text="Search for at most 200 characters.")
_NOTHING = Refusal(why=Why.INVALID, text="Nothing was added: no number was given. Write one on each line.")
_TOO_MANY = Refusal(
    why=Why.INVALID, text=f"Nothing was added: these are more than {_MOST_LINES:,} lines. Add them in parts."
)


async def show(request: Request) -> Response:
    return await _page(request, {"numbers": "", "note": ""})


async def _page(request: Request, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
    text = request.query_params.get("text", "")
    before = whole_number(request.query_params.get("before", ""), 0) or None
    try:
        found = await door_of(request).box.ask("list_do_not_call", DoNotCall, text=text, before=before)
    except ValidationError:
        return refused(request, _WRONG_FILTER)
    if isinstance(found, Refusal):
        return refused(request, found)
    older = urlencode({"text": text, "before": found.before} if text else {"before": found.before})
    return page(
        request,
        "do_not_call.html",
        STATUS[refusal.why] if refusal else 200,
        found=found,
        text=text,
        older=older if found.before else "",
        typed=typed,
        refusal=refusal,
        errors=refusal.fields if refusal else {},
        zone=await zone_of(request),
    )


async def add(request: Request) -> Response:
    """One number on each line; lines that are none are shown again, and the others are added."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    lines = [line.strip() for line in form["numbers"].replace("\r", "\n").split("\n") if line.strip()]
    typed = {"numbers": form["numbers"], "note": form["note"]}
    if not lines or len(lines) > _MOST_LINES:
        return await _page(request, typed, _TOO_MANY if lines else _NOTHING)
    added = await _added(door_of(request).box, lines, form)
    if isinstance(added, Refusal):
        return await _page(request, typed, added)
    if added.bad:
        wrong = "\n".join(lines[place - 1] for place in added.bad)
        return await _page(request, typed | {"numbers": wrong}, _some_are_none(added))
    return done(request, "/do-not-call", _said(added))


async def _added(box: Box, lines: list[str], form: Form) -> Added | Refusal:
    usable = [(place, line) for place, line in enumerate(lines, start=1) if _is_one_line(line)]
    added = known = 0
    bad = {place for place, line in enumerate(lines, start=1) if not _is_one_line(line)}
    for start in range(0, len(usable), NUMBERS_AT_ONCE):
        part = usable[start : start + NUMBERS_AT_ONCE]
        try:
            answer = await box.ask("add_do_not_call", Added, numbers=[line for _, line in part], note=form["note"])
        except ValidationError as error:
            return wrongly_typed(error)
        if isinstance(answer, Refusal):
            return answer
        added, known = added + answer.added, known + answer.known
        bad |= {part[place - 1][0] for place in answer.bad}
    return Added(added=added, known=known, bad=tuple(sorted(bad)))


def _is_one_line(line: str) -> bool:
    return len(line) <= _LONGEST_NUMBER and line.isprintable()


def _said(added: Added) -> str:
    numbers = "1 number is" if added.added == 1 else f"{added.added:,} numbers are"
    known = f" {added.known:,} stood there already." if added.known else ""
    return f"{numbers} added: no campaign calls them from now on.{known}"


def _some_are_none(added: Added) -> Refusal:
    count = "1 line is" if len(added.bad) == 1 else f"{len(added.bad):,} lines are"
    return Refusal(
        why=Why.INVALID,
        text=f"{_said(added)} But {count} no number: see below, and add them again.",
        fields={"numbers": "These are no telephone numbers. Write one on each line, for example +44 20 7946 0123."},
    )


async def remove(request: Request) -> Response:
    form, entry_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    if not form.ticked("confirmed"):
        asked = Refusal(why=Why.IN_USE, text="Remove this number? Campaigns may call it again from then on.")
        return page(request, "confirm.html", refusal=asked, action=request.url.path, back="/do-not-call", yes="Remove")
    answer = await door_of(request).box.ask("remove_do_not_call", views.Nothing, id=entry_id)
    return refused(request, answer) if isinstance(answer, Refusal) else done(request, "/do-not-call", "It is removed.")


async def download_all(request: Request) -> Response:
    box = door_of(request).box
    first = await box.ask("list_do_not_call", DoNotCall, limit=_AT_ONCE)
    if isinstance(first, Refusal):
        return refused(request, first)
    separator = csv_writing.separator_of(request.query_params.get("separator", ""))
    headers = {"Content-Disposition": 'attachment; filename="do-not-call.csv"'}
    return StreamingResponse(_pages(box, first, separator), media_type="text/csv; charset=utf-8", headers=headers)


async def _pages(box: Box, found: DoNotCall | Refusal, separator: csv_writing.Separator) -> AsyncIterator[str]:
    yield csv_writing.BOM + csv_writing.lines([("number", "note", "added by", "added at", "session")], separator)
    while isinstance(found, DoNotCall):
        rows = [
            (each.number, each.note, each.source, each.added_at.isoformat(timespec="seconds"), each.session_id)
            for each in found.items
        ]
        yield csv_writing.lines(rows, separator)
        if found.before is None:
            return
        found = await box.ask("list_do_not_call", DoNotCall, before=found.before, limit=_AT_ONCE)
    yield csv_writing.lines([("This file is not complete: the box did not answer any more.",)], separator)
