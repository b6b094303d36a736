"""Verbs of calls that somebody asks for, from the page or the API."""

from __future__ import annotations

import json
from typing import Any, Literal

import trio

from app.control import verbs
from app.control.call_views import Calls, CallView, SoundDevices
from app.control.refusals import Refusal, Why
from app.outcomes import in_words
from firmware.audio.handset import sound_devices
from firmware.calling import Calling
from firmware.control.refusing import not_found
from firmware.storage import SqliteLedger, call_records

_DELETED = Refusal(
    why=Why.NOT_FOUND,
    text="The call was not started a second time: it was placed with this idempotency key before, and its session was "
    "deleted since. Use a new key to call again.",
)
_SAME = ("id", "what", "agent_id", "agent", "remote", "dialled", "session_id", *call_records.HOW_IT_WENT)


class CallVerbs:
    def __init__(self, store: SqliteLedger, calling: Calling) -> None:
        self._store, self._calling = store, calling

    async def list_calls(self, ask: verbs.ListCalls) -> Calls:
        found = await self._store.transact(lambda db: call_records.read_calls(db, ask.limit, ask.before))
        items = tuple(self._view(row) for row in found[: ask.limit])
        return Calls(items=items, before=items[-1].id if len(found) > ask.limit else None)

    async def get_call(self, ask: verbs.ById) -> CallView | Refusal:
        row = await self._store.transact(lambda db: call_records.read_call(db, ask.id))
        return self._view(row) if row else not_found("call")

    async def place_call(self, ask: verbs.PlaceCall) -> CallView | Refusal:
        return await self._started(await self._calling.place(ask))

    async def call_from_handset(self, ask: verbs.HandsetCall) -> CallView | Refusal:
        return await self._started(await self._calling.from_handset(ask))

    async def hang_up_call(self, ask: verbs.ById) -> CallView | Refusal:
        await self._calling.hang_up(ask.id)
        return await self.get_call(ask)

    async def list_sound_devices(self, _: verbs.Empty) -> SoundDevices:
        found = await trio.to_thread.run_sync(sound_devices)
        return SoundDevices(items=tuple(each.name for each in found if each.has_microphone and each.has_speaker))

    async def _started(self, started: str | Refusal) -> CallView | Refusal:
        if isinstance(started, Refusal):
            return started
        row = await self._store.transact(lambda db: call_records.read_call(db, started))
        return self._view(row) if row else _DELETED

    def _view(self, row: dict[str, Any]) -> CallView:
        return CallView(
            **{name: row[name] for name in _SAME},
            state=_state(row),
            placed_at=row["started_at"],
            outcome_text=_in_words(row),
            variables=json.loads(row["variables"]),
            results=json.loads(row["results"]),
            loudness_dbfs=self._calling.loudness_dbfs(row["id"]),
        )


def _state(row: dict[str, Any]) -> Literal["ringing", "talking", "over"]:
    if row["outcome"] is not None:
        return "over"
    return "ringing" if row["connected_at"] is None else "talking"


def _in_words(row: dict[str, Any]) -> str:
    if row["outcome"] is None:
        return ""
    return in_words(row["outcome"], row["sip_code"], row["sip_reason"], row["ring_ms"])
