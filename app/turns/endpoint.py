"""Start and end of the caller's speech, from speech probabilities.

Two pauses matter. A short one is a *hint*: worth preparing the answer, which is thrown away if the caller goes on.
The natural pause *commits*: the turn is the agent's. The second one is an argument of every step: the words decide how
long it is (app/turns/natural_pause.py), and they are known only once the first one has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    since_ms: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The hint. `since_ms` is where the speech stopped."""

    since_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    since_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The commit. `since_ms` is where the speech stopped, `voiced_ms` how much of it there was."""

    since_ms: int
    voiced_ms: int


TurnEvent = SpeechStarted | SpeechPaused | SpeechResumed | SpeechEnded


@dataclass(frozen=True, slots=True)
class SpeechRule:
    """0.5 to enter speech and 0.15 less to stay in it: what silero-vad's `get_speech_timestamps` recommends."""

    enter: float = 0.5
    stay: float = 0.35
    start_ms: int = 96  # three chunks: shorter sounds are clicks and breaths
    hint_ms: int = 192  # six chunks: stop consonants inside words stay below it


class _Phase(Enum):
    QUIET = auto()
    MAYBE = auto()
    SPEAKING = auto()
    TRAILING = auto()
    PAUSED = auto()


class Endpointer:
    """Speech probabilities in, turn events out. One per call."""

    def __init__(self, rule: SpeechRule = SpeechRule()) -> None:
        self._rule = rule
        self._phase = _Phase.QUIET
        self._since_ms = 0
        self._voiced_ms = 0

    @property
    def in_speech(self) -> bool:
        """Between `SpeechStarted` and `SpeechEnded`."""
        return self._phase in (_Phase.SPEAKING, _Phase.TRAILING, _Phase.PAUSED)

    @property
    def may_end(self) -> bool:
        """The last chunk in speech had none: perhaps the end of the last word, perhaps the gap before a "t"."""
        return self._phase is _Phase.TRAILING

    def feed(self, start_ms: int, end_ms: int, probability: float, pause_ms: int) -> TurnEvent | None:
        """One chunk of audio, [start_ms, end_ms). `pause_ms` is the pause that commits, as of now."""
        voiced = probability >= (self._rule.stay if self._phase is _Phase.SPEAKING else self._rule.enter)
        if voiced and self._phase is not _Phase.QUIET:
            self._voiced_ms += end_ms - start_ms
        match self._phase, voiced:
            case _Phase.QUIET, True:
                self._enter(_Phase.MAYBE, start_ms)
                self._voiced_ms = end_ms - start_ms
            case _Phase.MAYBE, False:
                self._phase = _Phase.QUIET
            case _Phase.MAYBE, True if end_ms - self._since_ms >= self._rule.start_ms:
                self._phase = _Phase.SPEAKING
                return SpeechStarted(self._since_ms)
            case _Phase.SPEAKING, False:
                self._enter(_Phase.TRAILING, start_ms)
            case _Phase.TRAILING, True:
                self._phase = _Phase.SPEAKING
            case _Phase.TRAILING, False if end_ms - self._since_ms >= self._rule.hint_ms:
                self._phase = _Phase.PAUSED
                return SpeechPaused(self._since_ms)
            case _Phase.PAUSED, True:
                self._phase = _Phase.SPEAKING
                return SpeechResumed(start_ms)
            case _Phase.PAUSED, False if end_ms - self._since_ms >= pause_ms:
                self._phase = _Phase.QUIET
                return SpeechEnded(self._since_ms, self._voiced_ms)
        return None

    def _enter(self, phase: _Phase, since_ms: int) -> None:
        self._phase, self._since_ms = phase, since_ms
