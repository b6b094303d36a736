"""Keys that the caller presses where a number is asked for, and when they are the whole answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# People look at their telephone between two keys, and at their notes between two groups; after this they have finished.
PAUSE_MS = 3_000
# The longest number there is has 15 digits (ITU-T E.164), and an international prefix before them. A key that is stuck
# makes no longer one.
_MOST = 20
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
