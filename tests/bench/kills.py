"""`just bench kills`: kill -9 of the telephone or the page, 50 times at random moments, during edits and calls.

People edit on the page, scripts edit over the control socket, a caller talks. After each kill: is every acknowledged
change there, is none written by halves, and how long until the agent is registered again and the page shows it?
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any

import numpy as np
import trio

from tests.bench.report import publish
from tests.office.pbx import office_pbx
from tests.web.appliance import appliance
from tests.web.killing import Killed, kill_at_random

KILLS = 50
SIP_PORT, PBX_RTP, BOX_RTP = 15_220, (22_400, 22_599), (22_600, 22_699)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="fewer than 50: the result is partial")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**8), help="of a run to have again")
    given = parser.parse_args(arguments)
    print(f"{given.kills} kills, seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-kills-") as scratch:
        killed = trio.run(_run, Path(scratch), given.kills, given.seed)
    result = figures(killed)
    publish("kills", {"partial": given.kills < KILLS, "seed": given.seed, **result})
    wrong = ("lost", "half", "refused", "unclosed_sessions", "unreadable_recordings")
    return 0 if not any(result[name] for name in wrong) else 1


async def _run(folder: Path, kills: int, seed: int) -> Killed:
    async with office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP) as pbx, appliance(folder, rtp_ports=BOX_RTP) as page:
        return await kill_at_random(page, pbx, kills, seed)


def figures(killed: Killed) -> dict[str, Any]:
    """What is published."""
    notebook, back_s = killed.notebook, [each for times in killed.back_s.values() for each in times]
    return {
        "kills": len(back_s),
        "killed": {victim: len(times) for victim, times in killed.back_s.items()},
        "edits_tried": notebook.tried,
        "edits_acknowledged": notebook.acknowledged,
        "lost": len(notebook.lost),
        "half": len(notebook.half),
        "refused": len(notebook.refused),
        "back_s": _percentiles(back_s),
        **{f"back_s_{victim}": _percentiles(times) for victim, times in killed.back_s.items()},
        "sessions": killed.sessions,
        "unclosed_sessions": killed.unclosed,
        "unreadable_recordings": killed.unreadable,
        "details": [*notebook.lost, *notebook.half, *notebook.refused],
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
