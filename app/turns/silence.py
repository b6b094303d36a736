"""How long nobody has said anything, and when that means "are you there?" and "good-bye"."""

from __future__ import annotations

from enum import Enum, auto


class Silence(Enum):
    CHECK_IN = auto()
    GIVE_UP = auto()
    LEAVE = auto()


# The longest good-bye is half of this. Where it does not get out at all (the line is on hold), the call ends without.
_GOODBYE_MS = 60_000


# Somebody looks something up, asks a colleague, takes another call. Whoever forgets us that long must not keep a seat.
LONGEST_HOLD_MS = 900_000


class HoldClock:
    """Whether the other side is excused from answering: it has put the call on hold, and not for too long."""

    def __init__(self) -> None:
        self._since_ms: int | None = None

    def excused(self, at_ms: int, *, on_hold: bool) -> bool:
        """The audio clock has come to `at_ms`."""
        if not on_hold:
            self._since_ms = None
            return False
        if self._since_ms is None:
            self._since_ms = at_ms
        return at_ms - self._since_ms < LONGEST_HOLD_MS


class SilenceClock:
    """Counts from the last words of either side. The check-in at half time is not an answer: it does not reset."""

    def __init__(self, limit_ms: int) -> None:
        self._limit_ms = limit_ms
        self._quiet_since_ms = 0
        self._asked = False
        self._given_up = self._left = False

    @property
    def asked(self) -> bool:
        """The check-in of this silence is over or under way."""
        return self._asked

    def words(self, at_ms: int) -> None:
        """Somebody said something that ended at `at_ms`."""
        self._quiet_since_ms = max(self._quiet_since_ms, at_ms)
        self._asked = self._given_up = self._left = False

    def feed(self, at_ms: int) -> Silence | None:
        """The audio clock has come to `at_ms`. Each event comes once per silence."""
        quiet_ms = at_ms - self._quiet_since_ms
        if quiet_ms >= self._limit_ms + _GOODBYE_MS and not self._left:
            self._left = True
            return Silence.LEAVE
        if quiet_ms >= self._limit_ms and not self._given_up:
            self._given_up = True
            return Silence.GIVE_UP
        if quiet_ms >= self._limit_ms // 2 and not self._asked and not self._given_up:
            self._asked = True
            return Silence.CHECK_IN
        return None
