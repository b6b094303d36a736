"""Verbs of HTTP tools: programs that an agent may ask in a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import SecretStr

from app.brains.tool_answers import as_data
from app.control import verbs, views
from app.control.http_tools import (
    CreateHttpTool,
    HttpToolDraft,
    HttpToolList,
    HttpToolTrial,
    HttpToolView,
    TryHttpTool,
    UpdateHttpTool,
    WhichHttpTool,
)
from app.control.refusals import Refusal, Why
from app.http_tools import ANSWER_S, MOST_TOOLS, HttpTool, ToolAnswer, Value, origin_of, value_of, values_of
from firmware.control.events import Events
from firmware.control.refusing import missed, not_found, taken
from firmware.http_tools import OpenedTool, missing_headers, open_http_tools, opened_headers, sealed_headers
from firmware.http_tools.question import body_of, url_of
from firmware.storage import SqliteLedger, records, tool_records
from firmware.storage.tool_records import ToolRecord
from firmware.vault import Vault

T = TypeVar("T")

_WHAT = "tool of this agent"
_TOO_MANY = Refusal(
    why=Why.INVALID,
    text=f"The tool was not added: an agent has {MOST_TOOLS} at most, since a language model chooses badly among more. "
    "Delete one, or give this one to another agent.",
)
_BUSY = Refusal(why=Why.NOT_NOW, text="It was not tried: another try is running. Wait some seconds, then try again.")


class HttpToolVerbs:
    """One try at a time: it is a person who looks at the answer."""

    def __init__(self, store: SqliteLedger, vault: Vault, events: Events) -> None:
        self._store, self._vault, self._events = store, vault, events
        self._is_trying = False

    async def list_http_tools(self, ask: verbs.ById) -> HttpToolList | Refusal:
        def read(db: records.Db) -> HttpToolList | Refusal:
            if records.read_agent(db, ask.id) is None:
                return not_found("agent")
            return HttpToolList(items=tuple(self._view(each) for each in tool_records.read_tools(db, ask.id)))

        return await self._store.transact(read)

    async def get_http_tool(self, ask: WhichHttpTool) -> HttpToolView | Refusal:
        record = await self._read(ask)
        return self._view(record) if record else not_found(_WHAT)

    async def create_http_tool(self, ask: CreateHttpTool) -> HttpToolView | Refusal:
        def write(db: records.Db) -> HttpToolView | Refusal:
            if records.read_agent(db, ask.id) is None:
                return not_found("agent")
            if len(tool_records.read_tools(db, ask.id)) >= MOST_TOOLS:
                return _TOO_MANY
            return self._written(db, ToolRecord(records.new_id(), ask.id, 1, ask.draft.tool), ask.draft.values, {})

        return self._told(await self._store.transact(write))

    async def update_http_tool(self, ask: UpdateHttpTool) -> HttpToolView | Refusal:
        def write(db: records.Db) -> HttpToolView | Refusal:
            old = tool_records.read_tool(db, ask.id, ask.tool_id)
            if why := records.miss(old.version if old else None, ask.if_version):
                return missed(why, _WHAT)
            if old is None:
                return not_found(_WHAT)
            return self._written(
                db,
                ToolRecord(old.id, ask.id, old.version + 1, ask.draft.tool),
                ask.draft.values,
                self._still_sent(old, ask.draft),
            )

        return self._told(await self._store.transact(write))

    async def delete_http_tool(self, ask: WhichHttpTool) -> views.Nothing | Refusal:
        def drop(db: records.Db) -> views.Nothing | Refusal:
            if tool_records.read_tool(db, ask.id, ask.tool_id) is None:
                return not_found(_WHAT)
            tool_records.delete_tool(db, ask.tool_id)
            return views.Nothing()

        return self._told(await self._store.transact(drop))

    async def try_http_tool(self, ask: TryHttpTool) -> HttpToolTrial | Refusal:
        """Really asked, as in a call."""
        record = await self._read(ask)
        if record is None:
            return not_found(_WHAT)
        headers = opened_headers(self._vault, record)
        if missing := missing_headers(record, headers):
            return _needs(missing, Why.NOT_NOW, "It was not tried")
        values = _filled_in(record.tool, ask.values)
        if isinstance(values, Refusal):
            return values
        if self._is_trying:
            return _BUSY
        self._is_trying = True
        try:
            return await _tried(OpenedTool(record.tool, headers), values)
        finally:
            self._is_trying = False

    async def _read(self, ask: WhichHttpTool) -> ToolRecord | None:
        return await self._store.transact(lambda db: tool_records.read_tool(db, ask.id, ask.tool_id))

    def _still_sent(self, old: ToolRecord, draft: HttpToolDraft) -> dict[str, SecretStr]:
        """Nobody gets a secret that was given for another host, whoever changes the address."""
        same = origin_of(old.tool) == origin_of(draft.tool)
        stored = opened_headers(self._vault, old) if same else {}
        return {name: value for name, value in stored.items() if name in draft.tool.headers}

    def _written(
        self,
        db: records.Db,
        record: ToolRecord,
        typed: Mapping[str, SecretStr],
        stored: Mapping[str, SecretStr],
    ) -> HttpToolView | Refusal:
        values = {**stored, **typed}
        if missing := missing_headers(record, values):
            return _needs(missing, Why.INVALID, "The tool was not saved")
        sealed = sealed_headers(self._vault, record.id, record.version, values)
        full = ToolRecord(record.id, record.agent_id, record.version, record.tool, sealed)
        if why := tool_records.write_tool(db, full):
            return taken(why, _WHAT)
        return self._view(full)

    def _view(self, record: ToolRecord) -> HttpToolView:
        missing = missing_headers(record, opened_headers(self._vault, record))
        return HttpToolView(id=record.id, version=record.version, tool=record.tool, missing=missing)

    def _told(self, answer: T) -> T:
        if not isinstance(answer, Refusal):
            self._events.changed(verbs.EventKind.SETTINGS)
        return answer


def _needs(missing: tuple[str, ...], why: Why, not_done: str) -> Refusal:
    text = (
        f"{not_done}: the value of {', '.join(missing)} is missing. Enter it below; a value that was given for one "
        "host is never sent to another."
    )
    return Refusal(why=why, text=text, fields={f"draft.values.{name}": "enter the value" for name in missing})


def _filled_in(tool: HttpTool, typed: Mapping[str, str]) -> dict[str, Value] | Refusal:
    given = {each.name: typed.get(each.name) or each.example for each in tool.fields}
    wrong = {
        f"values.{each.name}": f"must be {_kind_of(each.type)}"
        for each in tool.fields
        if (given[each.name] or each.required) and value_of(each, given[each.name]) is None
    }
    values = values_of(tool, given)
    if isinstance(values, str) and not wrong:
        wrong = {f"values.{values}": "must not have signs like / ? # % or .. in it, since it stands in the address"}
    if isinstance(values, str):
        return Refusal(why=Why.INVALID, text="It was not tried: an example does not fit. See below.", fields=wrong)
    return values


def _kind_of(kind: str) -> str:
    return {"number": "a number", "yes-no": "yes or no", "choice": "one of its values"}.get(kind, "filled in")


async def _tried(opened: OpenedTool, values: dict[str, Value]) -> HttpToolTrial:
    async with open_http_tools([opened]) as tools:
        answer = await tools.start(opened.tool, values, ANSWER_S).answer()
    return HttpToolTrial(
        asked=_sent(opened.tool, values),
        status=answer.status,
        answer=as_data(answer.text),
        problem=_problem(answer),
        took_ms=round(answer.took_s * 1000),
    )


def _sent(tool: HttpTool, values: dict[str, Value]) -> str:
    body = body_of(tool, values)
    told = f" {json.dumps(body, ensure_ascii=False)}" if body is not None else ""
    return f"{tool.method} {url_of(tool, values)}{told}"


def _problem(answer: ToolAnswer) -> str:
    return f"{answer.why}. {answer.remedy}" if answer.why else ""
