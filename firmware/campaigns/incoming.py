"""Callers who are participants: the trigger "incoming session". Inside one transaction of `SqliteLedger.transact`.

A session that came in is *minded* in the transaction that triggers whoever called, once it is over: so none is missed
or taken twice when the process is killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.outbound.do_not_call import canonical
from app.ports import Result
from firmware.campaigns.ground import ground_of
from firmware.storage import campaign_records, participant_records, records
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.participant_records import Came
from firmware.storage.schema import timestamp

RESULTS_S = 10.0
"""After a call that came in: until then a language model may be writing down its results."""

_AT_ONCE = 50
_TALKS = (Result.ANSWERED.value, Result.TRANSFERRED.value)
_LISTENS = ("running", "paused", "done")


def mind(db: records.Db, now: datetime) -> list[str]:
    """The campaigns whose participants called. A clock that was set back since is no reason to wait."""
    found = records.rows(
        db,
        "SELECT id, agent, direction, remote, outcome, results FROM sessions WHERE minded = 0 AND outcome IS NOT NULL"
        " AND (direction != 'inbound' OR coalesce(ended_at, '') NOT BETWEEN ? AND ?) LIMIT ?",
        timestamp(now - timedelta(seconds=RESULTS_S)),
        timestamp(now + timedelta(seconds=RESULTS_S)),  # it may have ended since somebody looked at the clock
        _AT_ONCE,
    )
    listening = _listening(db) if any(row["direction"] == "inbound" for row in found) else {}
    called = []
    for row in found:
        if row["direction"] == "inbound" and row["outcome"] in _TALKS:
            called += [each.id for each in listening.get(row["agent"], []) if _trigger(db, each, row)]
        db.execute("UPDATE sessions SET minded = 1 WHERE id = ?", (row["id"],))
    return called


def is_to_come(db: records.Db) -> bool:
    """Whether a call ended whose results may not be written down yet."""
    return bool(records.rows(db, "SELECT 1 FROM sessions WHERE minded = 0 AND outcome IS NOT NULL LIMIT 1"))


def _listening(db: records.Db) -> dict[str, list[CampaignRecord]]:
    """Campaigns whose flow wants to know who called, by the name of their agent."""
    names = {each.id: each.plan.settings.name for each in records.read_agents(db)}
    listening: dict[str, list[CampaignRecord]] = {}
    for each in campaign_records.read_campaigns(db):
        wants = any(trigger.on == "incoming session" for trigger in each.settings.flow.triggers)
        if wants and each.state in _LISTENS and each.settings.agent_id in names:
            listening.setdefault(names[each.settings.agent_id], []).append(each)
    return listening


def _trigger(db: records.Db, campaign: CampaignRecord, session: Mapping[str, Any]) -> bool:
    number = canonical(session["remote"], ground_of(db, campaign.settings).rules)
    there = participant_records.find_by_number(db, campaign.id, number)
    if there is None:
        return False
    participant_records.note_results(db, there, json.loads(session["results"]))
    participant_records.set_trigger(db, there, Came("incoming session"))
    return True
