"""How loud is it behind the caller? Whoever means to interrupt stands out of that.

A call begins without anybody knowing: the telephone's silence, then whatever is around it, from one chunk to the next.
A room that has just become audible and a caller who has just begun to speak are as loud as one another, and a voice
activity detector takes the one for the other. What tells them apart is half a second more: a room with people in it
stays as loud as it is, and a voice comes and goes with its syllables. So the first second of a call is listened to
before anybody can stand out; what comes and goes in it longer, for two seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median


@dataclass(frozen=True, slots=True)
class RoomRule:
    """In chunks of 32 ms. The room is what the last `lately` were (4 s), and unknown before there are `known_from`.

    Learning takes `least` of them, then goes on until the last `steady` (0.64 s) are, and ends with `most`. Steady:
    between what a fifth of them is softer than and what a fifth is louder than there are less than `steady_db`. Of six
    people who talk at once that was so in all of 1871 stretches; of one who has just begun to speak in 30 of 100 (ten
    voices, ten sentences), who then stands out again once there was a pause; and never while silence changes to noise,
    but for the last 0.13 s. Nothing below `silent_dbfs` is louder or softer: it is line noise and codecs.
    """

    lately: int = 125
    known_from: int = 8
    least: int = 30
    most: int = 64
    steady: int = 20
    steady_db: float = 8.0
    silent_dbfs: float = -60.0


class Room:
    """Levels in, dBFS of each chunk in which the caller is not known to speak."""

    def __init__(self, rule: RoomRule = RoomRule()) -> None:
        self._rule = rule
        self._levels: deque[float] = deque(maxlen=rule.lately)
        self._learnt: int | None = None

    @property
    def is_known(self) -> bool:
        return not self.is_learning and len(self._levels) >= self._rule.known_from

    @property
    def is_learning(self) -> bool:
        return self._learnt is not None

    @property
    def level_dbfs(self) -> float:
        """Only where it is known."""
        return median(self._levels)

    def learn(self) -> None:
        """Whatever is heard now may be the room, or somebody: for a second or two, nobody can tell."""
        if self._learnt is None:
            self._levels.clear()
            self._learnt = 0

    def hear(self, *levels_dbfs: float) -> None:
        self._levels.extend(levels_dbfs)
        if self._learnt is not None:
            self._learnt += len(levels_dbfs)
            self._learn(self._learnt)

    def _learn(self, chunks: int) -> None:
        if chunks < self._rule.least:
            return
        last = list(islice(self._levels, len(self._levels) - self._rule.steady, None))
        softer, louder = spread([max(level, self._rule.silent_dbfs) for level in last])
        if louder - softer < self._rule.steady_db:
            self._end_learning(last)
        elif chunks >= self._rule.most:  # somebody speaks all the time: the room is what is between their syllables
            self._end_learning([level for level in last if level <= (softer + louder) / 2])

    def _end_learning(self, room: Sequence[float]) -> None:
        self._learnt = None
        self._levels.clear()
        self._levels.extend(room)


def spread(levels_dbfs: Sequence[float]) -> tuple[float, float]:
    """What a fifth of them is softer than, and what a fifth is louder than. At least five."""
    ordered, fifth = sorted(levels_dbfs), len(levels_dbfs) // 5
    return ordered[fifth], ordered[-fifth - 1]
