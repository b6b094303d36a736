"""Verbs of the do-not-call list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from app.control import campaigns as asked
from app.control import views
from app.control.refusals import Refusal
from app.outbound.do_not_call import canonical, index_key, is_listed
from app.settings import DialRules
from firmware.campaigns.ground import house_rules
from firmware.control.refusing import not_found
from firmware.storage import SqliteLedger, do_not_call_records
from firmware.storage.do_not_call_records import NewEntry
from firmware.storage.records import Db


class DoNotCallVerbs:
    def __init__(self, store: SqliteLedger) -> None:
        self._store = store

    async def list_do_not_call(self, ask: asked.ListDoNotCall) -> asked.DoNotCall:
        def read(db: Db) -> asked.DoNotCall:
            texts = _spellings(ask.text, house_rules(db))
            found = do_not_call_records.find(db, texts, ask.before, ask.limit)
            items = tuple(_entry(each) for each in found[: ask.limit])
            before = items[-1].id if len(found) > ask.limit else None
            return asked.DoNotCall(items=items, before=before, total=do_not_call_records.count(db))

        return await self._store.transact(read)

    async def add_do_not_call(self, ask: asked.AddDoNotCall) -> asked.Added:
        def write(db: Db) -> asked.Added:
            rules, now = house_rules(db), datetime.now(UTC)
            done = [_add(db, number, ask.note, rules, now) for number in ask.numbers]
            bad = tuple(place for place, each in enumerate(done, start=1) if each == "bad")
            return asked.Added(added=done.count("added"), known=done.count("known"), bad=bad)

        return await self._store.transact(write)

    async def remove_do_not_call(self, ask: asked.ByNumber) -> views.Nothing | Refusal:
        gone = await self._store.make_room(lambda db: do_not_call_records.remove(db, ask.id))
        return views.Nothing() if gone else not_found("number on the do-not-call list")


def _add(db: Db, number: str, note: str, rules: DialRules, now: datetime) -> Literal["added", "known", "bad"]:
    same = canonical(number, rules)
    if not same:
        return "bad"
    if is_listed(same, do_not_call_records.alike(db, index_key(same))):
        return "known"
    do_not_call_records.add(db, NewEntry(number.strip(), same, index_key(same), "person", note), now)
    return "added"


def _spellings(text: str, rules: DialRules) -> tuple[str, ...]:
    """As it was typed, and as numbers are compared."""
    text = text.strip()
    if not text:
        return ()
    digits = canonical(text, rules).removeprefix("+")
    return tuple(dict.fromkeys((text, digits))) if digits.isdecimal() else (text,)


def _entry(row: dict[str, Any]) -> asked.DoNotCallEntry:
    names = ("id", "number", "note", "source", "session_id", "added_at")
    return asked.DoNotCallEntry(**{name: row[name] for name in names})
