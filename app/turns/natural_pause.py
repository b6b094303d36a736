"""How long a pause ends the caller's turn: by what was asked, and by the words so far.

A fixed pause is wrong twice: after "when are you open?" it makes people wait for nothing, and in "my number is ..." it
cuts them off. The words are there in time. A draft of the recognition is made at the first hint of a pause, so the
pause that is needed can be told before it is over; until the draft is there, waiting costs nothing, since an answer
needs its words too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.brains.words import words
from app.ports import Expects, Heard


class Because(Enum):
    """Why a pause was long enough. For the session: nothing that was said."""

    COMPLETE = "complete"
    PLAIN = "plain"
    UNFINISHED = "unfinished"
    DICTATED = "dictated"


@dataclass(frozen=True, slots=True)
class Pause:
    ms: int
    because: Because


@dataclass(frozen=True, slots=True)
class PauseRule:
    """Against the pause that the owner has set, 450 ms unless they change it.

    Whoever has said all they wanted waits for an answer: two thirds of it, 300 ms, which is still longer than the gaps
    inside fluent speech. Who looks for a word, spells, or reads a number out in groups, leaves gaps of over half a
    second: 600 ms more. Between the sentences of a message people think for nearly as long; before a name, or between
    the first and the last one, for a moment.
    """

    complete: float = 2 / 3
    unfinished_ms: int = 600
    dictated_ms: tuple[tuple[Expects, int], ...] = (
        (Expects.NUMBER, 600),
        (Expects.LETTERS, 600),
        (Expects.MESSAGE, 500),
        (Expects.NAME, 200),
    )


RULE = PauseRule()

# Nobody ends a sentence with these.
_HOLDS = frozenset("um uh er erm the a an and or but because if my your our their i we is am".split())
# These end questions too ("where are you from?"): only where nothing was understood is there more to come.
_MAY_HOLD = frozenset("to for from at on in by about with of like so are was will would can could".split())
# A matcher believes "I would like to" for its beginning: after these, what was understood is not yet complete. Half as
# many beginnings of the intent bench's sentences are then taken for all of them, and 9 of 10 whole ones as before.
_OPEN = _HOLDS | _MAY_HOLD | frozenset("you like want need have do does get make speak accept treat".split())


def natural_pause(
    expects: Expects, base_ms: int, heard: Heard | None, *, understood: bool = False, rule: PauseRule = RULE
) -> Pause:
    """The pause that ends a turn. `heard`: the caller's words so far, None while they are not known; `understood`:
    whether the brain takes them for something whole."""
    dictated_ms = dict(rule.dictated_ms).get(expects)
    if heard is not None and dictated_ms is None and understood and not _ends_with(heard, _OPEN):
        return Pause(round(base_ms * rule.complete), Because.COMPLETE)
    if heard is not None and expects is Expects.NAME and _spells(heard):
        return Pause(base_ms + rule.unfinished_ms, Because.DICTATED)
    if heard is not None and _is_unfinished(heard, understood=understood):
        return Pause(base_ms + rule.unfinished_ms, Because.UNFINISHED)
    if dictated_ms is not None:
        return Pause(base_ms + dictated_ms, Because.DICTATED)
    return Pause(base_ms, Because.PLAIN)


def longest_pause_ms(base_ms: int, rule: PauseRule = RULE) -> int:
    """For as long as the words are awaited. A recogniser that is later than this answers late anyhow."""
    return base_ms + rule.unfinished_ms


def _is_unfinished(heard: Heard, *, understood: bool) -> bool:
    return _ends_with(heard, _HOLDS) or (not understood and _ends_with(heard, _HOLDS | _MAY_HOLD))


def _ends_with(heard: Heard, last: frozenset[str]) -> bool:
    """In both readings: a recogniser alone hears an "a" or an "and" in a breath."""
    readings = [words(text) for text in (heard.own, heard.general) if text]
    return bool(readings) and all(said[-1:] and said[-1] in last for said in readings)


def _spells(heard: Heard) -> bool:
    """The last word is a single letter: another one may come."""
    return any(len(said[-1]) == 1 for said in (words(heard.own), words(heard.general)) if said)
