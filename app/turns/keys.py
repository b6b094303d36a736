"""Keys that the caller presses where a number is asked for, and when they are the whole answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# People look at their telephone between two keys, and at their notes between two groups; after this they have finished.
PAUSE_MS = 3_000
# The longest number there is has 15 digits (ITU-T E.164), and an international prefix before them. A key that is stuck
# makes no longer one.
_MOST = 20
# By a tone and by a message (SIP INFO), which waits in queues: nobody presses the same key twice in that time.
_SAME_PRESS_MS = 400
_FINISHED = "#"
_CORRECTED = "*"


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One key, at an instant of the call's audio clock."""

    digit: str
    at_ms: int


class Keys:
    """The keys of one call. `#` ends a number, a pause of 3 s does too, and `*` begins it anew."""

    def __init__(self) -> None:
        self._digits = ""
        self._start_ms = self._last_ms = 0
        self._finished = False

    @property
    def start_ms(self) -> int:
        """When the first digit of the number came."""
        return self._start_ms

    @property
    def last_ms(self) -> int:
        return self._last_ms

    @property
    def pressed(self) -> bool:
        """A number has begun."""
        return bool(self._digits)

    def press(self, key: Dtmf) -> None:
        if key.digit == _CORRECTED:
            self._digits = ""
        elif key.digit == _FINISHED:
            self._finished = self.pressed
        elif key.digit.isdecimal() and len(self._digits) < _MOST:
            self._start_ms = self._start_ms if self.pressed else key.at_ms
            self._digits += key.digit
        self._last_ms = key.at_ms

    def feed(self, now_ms: int) -> str:
        """The audio clock has come to `now_ms`: the number, once it is whole; else nothing. It is given out once."""
        if not self._finished and not (self.pressed and now_ms - self._last_ms >= PAUSE_MS):
            return ""
        number, self._digits, self._finished = self._digits, "", False
        return number


class KeyWays:
    """Keys come by messages or as tones in the audio, and a telephone that does both pressed once."""

    def __init__(self) -> None:
        self._messages = False
        self._heard: Dtmf | None = None

    def message(self, key: Dtmf) -> bool:
        """Whether it counts. From the first one on, tones do not."""
        before, self._heard, self._messages = self._heard, None, True
        return before is None or before.digit != key.digit or abs(key.at_ms - before.at_ms) > _SAME_PRESS_MS

    def tone(self, key: Dtmf, *, has_events: bool) -> bool:
        """Whether it counts. `has_events`: the line's keys come by messages anyway."""
        counts = not (self._messages or has_events)
        self._heard = key if counts else None
        return counts
