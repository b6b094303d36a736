"""Lists of a campaign's participants: uploaded, looked at, sent to the phone process, taken over."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

import trio
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.campaigns import CampaignView, Imports, ImportView
from app.control.refusals import Refusal, Why
from app.outbound.campaign import Campaign
from provisioning.shelf import Kept
from provisioning.web import csv_writing
from provisioning.web.campaign_page import form_and_campaign, stored, tab
from provisioning.web.csv_reading import Row, Table, Unusable, table
from provisioning.web.rendering import Form, done, door_of, download, form_of, refused, whole_number, wrongly_typed

_SHOWN_ROWS, _SHOWN_FAULTS = 5, 20
_WAITED_S = 8.0
"""100,000 rows take longer; then a page says how far it is."""

_NONE_CHOSEN = Refusal(
    why=Why.INVALID, text="Nothing was taken: no file was chosen. Choose the CSV file with the list."
)
_FULL = Refusal(
    why=Why.NOT_NOW,
    text="Nothing was taken: three other lists are on their way to the telephone part. Try again in a minute.",
)
_GONE = Refusal(
    why=Why.NOT_FOUND,
    text="The list is not kept any more: half an hour has passed, or the box was restarted. Choose the file again.",
)
_SENT_OR_GONE = (
    "That list is not kept any more. If you sent it before, it stands below; otherwise half an hour has passed: choose "
    "the file again."
)
_GUESSES = {
    "phone": ("number", "phone", "telephone", "tel", "mobile", "cell", "nummer", "telefon", "handy", "rufnummer"),
    "time zone": ("timezone", "zone", "tz", "zeitzone"),
}
"""How columns of such fields are called, too."""

_NOT_LETTERS = re.compile(r"[\W_]+")


async def show(request: Request) -> Response:
    view = await stored(request)
    return refused(request, view) if isinstance(view, Refusal) else await _page(request, view)


async def _page(request: Request, view: CampaignView, refusal: Refusal | None = None) -> Response:
    imports = await door_of(request).box.ask("list_imports", Imports, campaign_id=view.id)
    if isinstance(imports, Refusal):
        return refused(request, imports)
    fields = [each for each in view.settings.fields if each.importable]
    return await tab(request, "campaign_lists.html", view, refusal, imports=imports.items, fields=fields)


async def upload(request: Request) -> Response:
    sent = await form_and_campaign(request)
    if isinstance(sent, Response):
        return sent
    form, view = sent
    data = form.file("list")
    if not (data or form.file_name("list")):
        return await _page(request, view, _NONE_CHOSEN)
    found = await trio.to_thread.run_sync(table, data)
    if isinstance(found, Unusable):
        return await _page(request, view, Refusal(why=Why.INVALID, text=f"Nothing was taken. {found.text}"))
    kept = door_of(request).shelf.put(data, _about(view, form, found), time.monotonic())
    if kept is None:
        return await _page(request, view, _FULL)
    return done(request, f"/campaigns/{view.id}/lists/new/{kept.id}")


def _about(view: CampaignView, form: Form, found: Table) -> dict[str, object]:
    return {
        "campaign_id": view.id,
        "file_name": form.file_name("list") or "list.csv",
        "encoding": found.encoding,
        "separator": found.separator,
        "header": found.header,
        "row_count": found.row_count,
        "fault_count": found.fault_count,
    }


async def preview(request: Request) -> Response:
    view, kept = await stored(request), _kept(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    if kept is None:
        return refused(request, _GONE)
    columns = guessed(view.settings, kept.header)
    return await _preview_page(request, view, kept, {name: str(place) for name, place in columns.items()}, "skip")


def _kept(request: Request) -> Kept | None:
    kept = door_of(request).shelf.find(request.path_params["list_id"])
    is_this = kept is not None and kept.campaign_id == request.path_params["id"] and kept.state == "looked at"
    return kept if is_this else None


def guessed(settings: Campaign, header: tuple[str, ...]) -> dict[str, int]:
    """For each field the column that is called so, or as such fields are called; each column once."""
    columns: dict[str, int] = {}
    plain = [_NOT_LETTERS.sub("", name.casefold()) for name in header]
    for field in settings.fields:
        names = (_NOT_LETTERS.sub("", field.name.casefold()),)
        if place := _column(plain, names, columns):
            columns[field.name] = place - 1
    for field in settings.fields:
        if field.name not in columns and (place := _column(plain, _GUESSES.get(field.type, ()), columns)):
            columns[field.name] = place - 1
    importable = {each.name for each in settings.fields if each.importable}
    return {name: place for name, place in columns.items() if name in importable}


def _column(plain: list[str], names: tuple[str, ...], taken: Mapping[str, int]) -> int:
    """Its place, counted from 1; 0: none. A whole name counts more than a part of one."""
    free = [place for place in range(len(plain)) if place not in taken.values()]
    whole = next((place + 1 for place in free if plain[place] in names), 0)
    return whole or next((place + 1 for place in free if any(len(n) > 2 and n in plain[place] for n in names)), 0)


async def _preview_page(
    request: Request,
    view: CampaignView,
    kept: Kept,
    columns: dict[str, str],
    known: str,
    refusal: Refusal | None = None,
) -> Response:
    data = door_of(request).shelf.data(kept.id)
    found = Table(data, kept.encoding, kept.separator, kept.header, kept.row_count, kept.fault_count)
    rows, faults = await trio.to_thread.run_sync(_first, found)
    named = [(str(place), name or f"Column {place + 1}") for place, name in enumerate(kept.header)]
    return await tab(
        request,
        "campaign_list_new.html",
        view,
        refusal,
        kept=kept,
        read_as=found.in_words,
        rows=rows,
        faults=faults,
        columns=[("", "Leave it empty"), *named],
        chosen=columns,
        known=known,
        errors=refusal.fields if refusal else {},
        fields=[each for each in view.settings.fields if each.importable],
    )


def _first(found: Table) -> tuple[list[Row], list[Row]]:
    """Rows to look at, and those with a fault: only as many as are shown."""
    rows: list[Row] = []
    faults: list[Row] = []
    wanted = min(found.fault_count, _SHOWN_FAULTS)
    for row in found.rows() if found.data else ():
        if len(rows) == _SHOWN_ROWS and len(faults) == wanted:
            break
        if row.fault and len(faults) < wanted:
            faults.append(row)
        elif not row.fault and len(rows) < _SHOWN_ROWS:
            rows.append(row)
    return rows, faults


async def send(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    view, kept = await stored(request), _kept(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    if kept is None:  # it was pressed twice, or too late
        return done(request, f"/campaigns/{view.id}/lists", _SENT_OR_GONE)
    chosen = {each.name: form[f"column.{each.name}"] for each in view.settings.fields if each.importable}
    columns = {
        name: place for name, text in chosen.items() if 0 <= (place := whole_number(text, -1)) < len(kept.header)
    }
    begun = await _begun(request, view, kept, columns, form["known"] or "skip")
    if isinstance(begun, Refusal):
        return await _preview_page(request, view, kept, chosen, form["known"], begun)
    sender = door_of(request).sender
    sender.order(kept, begun.id, columns)
    with trio.move_on_after(_WAITED_S):
        await sender.ended(kept.id)
    return done(request, f"/campaigns/{view.id}/lists/{begun.id}")


async def _begun(
    request: Request, view: CampaignView, kept: Kept, columns: dict[str, int], known: str
) -> ImportView | Refusal:
    if missing := _missing(view.settings, columns):
        return Refusal(
            why=Why.INVALID, text="Nothing was taken yet: a column must be chosen. See below.", fields=missing
        )
    question = {"campaign_id": view.id, "file_name": kept.file_name, "known": known, "expected": kept.row_count}
    try:
        return await door_of(request).box.ask("begin_import", ImportView, **question)
    except ValidationError as error:
        return wrongly_typed(error)


def _missing(settings: Campaign, columns: dict[str, int]) -> dict[str, str]:
    needed = [
        each.name for each in settings.fields if each.importable and (each.required or _is_called(settings, each.name))
    ]
    return {f"column.{name}": "Choose the column for this field." for name in needed if name not in columns}


def _is_called(settings: Campaign, name: str) -> bool:
    return name == settings.number_field


async def one(request: Request) -> Response:
    view, found = await stored(request), await _import(request)
    if isinstance(view, Refusal):
        return refused(request, view)
    if isinstance(found, Refusal):
        return refused(request, found)
    kept = door_of(request).shelf.of_import(found.id)
    is_whole = kept is None and found.rows >= found.expected
    return await tab(request, "campaign_list.html", view, found=found, kept=kept, is_whole=is_whole)


async def _import(request: Request) -> ImportView | Refusal:
    return await door_of(request).box.ask("get_import", ImportView, id=request.path_params["list_id"])


async def finish(request: Request) -> Response:
    form, list_id = await form_of(request), request.path_params["list_id"]
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("finish_import", ImportView, id=list_id)
    if isinstance(answer, Refusal):
        return refused(request, answer)
    flash = f"{answer.good:,} added, {answer.updated:,} changed."
    return done(request, f"/campaigns/{request.path_params['id']}/lists/{list_id}", flash)


async def drop(request: Request) -> Response:
    form, list_id = await form_of(request), request.path_params["list_id"]
    if isinstance(form, Response):
        return form
    shelf = door_of(request).shelf
    if kept := shelf.of_import(list_id):
        shelf.drop(kept.id)
    answer = await door_of(request).box.ask("drop_import", views.Nothing, id=list_id)
    if isinstance(answer, Refusal):
        return refused(request, answer)
    return done(request, f"/campaigns/{request.path_params['id']}/lists", "Nothing of the list was taken over.")


async def errors(request: Request) -> Response:
    found = await _import(request)
    if isinstance(found, Refusal):
        return refused(request, found)
    rows = [("row", "field", "what is wrong"), *((each.row, each.field, each.text) for each in found.problems)]
    text = csv_writing.BOM + csv_writing.lines(
        rows, csv_writing.separator_of(request.query_params.get("separator", ""))
    )
    return download("list-errors.csv", text.encode(), "text/csv; charset=utf-8")
