"""Asking which of the likeliest intents was meant. Pure."""

from __future__ import annotations

from typing import assert_never

from app.brains.intents import Act, Intent, Kind
from app.brains.matching import Decision

# A guess is worth offering beside the first where it is at least half as likely.
_SECOND_GUESS = 0.5


def worth_offering(decision: Decision) -> tuple[Intent, ...]:
    best = decision.probabilities[0]
    pairs = zip(decision.guesses, decision.probabilities, strict=True)
    return tuple(intent for intent, probability in pairs if probability >= _SECOND_GUESS * best)


def question(guesses: tuple[Intent, ...]) -> str:
    first, *others = map(_title, guesses)
    return f"Did you want {first}{''.join(f', or {other}' for other in others)}?"


_TITLES = {
    Act.HOURS: "to know our opening hours",
    Act.SOMEONE: "to speak to somebody",
    Act.MESSAGE: "to leave a message",
    Act.REPEAT: "me to say that again",
    Act.GOODBYE: "to end the call",
    Act.GREETING: "to say hello",
}


def _title(intent: Intent) -> str:
    match intent.kind:
        case Kind.KNOWLEDGE:
            return f'to ask, "{intent.key}"'
        case Kind.PERSON:
            return f"to speak to {intent.key}"
        case Kind.ACT:
            return _TITLES[Act(intent.key)]
        case _:
            assert_never(intent.kind)
