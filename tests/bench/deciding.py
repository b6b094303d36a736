"""How long the service of campaigns takes to find whom to call next: part of `just bench campaign`.

The worst that it meets: every participant is due, half of them for another attempt, in time zones all around the world;
several campaigns want the seats of one agent. All on the real tables, through the service itself.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import trio

from firmware.campaigns.foresight import MOST_CALLS
from firmware.storage import records
from firmware.storage.schema import timestamp
from tests.contract.campaign_box import CampaignBox, box

CAMPAIGNS = 8
ZONES = """Africa/Johannesburg Africa/Lagos America/Anchorage America/Bogota America/Chicago America/Denver
America/Halifax America/Los_Angeles America/New_York America/Santiago America/Sao_Paulo America/St_Johns Asia/Dubai
Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Singapore Asia/Tehran Asia/Tokyo Australia/Adelaide Australia/Lord_Howe
Australia/Sydney Europe/Athens Europe/Berlin Europe/Dublin Europe/Istanbul Europe/London Europe/Moscow
Pacific/Auckland Pacific/Chatham Pacific/Honolulu""".split()
_LOOKS = 20
_SEATS = 16


async def decide(rows: int, folder: Path) -> dict[str, Any]:
    """Of `rows` participants."""
    await trio.Path(folder).mkdir()
    async with box(folder, running=False, seats=_SEATS) as b:
        ids = [await _campaign(b, f"Campaign {number}") for number in range(CAMPAIGNS)]
        now = datetime.now(UTC)
        await b.store.transact(partial(_all_due, ids=ids, rows=rows, now=now))
        b.start_agent()
        took_s, worked_s = [], []

        def look(db: records.Db) -> Sequence[Any]:
            began_s = time.thread_time()
            wishes, _ = b.service._foresight.wishes(db, now)
            worked_s.append(time.thread_time() - began_s)
            return wishes

        for _ in range(_LOOKS):
            began_s = trio.current_time()
            wishes = await b.store.transact(look)
            given = b.service._shares("a", wishes)
            took_s.append(trio.current_time() - began_s)
            assert {len(each.to_call) for each in wishes} == {MOST_CALLS}
            assert sum(given.values()) == _SEATS - 1, "one is kept free for callers"
    return {
        "decide_ms": round(statistics.median(took_s) * 1000, 2),
        "decide_max_ms": round(max(took_s) * 1000, 2),
        "decide_cpu_ms": round(statistics.median(worked_s) * 1000, 2),
        "decide_campaigns": CAMPAIGNS,
        "decide_zones": len(ZONES),
    }


async def _campaign(b: CampaignBox, name: str) -> str:
    """Its hours are open in some zones at any time."""
    days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    hours = [{"days": days, "begin": "08:00", "end": "12:00"}, {"days": days, "begin": "13:00", "end": "20:00"}]
    holidays = [f"2025-12-{day:02}" for day in range(1, 32)]
    settings = {"hours": hours, "holidays": holidays, "seats_for_inbound": 1, "time_zone": "Europe/Berlin"}
    return (await b.campaign(name, **settings)).id


def _all_due(db: records.Db, ids: list[str], rows: int, now: datetime) -> None:
    """Every second one waits for another attempt, since a while."""
    db.executemany(
        "INSERT INTO participants (campaign_id, fields, canonical, zone, place, todo, step, due_at)"
        " VALUES (?, '{}', ?, ?, ?, 'call', 'call', ?)",
        [
            (
                ids[number % len(ids)],
                f"+4930{number:07}",
                ZONES[number // len(ids) % len(ZONES)],
                "ready" if number % 2 else "waiting",
                None if number % 2 else timestamp(now - timedelta(seconds=number)),
            )
            for number in range(rows)
        ],
    )
    db.execute("UPDATE campaigns SET state = 'running'")
