"""Has a person or a machine answered a call of ours?

People say something short and wait. Machines talk on, and then beep. Everything that is not clear is a person: a
machine that was greeted like one costs a sentence, and its beep still tells; a person who was hung up on is lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from app.turns.endpoint import Endpointer, SpeechEnded, SpeechStarted

PAUSE_MS = 320
"""Ends one stretch of talk while it is not clear who talks: longer than the gaps inside sentences."""

_SPEECH = 0.5  # as in `SpeechRule.enter`


class Answerer(Enum):
    HUMAN = "human"
    MACHINE = "machine"


class Because(Enum):
    WAITS = "said something short, then waited"
    WAITS_LATER = "said something longer, then waited"
    NOBODY_SPOKE = "nobody spoke"
    TALKS_ON = "talked on without waiting"
    BEEP = "a beep"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence`: the share of the cases of this kind in which it was right on the tuning set of `just bench
    machines`, 0 to 1. `talk_ms`: how long the other side had talked, its pauses included."""

    answerer: Answerer
    confidence: float
    because: Because
    talk_ms: int


@dataclass(frozen=True, slots=True)
class AnswererRule:
    """A stretch of talk of at most so many ms (`short_ms`, `long_ms`, any) and then so much silence (`short_wait_ms`,
    `long_wait_ms`, `longest_wait_ms`) is a person. `machine_ms` of talk without any such wait is a machine.

    `nobody_ms`: whoever says nothing for so long after picking up is greeted; `sound_ms` where something else than
    speech, louder than `sound_dbfs`, is to be heard most of the time: many machines begin with music. `behind_db`: who
    is so much softer than the loudest words so far is somebody else in the room, or a television.
    `resumes_ms`: who goes on so soon after having seemed to wait did not hear the greeting, and is listened to again.
    `beep_within_ms`: a beep so early in a call is a machine's, whatever seemed clear before.
    """

    short_ms: int = 1_800
    long_ms: int = 3_500
    short_wait_ms: int = 416
    long_wait_ms: int = 800
    longest_wait_ms: int = 1_200
    machine_ms: int = 7_500
    nobody_ms: int = 2_500
    sound_ms: int = 6_000
    sound_dbfs: float = -50.0
    behind_db: float = 16.0
    resumes_ms: int = 1_000
    beep_within_ms: int = 45_000


class AnswererDecider:
    """Speech probabilities and beeps in, at most two verdicts out: the second where the first, a person, was wrong, as
    a beep or endless talk shows. One per call."""

    def __init__(self, rule: AnswererRule = AnswererRule()) -> None:
        self._rule = rule
        self._endpointer = Endpointer()
        self._loudest_dbfs = -math.inf
        self._sound_ms = 0
        self._began_ms: int | None = None
        self._ended_ms = 0
        self._begin_by_ms = math.inf  # what is said later is said to the agent
        self._decided: Answerer | None = None

    def feed(self, start_ms: int, end_ms: int, probability: float, *, level_dbfs: float, beep: bool) -> Verdict | None:
        """One chunk of audio, [start_ms, end_ms), of a call that was answered at 0. `beep`: one is over."""
        self._sound_ms += end_ms - start_ms if level_dbfs >= self._rule.sound_dbfs else 0
        event = self._endpointer.feed(start_ms, end_ms, self._of_the_nearest(probability, level_dbfs), PAUSE_MS)
        if isinstance(event, SpeechStarted) and self._began_ms is None and event.since_ms <= self._begin_by_ms:
            self._began_ms = event.since_ms
        elif isinstance(event, SpeechEnded):
            self._ended_ms = event.since_ms
        verdict = self._verdict(end_ms, beep=beep)
        if verdict:
            self._decided = verdict.answerer
            self._began_ms, self._begin_by_ms = None, end_ms + self._rule.resumes_ms
        return verdict

    def _of_the_nearest(self, probability: float, level_dbfs: float) -> float:
        """The probability that the one who speaks loudest speaks."""
        if probability >= _SPEECH:
            self._loudest_dbfs = max(self._loudest_dbfs, level_dbfs)
        return probability if level_dbfs >= self._loudest_dbfs - self._rule.behind_db else 0.0

    def _verdict(self, now_ms: int, *, beep: bool) -> Verdict | None:
        talk_ms = self._talk_ms(now_ms)
        if beep and self._decided is not Answerer.MACHINE and now_ms <= self._rule.beep_within_ms:
            return Verdict(Answerer.MACHINE, 0.99, Because.BEEP, talk_ms)
        if self._decided is Answerer.MACHINE:
            return None
        if self._began_ms is not None and talk_ms >= self._rule.machine_ms:
            return Verdict(Answerer.MACHINE, 0.99, Because.TALKS_ON, talk_ms)
        if self._decided:
            self._mind_later_talk(now_ms)
            return None
        return self._first(talk_ms, now_ms)

    def _mind_later_talk(self, now_ms: int) -> None:
        """A person was greeted, and talked on; from the first wait on, they talk with the agent."""
        if self._began_ms is not None and self._waits_ms(now_ms) >= self._rule.longest_wait_ms:
            self._began_ms, self._begin_by_ms = None, -math.inf

    def _first(self, talk_ms: int, now_ms: int) -> Verdict | None:
        if self._began_ms is None:
            most_of_it = self._sound_ms >= now_ms // 2
            nobody = now_ms >= (self._rule.sound_ms if most_of_it else self._rule.nobody_ms)
            return Verdict(Answerer.HUMAN, 0.5, Because.NOBODY_SPOKE, 0) if nobody else None
        return self._waits(talk_ms, self._waits_ms(now_ms))

    def _waits_ms(self, now_ms: int) -> int:
        return 0 if self._endpointer.in_speech else now_ms - self._ended_ms

    def _waits(self, talk_ms: int, waits_ms: int) -> Verdict | None:
        if talk_ms <= self._rule.short_ms:
            short = Verdict(Answerer.HUMAN, 0.9, Because.WAITS, talk_ms)
            return short if waits_ms >= self._rule.short_wait_ms else None
        enough_ms = self._rule.long_wait_ms if talk_ms <= self._rule.long_ms else self._rule.longest_wait_ms
        longer = Verdict(Answerer.HUMAN, 0.5, Because.WAITS_LATER, talk_ms)
        return longer if waits_ms >= enough_ms else None

    def _talk_ms(self, now_ms: int) -> int:
        if self._began_ms is None:
            return 0
        return (now_ms if self._endpointer.in_speech else self._ended_ms) - self._began_ms


class Moment(Enum):
    """Of a message that is to be left."""

    NOW = "now"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class MessageRule:
    """Without a beep, silence tells that a machine records: `late_silence_ms` once `beep_by_ms` of the call are over,
    `early_silence_ms` before, since many machines hang up after some seconds in which they record nothing. What still
    talks at `give_up_ms` is music or a menu, and never records."""

    beep_by_ms: int = 30_000
    late_silence_ms: int = 2_000
    early_silence_ms: int = 5_000
    give_up_ms: int = 90_000


class MessageDecider:
    """When to leave a message on a machine. One per call, fed from its beginning."""

    def __init__(self, rule: MessageRule = MessageRule()) -> None:
        self._rule = rule
        self._endpointer = Endpointer()
        self._quiet_since_ms = 0

    def feed(self, start_ms: int, end_ms: int, probability: float, *, beep: bool) -> Moment | None:
        event = self._endpointer.feed(start_ms, end_ms, probability, PAUSE_MS)
        if isinstance(event, SpeechEnded):
            self._quiet_since_ms = event.since_ms
        if beep or self._quiet_ms(end_ms) >= self._enough_ms(end_ms):
            return Moment.NOW
        return Moment.NEVER if end_ms >= self._rule.give_up_ms else None

    def _quiet_ms(self, now_ms: int) -> int:
        return 0 if self._endpointer.in_speech else now_ms - self._quiet_since_ms

    def _enough_ms(self, now_ms: int) -> int:
        return self._rule.late_silence_ms if now_ms >= self._rule.beep_by_ms else self._rule.early_silence_ms
