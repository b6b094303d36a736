"""The form of a campaign's data: name, agent and fields as text, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.outbound.campaign import Campaign
from provisioning.web.rendering import Form

Typed = dict[str, object]
Draft = dict[str, object]

FIELD_TYPES = (
    ("text", "Text"),
    ("phone", "Telephone number"),
    ("number", "Number"),
    ("date", "Date"),
    ("yes-no", "Yes or no"),
    ("time zone", "Time zone"),
)

_ROWS = 2
"""Empty rows offered for more: forms work without script, so they are there from the start."""

_MOST_FIELDS = 30
_NO_FIELD = {"name": "", "type": "text", "required": "", "importable": "yes"}


def typed_data(settings: Campaign, version: int) -> Typed:
    """What stands in the form of a campaign's data."""
    fields = [
        {
            "name": each.name,
            "type": each.type,
            "required": "yes" if each.required else "",
            "importable": "yes" if each.importable else "",
        }
        for each in settings.fields
    ]
    names = [each.name for each in settings.fields]
    zone = names.index(settings.time_zone_field) if settings.time_zone_field in names else None
    return {
        "name": settings.name,
        "description": settings.description,
        "agent_id": settings.agent_id,
        "connection_id": settings.connection_id or "",
        "fields": [*fields, *[_NO_FIELD] * min(_ROWS, _MOST_FIELDS - len(fields))],
        "number_field": str(names.index(settings.number_field)),
        "time_zone_field": "" if zone is None else str(zone),
        "version": str(version),
    }


def typed_data_of(form: Form, more: int = 0) -> Typed:
    """What was typed, to be shown again, with so many `more` empty rows."""
    typed: Typed = {name: form[name] for name in ("name", "description", "agent_id", "connection_id", "version")}
    return typed | {
        "fields": [*_field_rows(form), *[_NO_FIELD] * more],
        "number_field": form["number_field"],
        "time_zone_field": form["time_zone_field"],
    }


def _field_rows(form: Form) -> list[dict[str, str]]:
    columns = [form.all(name) for name in ("field_name", "field_type", "field_required", "field_importable")]
    return [
        dict(zip(("name", "type", "required", "importable"), row, strict=True)) for row in zip(*columns, strict=False)
    ]


def data_draft(form: Form) -> Draft:
    """That part of the settings, not validated yet. Rows without a name are left out."""
    rows = _field_rows(form)
    names = [row["name"].strip() for row in rows]
    return {
        "name": form["name"],
        "description": form["description"],
        "agent_id": form["agent_id"],
        "connection_id": form["connection_id"] or None,
        "fields": [
            {
                "name": row["name"].strip(),
                "type": row["type"],
                "required": bool(row["required"]),
                "importable": bool(row["importable"]),
            }
            for row in rows
            if row["name"].strip()
        ],
        "number_field": _chosen(names, form["number_field"]),
        "time_zone_field": _chosen(names, form["time_zone_field"]),
    }


def _chosen(names: list[str], place: str) -> str:
    """A row that was marked, by its place in the form."""
    is_place = place.isascii() and place.isdigit() and len(place) < 3
    return names[int(place)] if is_place and int(place) < len(names) else ""


_FIELD_PATH = re.compile(r"fields\.(\d+)(?:\.(\w+))?")


def data_errors(errors: Mapping[str, str], form: Form) -> dict[str, str]:
    """Faults by the id of the field: rows without a name were left out."""
    places = [place for place, row in enumerate(_field_rows(form)) if row["name"].strip()]
    told = {}
    for path, text in errors.items():
        row = _FIELD_PATH.fullmatch(path)
        if row and int(row[1]) < len(places):
            told[f"f{places[int(row[1])] + 1}"] = _field_name_fault(text) if row[2] == "name" else text
        else:
            told["fields" if path in ("settings", "number_field", "time_zone_field", "") else path] = text
    return told


def _field_name_fault(text: str) -> str:
    return (
        "Use letters, digits and _ only, and begin with a letter, for example “first_name”."
        if "signs" in text
        else text
    )
