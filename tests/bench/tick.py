"""`just bench tick`: N calls at once for a minute, everybody talking; is the audio clock of the box punctual?

A real Asterisk, the real box and N callers (processes of their own, each in its own voice) who ask one thing after the
other and hear the answers. The gap between two audio ticks should be 20 ms; what exceeds it is a hole in the RTP that
callers hear. CPU and memory are those of the box's whole process tree, its recognisers included.

The machine carries Asterisk and the callers too, so the figures are those of a busy box.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from app.turn_times import Turn
from firmware.storage import read_session, read_sessions
from tests.bench.callers import talking
from tests.bench.processes import Use, use_of_tree
from tests.bench.report import percentiles, publish
from tests.office.box import Box, office_box
from tests.office.calling import CallMade
from tests.office.pbx import office_pbx
from tests.patience import PATIENCE_S

CALLS, MOST_CALLS, LENGTH_S = 4, 8, 60.0
SIP_PORT, PBX_RTP, BOX_RTP = 15_220, (22_400, 22_599), (22_600, 22_699)
# The callers are still up when the last second of the watch is over.
_LONGER_S = 5.0
# What loads reads files and makes processes the whole time.
_SETTLED_S, _SETTLED_MB = 5, 1.0
_LOSSES = ("lost_frames", "recorder_lost_frames", "underruns")


@dataclass
class Watch:
    """What was seen while the calls were up, once a second."""

    first: tuple[float, Use]
    last: tuple[float, Use]
    stats: dict[str, Any] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_LOSSES, 0))
    most: dict[str, float] = field(default_factory=lambda: {"calls_up": 0, "rss_mb": 0.0, "pss_mb": 0.0})

    def note(self, now_s: float, use: Use, stats: dict[str, Any]) -> None:
        self.last, self.stats = (now_s, use), stats
        for name in _LOSSES:
            self.losses[name] = max(self.losses[name], int(stats[name]))
        seen = {"calls_up": stats["calls"], "rss_mb": use.rss_mb, "pss_mb": use.pss_mb}
        self.most = {name: max(self.most[name], value) for name, value in seen.items()}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench tick", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, choices=range(1, MOST_CALLS + 1), metavar="N")
    parser.add_argument("--seconds", type=float, default=LENGTH_S, help="fewer than 60: the result is partial")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-tick-") as scratch:
        result = trio.run(_measure, given.calls, given.seconds, Path(scratch))
    name = "tick" if given.calls == CALLS else f"tick-{given.calls}"
    publish(name, {"partial": given.seconds < LENGTH_S, **result})
    return 0 if result["calls"] == given.calls and not result["calls_failed"] else 1


async def _measure(calls: int, length_s: float, folder: Path) -> dict[str, Any]:
    async with (
        office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP) as pbx,
        office_box(pbx, folder, seats=calls, rtp_ports=BOX_RTP) as box,
    ):
        print(f"{calls} calls at once for {length_s:g} s", flush=True)
        base = await _settled(box)
        async with talking(pbx, calls, length_s + _LONGER_S) as made:
            watch = await _watch(box, length_s)
        turns = await trio.to_thread.run_sync(_turns, box)
        return figures(calls, base, watch, made, turns)


async def _settled(box: Box) -> Use:
    """Once it has loaded what it needs for the first call, which it does after it has registered."""
    uses = [await trio.to_thread.run_sync(use_of_tree, box.pid)]
    with trio.fail_after(PATIENCE_S):
        while len(uses) <= _SETTLED_S or abs(uses[-1].pss_mb - uses[-1 - _SETTLED_S].pss_mb) > _SETTLED_MB:
            await trio.sleep(1)
            uses.append(await trio.to_thread.run_sync(use_of_tree, box.pid))
    return uses[-1]


async def _watch(box: Box, length_s: float) -> Watch:
    began_s, use = trio.current_time(), use_of_tree(box.pid)
    watch = Watch((began_s, use), (began_s, use))
    while trio.current_time() < began_s + length_s:
        await trio.sleep(1)
        watch.note(trio.current_time(), await trio.to_thread.run_sync(use_of_tree, box.pid), box.stats())
    return watch


def _turns(box: Box) -> list[Turn]:
    """Answers that the agent gave, in all sessions."""
    details = [read_session(box.sessions, session.id) for session in read_sessions(box.sessions)]
    return [turn for detail in details if detail for turn in detail.turns]


def figures(calls: int, base: Use, watch: Watch, made: Sequence[CallMade], turns: Sequence[Turn]) -> dict[str, Any]:
    """What is published. `base`: before the first call; a call's share of memory is what they add, divided."""
    (began_s, before), (ended_s, after) = watch.first, watch.last
    cpu_percent = 100 * (after.cpu_s - before.cpu_s) / (ended_s - began_s)
    failures = [call.failure for call in made if call.failure]
    return {
        "calls": int(watch.most["calls_up"]),
        "seconds": round(ended_s - began_s, 1),
        "gap_p999_ms": round(watch.stats["gap_p999_ms"], 2),
        "gap_max_ms": round(watch.stats["gap_max_ms"], 2),
        "delay_p999_ms": round(watch.stats["delay_p999_ms"], 2),
        "delay_max_ms": round(watch.stats["delay_max_ms"], 2),
        "ticks": watch.stats["ticks"],
        **watch.losses,
        "cpu_percent_per_call": round(cpu_percent / calls, 1),
        "rss_mb": round(watch.most["rss_mb"]),
        "rss_base_mb": round(base.rss_mb),
        "rss_per_call_mb": round((watch.most["rss_mb"] - base.rss_mb) / calls, 1),
        "pss_mb": round(watch.most["pss_mb"]),
        "pss_base_mb": round(base.pss_mb),
        "pss_per_call_mb": round((watch.most["pss_mb"] - base.pss_mb) / calls, 1),
        "processes": after.processes,
        "turns": len(turns),
        "response_ms_by_the_box": percentiles([turn.response_ms for turn in turns]),
        "calls_failed": len(failures),
        "failures": failures,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
