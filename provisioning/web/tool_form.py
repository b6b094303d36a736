"""The form of an HTTP tool: a small table of fields, and one of secret headers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.control.http_tools import HttpToolView
from provisioning.web.rendering import MASK, Form

METHODS = (
    ("GET", "Look something up (GET)"),
    ("POST", "Send something (POST)"),
    ("PUT", "Replace something (PUT)"),
    ("PATCH", "Change something (PATCH)"),
    ("DELETE", "Delete something (DELETE)"),
)
TYPES = (("text", "Text"), ("number", "Number"), ("yes-no", "Yes or no"), ("choice", "Choice"))
LABELS = {
    "name": "Name",
    "when": "When to use it",
    "address": "Address",
    "method": "What it does",
    "table": "What it needs to know",
    "secrets": "Secret headers",
}
_ROWS = 2
"""Empty rows offered for more: forms work without script, so they are there from the start."""

_COLUMNS = ("field", "means", "kind", "values", "must", "example")
_NO_FIELD = ("", "", "text", "", "yes", "")
_PART = {"name": "f", "description": "m", "type": "k", "choices": "c", "example": "e", "": "f"}
_PART_LABEL = {"f": "name", "m": "what is meant", "k": "type", "c": "values of a choice", "e": "example"}
_OF_FIELD = re.compile(r"fields\.(?P<n>\d+)(\.(?P<part>[a-z]+)(\.\d+)?)?")
_OF_HEADER = re.compile(r"headers\.(?P<n>\d+)")

Typed = dict[str, object]


def typed_tool(stored: HttpToolView | None) -> Typed:
    """What stands in the fields of a stored tool, or of a new one."""
    if stored is None:
        return {"name": "", "when": "", "address": "", "method": "GET", "plain_http": False} | _rows([], [])
    tool = stored.tool
    fields = [
        (
            each.name,
            each.description,
            each.type,
            ", ".join(each.choices),
            "yes" if each.required else "",
            each.example,
        )
        for each in tool.fields
    ]
    headers = [(name, "" if name in stored.missing else MASK) for name in tool.headers]
    return {
        "name": tool.name,
        "when": tool.when,
        "address": tool.url,
        "method": tool.method,
        "plain_http": tool.plain_http,
        "version": str(stored.version),
    } | _rows(fields, headers)


def typed_of(form: Form, stored: HttpToolView | None) -> Typed:
    """What was typed, to be shown again, empty rows last. Values of headers do not travel back; those that are stored
    show as dots."""
    kept = {each for each in stored.tool.headers if each not in stored.missing} if stored else set[str]()
    fields = [row for row in _fields(form) if _is_filled(row)]
    headers = [(name, MASK if name in kept else "") for name, value in _headers(form) if name or value]
    typed: Typed = {name: form[name] for name in ("name", "when", "address", "method", "version")}
    return typed | {"plain_http": form.ticked("plain_http")} | _rows(fields, headers)


def draft_of(form: Form) -> dict[str, object]:
    """The question's `draft`, not validated yet. Rows without any text are left out."""
    headers = [(name, value) for name, value in _headers(form) if name or value not in ("", MASK)]
    tool = {
        "name": form["name"],
        "when": form["when"],
        "method": form["method"] or "GET",
        "fields": [
            {
                "name": name.strip(),
                "description": means.strip(),
                "type": kind or "text",
                "choices": [each.strip() for each in values.split(",") if each.strip()],
                "required": bool(must),
                "example": example.strip(),
            }
            for name, means, kind, values, must, example in filter(_is_filled, _fields(form))
        ],
        "headers": [name for name, _ in headers],
        "plain_http": form.ticked("plain_http"),
        "url": form["address"].strip(),
    }
    return {"tool": tool, "values": {name: value for name, value in headers if value not in ("", MASK)}}


def named(errors: Mapping[str, str], form: Form) -> dict[str, str]:
    """Faults by the id of the field: rows count from 1 there, and empty ones are left out."""
    names = [name for name, value in _headers(form) if name or value]
    told: dict[str, str] = {}
    for path, text in errors.items():
        told.setdefault(_id_of(path.removeprefix("draft.").removeprefix("tool."), names), text)
    return told


def labels_of(errors: Mapping[str, str]) -> dict[str, str]:
    """What the form calls the fields with these ids."""
    rows = {each: f"Field {each[1:]}, {_PART_LABEL[each[0]]}" for each in errors if re.fullmatch(r"[fmkce]\d+", each)}
    headers = {each: f"Header {each[1:]}" for each in errors if re.fullmatch(r"[hs]\d+", each)}
    return LABELS | rows | headers


def _id_of(path: str, headers: list[str]) -> str:
    if row := _OF_FIELD.fullmatch(path):
        return f"{_PART.get(row['part'] or '', 'f')}{int(row['n']) + 1}"
    if row := _OF_HEADER.fullmatch(path):
        return f"h{int(row['n']) + 1}"
    part, _, header = path.partition(".")
    if part == "values":
        return f"s{headers.index(header) + 1}" if header in headers else "secrets"
    return {"url": "address", "fields": "table", "headers": "secrets"}.get(part, part)


def _rows(fields: Sequence[tuple[str, ...]], headers: Sequence[tuple[str, str]]) -> Typed:
    return {"fields": [*fields, *[_NO_FIELD] * _ROWS], "headers": [*headers, ("", "")]}


def _fields(form: Form) -> list[tuple[str, ...]]:
    return list(zip(*map(form.all, _COLUMNS), strict=False))


def _headers(form: Form) -> list[tuple[str, str]]:
    return [(name.strip(), value.strip()) for name, value in zip(form.all("header"), form.all("secret"), strict=False)]


def _is_filled(row: tuple[str, ...]) -> bool:
    name, means, _, values, _, example = row
    return any(cell.strip() for cell in (name, means, values, example))
