"""The values of a tool's headers, sealed and opened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from firmware.http_tools.client import OpenedTool
from firmware.storage.records import Sealed
from firmware.storage.tool_records import TABLE, ToolRecord
from firmware.vault import Unreadable, Vault


def sealed_headers(vault: Vault, record_id: str, version: int, values: Mapping[str, SecretStr]) -> Sealed | None:
    """None where there are none."""
    if not values:
        return None
    text = SecretStr(json.dumps({name: value.get_secret_value() for name, value in values.items()}))
    return Sealed(vault.seal(TABLE, record_id, "headers", version, text), version)


def opened_headers(vault: Vault, record: ToolRecord) -> dict[str, SecretStr]:
    """What there is of the headers that it sends; nothing where it cannot be read on this box."""
    if record.headers is None:
        return {}
    opened = vault.unseal(TABLE, record.id, "headers", record.headers.revision, record.headers.data)
    if isinstance(opened, Unreadable):
        return {}
    found = json.loads(opened.get_secret_value())
    return {name: SecretStr(value) for name, value in found.items() if name in record.tool.headers}


def missing_headers(record: ToolRecord, values: Mapping[str, SecretStr]) -> tuple[str, ...]:
    """Those that have to be entered before it can be asked."""
    return tuple(name for name in record.tool.headers if name not in values)


def opened_tools(vault: Vault, records: Sequence[ToolRecord]) -> list[OpenedTool | None]:
    """In their order; None for one whose headers have to be entered again."""
    opened = [(each, opened_headers(vault, each)) for each in records]
    return [None if missing_headers(each, values) else OpenedTool(each.tool, values) for each, values in opened]
