"""Where the caller's last sound ended, for the figures of a turn: nothing is decided by it.

A voice activity detector goes on for 60 to 190 ms after the last word, and who reads how long callers waited for an
answer would miss just that. So the level is looked at, in the sound before the pause: what is as loud as the pause
itself is the line or the room, the rest was said. Pure.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from statistics import median

from app.echo import power_dbfs
from app.ports import BYTES_PER_MS, SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class SoundRule:
    """`edge_dbfs` as `just bench wire` has it; in noise, what stands out of it by `above_db`. Looked at: windows of
    `window_ms` each `step_ms`, as in that bench, from `before_ms` before the pause on: side by side they would find or
    miss a faint last sound depending on where it falls. The pause is measured from `settled_ms` after its beginning.
    """

    edge_dbfs: float = -50.0
    above_db: float = 10.0
    window_ms: int = 10
    step_ms: int = 2
    before_ms: int = 384
    after_ms: int = 64
    settled_ms: int = 96


def last_sound_ms(pcm: bytes, start_ms: int, since_ms: int, rule: SoundRule = SoundRule()) -> int:
    """The end of the last sound; `since_ms` where there is none. `pcm`: what was heard from `start_ms` on, at least to
    `settled_ms` after `since_ms`, where the pause began."""
    skipped_ms = max(0, since_ms - rule.before_ms - start_ms)
    first_ms = start_ms + skipped_ms
    levels = list(_levels(pcm[skipped_ms * BYTES_PER_MS :], first_ms, rule))
    quiet = [level for at_ms, level in levels if at_ms >= since_ms + rule.settled_ms]
    edge_dbfs = max(rule.edge_dbfs, median(quiet) + rule.above_db) if quiet else rule.edge_dbfs
    loud = [at_ms for at_ms, level in _until(levels, since_ms + rule.after_ms) if level > edge_dbfs]
    return loud[-1] + rule.window_ms // 2 if loud else since_ms


def _levels(pcm: bytes, start_ms: int, rule: SoundRule) -> Iterator[tuple[int, float]]:
    """Where each window begins, and how loud it is."""
    samples = array("h", pcm)
    energy = [0, *accumulate(map(mul, samples, samples))]
    window, step = (each * SAMPLE_RATE_HZ // 1000 for each in (rule.window_ms, rule.step_ms))
    for number, start in enumerate(range(0, len(samples) - window + 1, step)):
        power = (energy[start + window] - energy[start]) / window
        yield start_ms + number * rule.step_ms, power_dbfs(power)


def _until(levels: Sequence[tuple[int, float]], end_ms: int) -> list[tuple[int, float]]:
    return [(at_ms, level) for at_ms, level in levels if at_ms < end_ms]
