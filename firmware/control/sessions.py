"""Verbs of sessions and of the log: what was kept of the calls."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import trio

from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.outcomes import in_words
from firmware.control.events import Events
from firmware.control.refusing import not_found
from firmware.storage import SessionDetail, SqliteLedger, call_records, searching


class SessionVerbs:
    """`recordings`: the folder; what a session names elsewhere is not ours to give out or delete."""

    def __init__(self, store: SqliteLedger, recordings: Path, events: Events) -> None:
        self._store, self._recordings, self._events = store, recordings, events

    async def list_sessions(self, ask: verbs.ListSessions) -> views.Sessions:
        found = await self._store.transact(lambda db: searching.find_sessions(db, ask, self._day(ask.day)))
        items = tuple(session_view(row, self._recordings) for row in found[: ask.limit])
        return views.Sessions(items=items, before=items[-1].id if len(found) > ask.limit else None)

    async def get_session(self, ask: verbs.ById) -> views.SessionDetail | Refusal:
        detail = await self._store.session(ask.id)
        return _detail(detail, self._recordings) if detail else not_found("session")

    async def delete_session(self, ask: verbs.ById) -> views.Nothing | Refusal:
        detail = await self._store.session(ask.id)
        if detail is None:
            return not_found("session")
        if detail.summary.outcome is None:
            text = "The session was not deleted: its call goes on. Delete it when the call is over."
            return Refusal(why=Why.NOT_NOW, text=text)
        recording = self.recording_path(detail)
        if recording:
            await trio.to_thread.run_sync(partial(recording.unlink, missing_ok=True))  # another tab may be faster
        await self._store.make_room(lambda db: searching.delete_session(db, ask.id))
        self._events.changed(verbs.EventKind.SESSION, ask.id)
        return views.Nothing()

    async def recording(self, session_id: str) -> Path | None:
        """The file of a session's recording, if there is one."""
        detail = await self._store.session(session_id)
        return self.recording_path(detail) if detail else None

    def recording_path(self, detail: SessionDetail) -> Path | None:
        return recording_in(self._recordings, detail.summary.recording)

    def _day(self, day: str) -> tuple[str, str] | None:
        return searching.bounds_of(day, datetime.now(UTC).astimezone().tzinfo or UTC) if day else None


def recording_in(folder: Path, named: Path | None) -> Path | None:
    if named is None:
        return None
    path = folder / named.name
    return path if path.is_file() else None


def session_view(row: dict[str, Any], recordings: Path) -> views.SessionView:
    named = Path(row["recording"]) if row["recording"] else None
    return views.SessionView(
        **{name: row[name] for name in _COLUMNS},
        outcome_text=_in_words(row["outcome"], row["sip_code"], row["sip_reason"], row["ring_ms"]),
        has_recording=recording_in(recordings, named) is not None,
    )


_COLUMNS = ("id", "agent", "direction", "remote", "started_at", "codec", *call_records.HOW_IT_WENT, "messages")


def _in_words(outcome: str | None, sip_code: int | None, reason: str, ring_ms: int | None) -> str:
    return in_words(outcome, sip_code, reason, ring_ms) if outcome else "On the line"


def _detail(detail: SessionDetail, recordings: Path) -> views.SessionDetail:
    summary = detail.summary
    row = {name: getattr(summary, name) for name in _COLUMNS if name != "messages"}
    row |= {"messages": len(detail.lines), "recording": summary.recording, "sip_reason": summary.sip_reason}
    view = session_view(row, recordings)
    messages = tuple(
        views.MessageView(
            speaker=line.speaker,
            text=line.text,
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            interrupted=line.interrupted,
        )
        for line in detail.lines
    )
    turns = tuple(
        views.TurnView(
            at_ms=turn.first_audio_ms,
            response_ms=turn.response_ms,
            pause_ms=turn.pause_ms,
            words_ms=turn.words_ms,
            recognition_ms=turn.decode_ms,
            brain_ms=turn.brain_ms,
            voice_ms=turn.voice_ms,
            pause_because=turn.pause_because,
        )
        for turn in detail.turns
    )
    notes = tuple(views.NoteView(at_ms=note.at_ms, text=note.text) for note in detail.notes)
    return views.SessionDetail(
        view=view,
        messages=messages,
        turns=turns,
        results=summary.results,
        variables=detail.variables,
        notes=notes,
    )
