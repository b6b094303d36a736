"""What is sent to a tool. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from app.http_tools import HttpTool, Value

_PLACE = re.compile(r"\{([^{}]*)\}")
_IN_QUERY = ("GET", "DELETE")


def url_of(tool: HttpTool, values: Mapping[str, Value]) -> str:
    """With the values of fields that stand in it, and for a GET or DELETE all others as its query."""
    url = _PLACE.sub(lambda place: quote(_text(values[place[1]]), safe=""), tool.url)
    if tool.method not in _IN_QUERY or not _rest(tool, values):
        return url
    query = urlencode({name: _text(value) for name, value in _rest(tool, values).items()}, quote_via=quote)
    return f"{url}{'&' if urlsplit(url).query else '' if url.endswith('?') else '?'}{query}"


def body_of(tool: HttpTool, values: Mapping[str, Value]) -> dict[str, Value] | None:
    """A JSON object of the values that do not stand in the address; None for a GET or DELETE."""
    return None if tool.method in _IN_QUERY else _rest(tool, values)


def _rest(tool: HttpTool, values: Mapping[str, Value]) -> dict[str, Value]:
    in_place = set(_PLACE.findall(tool.url))
    return {name: value for name, value in values.items() if name not in in_place}


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
