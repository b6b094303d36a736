"""Does the caller mean to interrupt? In two steps, since nobody can tell from the first sound.

To wait until it is clear means to talk over people; to stop at each sound means that a cough costs an answer. So the
first sound only *holds* the agent: it falls silent where it is. What follows decides: speech that lasts, or words that
are meant, *stop* it for good; anything else was a false alarm, and it *goes on* where it was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from statistics import median

from app.turns.said import Said


class Move(Enum):
    """What the agent does next."""

    HOLD = auto()
    GO_ON = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class BargeInRule:
    """Speech of `hold_ms` within `hold_window_ms` holds: two chunks, with one unvoiced consonant forgiven. For
    `wary_for_ms` after a false alarm it takes `wary_hold_ms` within `wary_window_ms`, so that a noisy room does not
    chop up every sentence.

    `stop_ms` of speech in sum stop: longer than "uh-huh", "yes" or "okay". Words that nobody understood are believed
    from `words_ms` on, since shorter ones are heard into coughs. `quiet_ms` without speech end a hold where no words
    are awaited, `longest_quiet_ms` where they are: a late recogniser must not keep the agent silent.

    Voices in the room behind the caller are speech too. Only what is `above_db` louder than the middle level of the
    last `background` chunks (4 s) in which the agent spoke is the caller's: people who talk into a telephone are 10 dB
    and more above their office. `just bench turns` has the same false stops, none, from 5 to 12 dB, and the fewest
    missed callers at 5. Before there are `background_from` of them (0.25 s), everything is.
    """

    enter: float = 0.6
    hold_ms: int = 64
    hold_window_ms: int = 96
    wary_hold_ms: int = 160
    wary_window_ms: int = 256
    wary_for_ms: int = 10_000
    stop_ms: int = 600
    words_ms: int = 192
    quiet_ms: int = 128
    longest_quiet_ms: int = 1_000
    above_db: float = 5.0
    background: int = 125
    background_from: int = 8


class BargeIn:
    """Fed only while the agent can be heard, held or not."""

    def __init__(self, rule: BargeInRule = BargeInRule()) -> None:
        self._rule = rule
        self._recent: deque[tuple[int, int]] = deque()
        self._now_ms = self._voiced_ms = self._voiced_until_ms = self._wary_until_ms = 0
        self._holding = False
        self._background: deque[float] = deque(maxlen=rule.background)
        self._heard: list[float] = []  # in a hold: background only if that was a false alarm

    def feed(
        self, start_ms: int, end_ms: int, probability: float, *, level_dbfs: float = 0.0, awaits_words: bool = False
    ) -> Move | None:
        """What the speech in [start_ms, end_ms) leads to, if anything. `level_dbfs`: how loud it is. `awaits_words`:
        what was said will be known."""
        self._now_ms = end_ms
        voiced = probability >= self._rule.enter and self._stands_out(level_dbfs)
        (self._heard if self._holding else self._background).append(level_dbfs)
        return self._held(start_ms, voiced, awaits_words) if self._holding else self._free(start_ms, voiced)

    def words(self, said: Said) -> Move | None:
        """What was said in the last speech, or in the one that still lasts, has become known."""
        long_enough = self._voiced_ms >= self._rule.words_ms
        if said is Said.UNDERSTOOD or (said is Said.WORDS and self._holding and long_enough):
            return self._end(Move.STOP)
        return self._end(Move.GO_ON) if self._holding else None

    def over(self) -> None:
        """The agent has nothing more to say, or must not be interrupted any more."""
        self._holding = False
        self._recent.clear()
        self._heard.clear()

    def _stands_out(self, level_dbfs: float) -> bool:
        if len(self._background) < self._rule.background_from:
            return True
        return level_dbfs >= median(self._background) + self._rule.above_db

    def _free(self, start_ms: int, voiced: bool) -> Move | None:
        wary = self._now_ms < self._wary_until_ms
        window_ms = self._rule.wary_window_ms if wary else self._rule.hold_window_ms
        while self._recent and self._recent[0][0] < self._now_ms - window_ms:
            self._recent.popleft()
        if not voiced:
            return None
        self._recent.append((start_ms, self._now_ms))
        self._voiced_ms = sum(end - start for start, end in self._recent)
        if self._voiced_ms < (self._rule.wary_hold_ms if wary else self._rule.hold_ms):
            return None
        self._holding, self._voiced_until_ms = True, self._now_ms
        return Move.HOLD

    def _held(self, start_ms: int, voiced: bool, awaits_words: bool) -> Move | None:
        if voiced:
            self._voiced_ms += self._now_ms - start_ms
            self._voiced_until_ms = self._now_ms
            return self._end(Move.STOP) if self._voiced_ms >= self._rule.stop_ms else None
        enough_ms = self._rule.longest_quiet_ms if awaits_words else self._rule.quiet_ms
        return self._end(Move.GO_ON) if self._now_ms - self._voiced_until_ms >= enough_ms else None

    def _end(self, move: Move) -> Move:
        if move is Move.GO_ON:
            self._background.extend(self._heard)
            self._wary_until_ms = self._now_ms + self._rule.wary_for_ms
        self.over()
        return move
