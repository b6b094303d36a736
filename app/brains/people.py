"""Whom of the directory a caller wants, and what they hear where they cannot have them. Pure."""

from __future__ import annotations

from app.brains.intents import Act, Intent, Kind
from app.brains.matching import Decision
from app.brains.words import words
from app.ports import Heard, Result

_WHY_NOT = {
    Result.BUSY: "{} is on the telephone.",
    Result.NO_ANSWER: "{} does not answer.",
    Result.DECLINED: "{} cannot take your call now.",
}


def not_reached(person: str, why: Result = Result.FAILED) -> str:
    """As the caller is told."""
    return _WHY_NOT.get(why, "I cannot put you through to {}.").format(person)


def rather_named(decision: Decision, heard: Heard) -> Intent | None:
    """What is believed; but whoever says a name wants this person, though the words around it are those of "can I speak
    to somebody", and one of the recognisers missed the name."""
    intent = decision.intent
    if intent is None or intent.key != Act.SOMEONE.value:
        return intent
    said = [_spaced(text) for text in (heard.own, heard.general)]
    people = (guess for guess in decision.guesses if guess.kind is Kind.PERSON)
    named = (each for each in people if any(_spaced(name) in text for name in each.phrases for text in said))
    return next(named, intent)


def _spaced(text: str) -> str:
    return f" {' '.join(words(text))} "
