"""Which of several values somebody meant, in the words that people use for it. Pure.

Some values are asked for everywhere, and hardly anybody says them as they are written: "confirm" is "I'll be there",
"cancel" is "I can't make it", "reschedule" is "can we move it". Their words stand here. Any other value is meant by its
own words, and less surely by one of them, or by a word of the same meaning, that no other value has.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from app.brains.meanings import synonyms
from app.brains.words import FUNCTION_WORDS, stem, stems, words

# So many words before something, "not" turns it round: "I do not want to cancel".
_NOT_REACHES = 3


class Concept(Enum):
    CONFIRM = "confirm"
    CANCEL = "cancel"
    RESCHEDULE = "reschedule"


_NAMES: Mapping[Concept, tuple[str, ...]] = {
    Concept.CONFIRM: ("confirm", "confirmed", "accept", "accepted", "keep", "kept", "coming", "attend", "will come"),
    Concept.CANCEL: ("cancel", "cancelled", "canceled", "decline", "declined", "refuse", "refused", "not coming"),
    Concept.RESCHEDULE: (
        "reschedule", "rescheduled", "move", "moved", "postpone", "postponed", "change", "another day", "another time",
        "other time", "later",
    ),
}  # fmt: skip

PHRASES: Mapping[Concept, tuple[str, ...]] = {
    Concept.CONFIRM: (
        "confirm", "I confirm", "I'd like to confirm", "yes I confirm", "please confirm it", "that works",
        "that works for me", "works for me", "that is fine", "that's fine with me", "fine with me", "I'll be there",
        "we'll be there", "yes I will be there", "I'll come", "I will come", "I'm coming", "yes I'm coming",
        "I can come", "I can make it", "I will make it", "see you then", "that suits me", "keep it",
        "keep the appointment", "I'll keep it", "sounds good", "I look forward to it", "I'll attend", "count me in",
        "that's okay", "that is okay", "that is good", "as planned", "it stays as it is", "that's all right",
    ),
    Concept.CANCEL: (
        "cancel", "cancel it", "please cancel", "please cancel it", "I want to cancel", "I'd like to cancel",
        "I need to cancel", "I have to cancel", "cancel the appointment", "cancel my appointment", "call it off",
        "I can't make it", "no I can't make it", "no I can't come", "I cannot make it", "I can't come",
        "I cannot come", "I won't make it", "I won't be there", "I won't come", "I'm not coming", "I can't be there",
        "I'm not able to come", "I'm unable to come", "I don't want it", "I don't want it any more",
        "I don't need it", "I don't need it any more", "I no longer need it", "I can't keep the appointment",
        "forget about it", "delete the appointment",
    ),
    Concept.RESCHEDULE: (
        "reschedule", "reschedule it", "please reschedule", "I want to reschedule", "I'd like to reschedule",
        "I need to reschedule", "can we reschedule", "move it", "can we move it", "can we move it to another day",
        "could we move it to next week", "I'd like to move it", "move the appointment", "move my appointment",
        "another day", "another time", "another date", "another day please", "on another day", "at another time",
        "a different day", "a different time", "a different date", "some other time", "some other day", "postpone",
        "postpone it", "I'd like to postpone it", "a later date", "at a later time", "a new date", "a new time",
        "push it back", "put it off", "change it", "change the time", "change the day", "change the date",
        "change the appointment", "change my appointment", "shift it", "make it another day", "can I come another day",
    ),
}  # fmt: skip

# "I can't make it, can we move it?" wants another day; "yes, but I have to cancel" cancels.
_PRECEDENCE = (Concept.RESCHEDULE, Concept.CANCEL, Concept.CONFIRM)


@dataclass(frozen=True, slots=True)
class Meant:
    """`sure`: in words that are known to mean it. `lone`: by a yes or no that could mean something else."""

    value: str
    sure: bool
    lone: bool = False


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to mean `value`."""

    value: str
    sure: bool


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    way: _Way


def concept_of(choice: str) -> Concept | None:
    """What a value is about, whatever its owner calls it."""
    named = stems(choice)
    return next((each for each, names in _NAMES.items() if named in map(stems, names)), None)


def meant(choices: tuple[str, ...], text: str) -> Meant | None:
    """The one of `choices` that `text` means; None for none, and where it could be several."""
    said = _stems(text)
    found = _not_denied(said, list(_outermost(said, _ways(choices))))
    values = list(dict.fromkeys(each.way.value for each in found))
    if len(values) > 1:
        values = _by_precedence(values)
    if len(values) != 1:
        return None
    return Meant(values[0], any(each.way.sure for each in found if each.way.value == values[0]))


def ways_to_say(choices: tuple[str, ...]) -> Iterator[str]:
    """What somebody may say who means one of them, for the recogniser's language model."""
    for choice in choices:
        concept = concept_of(choice)
        yield from (choice, f"{choice} please", *(PHRASES[concept] if concept else (f"I said {choice}",)))
        yield from _alike(choice)


def _stems(text: str) -> tuple[str, ...]:
    return stems(text.replace("cannot", "can not"))


def _by_precedence(values: list[str]) -> list[str]:
    about = {concept_of(value): value for value in values}
    if None in about or len(about) < len(values):
        return values
    return [about[next(each for each in _PRECEDENCE if each in about)]]


@functools.lru_cache(maxsize=256)
def _ways(choices: tuple[str, ...]) -> Mapping[tuple[str, ...], _Way]:
    """By stems. What could be said for several of the choices is nobody's."""
    unsure: dict[tuple[str, ...], set[str]] = {}
    for choice in choices:
        for word in {*words(choice), *_alike(choice)} - FUNCTION_WORDS:
            unsure.setdefault(stems(word), set()).add(choice)
    ways = {way: _Way(values.pop(), sure=False) for way, values in unsure.items() if len(values) == 1}
    for choice in choices:
        concept = concept_of(choice)
        for phrase in PHRASES[concept] if concept else ():
            # Of "I can't come" a telephone often leaves "I can come".
            ways[_stems(phrase)] = _Way(choice, sure=concept is not Concept.CONFIRM or "can" not in words(phrase))
    return ways | {stems(choice): _Way(choice, sure=True) for choice in choices if stems(choice)}


def _alike(choice: str) -> frozenset[str]:
    """Words of the same meaning, of a value that is one word, and none of those above."""
    said = words(choice)
    return synonyms(said[0]) if len(said) == 1 and concept_of(choice) is None else frozenset()


def _outermost(said: tuple[str, ...], ways: Mapping[tuple[str, ...], _Way]) -> Iterator[_Found]:
    """Each way that is in `said`, but for those inside of a longer one: "I can not make it" holds "make it"."""
    longest = max(map(len, ways), default=0)
    all_ = [
        _Found(start, start + length, ways[said[start : start + length]])
        for length in range(longest, 0, -1)
        for start in range(len(said) - length + 1)
        if said[start : start + length] in ways
    ]
    for each in all_:
        if not any(
            other.start <= each.start and each.end <= other.end and other.end - other.start > each.end - each.start
            for other in all_
        ):
            yield each


def _not_denied(said: tuple[str, ...], found: list[_Found]) -> list[_Found]:
    taken = {place for each in found for place in range(each.start, each.end)}
    return [
        each
        for each in found
        if not any(
            said[place] == stem("not") and place not in taken
            for place in range(max(0, each.start - _NOT_REACHES), each.start)
        )
    ]
