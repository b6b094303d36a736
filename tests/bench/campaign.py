"""`just bench campaign`: how long does a list of 10,000 participants take into a campaign, as the page sends it, while
two callers talk; is the audio clock punctual meanwhile; and how long does it take to find the next to be called?

The real phone process with a real Asterisk, and the verbs over its socket. The machine carries Asterisk and the callers
too, so the figures are those of a busy box. What is decided, is decided in this process: see tests/bench/deciding.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trio

from app.control import campaigns, views
from app.outbound.campaign import WEEKDAYS
from tests.bench.callers import LINES, talking
from tests.bench.deciding import decide
from tests.bench.report import publish
from tests.office.calling import CallMade
from tests.office.pbx import office_pbx
from tests.wire.phone_process import RECEPTION, Phone, employed, phone

ROWS, CALLS = 10_000, 2
SIP_PORT, PBX_RTP, BOX_RTP = 15_220, (22_400, 22_599), (22_600, 22_699)
_TALK_S = 15.0
# It answers what the callers ask, or it would take a message and hang up before they have done.
_KNOWING = RECEPTION | {"knowledge": [{"questions": [line], "answer": f"You asked: {line}"} for line in LINES]}
_LOOKS = 20


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench campaign", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="other than 10,000: the result is partial")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-campaign-") as scratch:
        result = trio.run(_measure, given.rows, Path(scratch))
        result |= trio.run(decide, given.rows, Path(scratch) / "decide")
    publish("campaign", {"partial": given.rows != ROWS, **result})
    return 0 if not result["calls_failed"] else 1


async def _measure(rows: int, folder: Path) -> dict[str, Any]:
    async with office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP) as pbx, phone(folder, BOX_RTP) as line:
        agent_id = await employed(line, pbx, _KNOWING)
        campaign = await _campaign(line, agent_id)
        async with talking(pbx, CALLS, _TALK_S) as made:
            before = (await line.ask("get_overview", views.Overview)).box.health
            began_s = trio.current_time()
            await _send(line, campaign.id, rows)
            import_s = trio.current_time() - began_s
            page_ms = await _page(line, campaign.id, rows)
            health = (await line.ask("get_overview", views.Overview)).box.health
    return {"rows": rows, "import_s": round(import_s, 2), **page_ms, **_tick(before, health), **_failed(made)}


async def _campaign(line: Phone, agent_id: str) -> campaigns.CampaignView:
    hours = [{"days": WEEKDAYS, "begin": "00:00", "end": "24:00"}]
    settings = {"name": "Survey", "agent_id": agent_id, "hours": hours}
    return await line.ask("create_campaign", campaigns.CampaignView, settings=settings)


async def _send(line: Phone, campaign_id: str, rows: int) -> None:
    """As the page does: in parts, one after the other."""
    opened = await line.ask("begin_import", campaigns.ImportView, campaign_id=campaign_id, file_name="customers.csv")
    for first in range(1, rows + 1, campaigns.ROWS_AT_ONCE):
        numbers = range(first, min(first + campaigns.ROWS_AT_ONCE, rows + 1))
        part = [{"number": f"+49 30 {number:07}", "name": f"Participant {number}"} for number in numbers]
        await line.ask("add_rows", campaigns.ImportView, id=opened.id, first=first, rows=part)
    done = await line.ask("finish_import", campaigns.ImportView, id=opened.id)
    assert done.good == rows, done


async def _page(line: Phone, campaign_id: str, rows: int) -> dict[str, float]:
    """The slowest of looks at pages from all over the list."""
    took_s = []
    for look in range(_LOOKS):
        began_s = trio.current_time()
        after = rows * look // _LOOKS
        ask = {"campaign_id": campaign_id, "after": after}
        page = await line.ask("list_participants", campaigns.Participants, **ask)
        assert page.items
        took_s.append(trio.current_time() - began_s)
    return {"page_ms": round(max(took_s) * 1000, 1)}


def _tick(before: views.Health, after: views.Health) -> dict[str, float]:
    return {
        "gap_max_before_ms": round(before.tick_gap_max_ms, 2),
        "gap_p999_ms": round(after.tick_gap_p999_ms, 2),
        "gap_max_ms": round(after.tick_gap_max_ms, 2),
    }


def _failed(made: Sequence[CallMade]) -> dict[str, Any]:
    failures = [call.failure for call in made if call.failure]
    return {"calls": CALLS, "calls_failed": len(failures), "failures": failures}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
