"""Does the caller mean to interrupt? In two steps, since nobody can tell from the first sound.

To wait until it is clear means to talk over people; to stop at each sound means that a cough costs an answer. So the
first sound only *holds* the agent: it falls silent where it is. What follows decides: speech that lasts, or words that
are meant, *stop* it for good; anything else was a false alarm, and it *goes on* where it was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from statistics import median

from app.turns.room import Room, spread
from app.turns.said import Said


class Move(Enum):
    """What the agent does next."""

    HOLD = auto()
    GO_ON = auto()
    STOP = auto()


class Why(Enum):
    """It was stopped, or was not although there were words. For the session: nothing that was said."""

    LASTED = "speech that went on"
    UNDERSTOOD = "words that were understood"
    WORDS = "words"
    HELLO = "words that were not understood"
    ROOM = "words no louder than what is around the caller"


@dataclass(frozen=True, slots=True)
class BargeInRule:
    """Speech of `hold_ms` within `hold_window_ms` holds: two chunks, with one unvoiced consonant forgiven. For
    `wary_for_ms` after a false alarm it takes `wary_hold_ms` within `wary_window_ms`, so that a noisy room does not
    chop up every sentence.

    `stop_ms` of speech in sum stop: longer than "uh-huh", "yes" or "okay". Words that nobody understood are believed
    from `words_ms` on, since shorter ones are heard into coughs. `quiet_ms` without speech end a hold where no words
    are awaited, `longest_quiet_ms` where they are: a late recogniser must not keep the agent silent.

    Voices in the room behind the caller are speech too. Only what is `above_db` louder than the room (`app.turns.room`)
    is the caller's: people who talk into a telephone are 10 dB and more above their office. `just bench turns` has the
    same false stops, none, from 5 to 12 dB, and the fewest missed callers at 5. Before the room is known, everything
    is; while it is learned, nothing.

    Words that are understood stop the agent only where something stood out in the last `meant_for_ms`: people in the
    room talk of opening hours, too. Who speaks while the room is learned is known afterwards: what was louder than the
    pause that follows by `fell_db` was no room. A pause is `pause` chunks: the recogniser is asked after that many.
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
    meant_for_ms: int = 3_000
    fell_db: float = 8.0
    pause: int = 6


# What was said within `meant_for_ms`, and as little of it as has a loudest fifth.
_CHUNKS_OF_WORDS, _LEAST_SPEECH = 94, 5


class BargeIn:
    """Fed only while the agent can be heard, held or not; where it begins with learning the room, from then on."""

    def __init__(self, rule: BargeInRule = BargeInRule()) -> None:
        self._rule = rule
        self._recent: deque[tuple[int, int]] = deque()
        self._now_ms = self._voiced_ms = self._voiced_until_ms = self._wary_until_ms = 0
        self._holding = False
        self._room = Room()
        self._voices: deque[tuple[float, bool]] = deque(maxlen=_CHUNKS_OF_WORDS)  # how loud; was it speech?
        self._was_voiced = False
        self._stood_out_ms = -rule.meant_for_ms
        self._heard: list[float] = []  # in a hold: background only if that was a false alarm
        self._knows_room_ms = 0  # from then on
        self.why = Why.LASTED
        """The agent was stopped the last time."""

    def feed(
        self, start_ms: int, end_ms: int, probability: float, *, level_dbfs: float = 0.0, awaits_words: bool = False
    ) -> Move | None:
        """What the speech in [start_ms, end_ms) leads to, if anything. `level_dbfs`: how loud it is. `awaits_words`:
        what was said will be known."""
        self._now_ms = end_ms
        speech = probability >= self._rule.enter
        self._voices.append((level_dbfs, speech))
        if self._room.is_learning:
            self._room.hear(level_dbfs)
            self._knows_room_ms = end_ms
            return None
        voiced = speech and self._stands_out(level_dbfs)
        if voiced and (self._was_voiced or not self._room.is_known):
            self._stood_out_ms = end_ms
        self._was_voiced = voiced
        if self._holding:
            self._heard.append(level_dbfs)
        else:
            self._room.hear(level_dbfs)
        return self._held(start_ms, voiced, awaits_words) if self._holding else self._free(start_ms, voiced)

    def words(self, said: Said) -> Move | None:
        """What was said in the last speech, or in the one that still lasts, has become known."""
        long_enough = self._voiced_ms >= self._rule.words_ms
        lately = self._now_ms - self._stood_out_ms < self._rule.meant_for_ms
        unknown = not (self._room.is_known or self._room.is_learning)
        meant = self._holding or unknown or lately or self._fell_silent()
        if said is Said.UNDERSTOOD and meant:
            return self._stop(Why.UNDERSTOOD)
        if said is Said.WORDS and self._holding and long_enough:
            return self._stop(Why.WORDS)
        return self._end(Move.GO_ON) if self._holding else None

    def passes_over(self, said: Said, since_ms: int) -> Why | None:
        """Why words that began at `since_ms`, before the room was known, did not move the agent. Of later ones, and of
        none, there is nothing to tell."""
        if said is Said.NOTHING or since_ms >= self._knows_room_ms:
            return None
        return Why.ROOM if said is Said.UNDERSTOOD else Why.HELLO

    def learn(self) -> None:
        """A call begins, or something is heard before the agent is: an office, or a caller who says hello first."""
        self._room.learn()

    @property
    def is_learning(self) -> bool:
        """What comes is to be fed although the agent can't be heard; nothing will move it."""
        return self._room.is_learning

    def over(self) -> None:
        """The agent has nothing more to say, or must not be interrupted any more."""
        self._holding = False
        self._recent.clear()
        self._heard.clear()

    def _stands_out(self, level_dbfs: float) -> bool:
        return not self._room.is_known or level_dbfs >= self._room.level_dbfs + self._rule.above_db

    def _fell_silent(self) -> bool:
        """What was said is gone again, and was louder than what is left: somebody spoke."""
        speech = [level for level, was_speech in self._voices if was_speech]
        pause = [level for level, _ in islice(self._voices, max(0, len(self._voices) - self._rule.pause), None)]
        return len(speech) >= _LEAST_SPEECH and spread(speech)[1] >= median(pause) + self._rule.fell_db

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
            return self._stop(Why.LASTED) if self._voiced_ms >= self._rule.stop_ms else None
        enough_ms = self._rule.longest_quiet_ms if awaits_words else self._rule.quiet_ms
        return self._end(Move.GO_ON) if self._now_ms - self._voiced_until_ms >= enough_ms else None

    def _stop(self, why: Why) -> Move:
        self.why = why
        return self._end(Move.STOP)

    def _end(self, move: Move) -> Move:
        if move is Move.GO_ON:
            self._room.hear(*self._heard)
            self._wary_until_ms = self._now_ms + self._rule.wary_for_ms
        self.over()
        return move
