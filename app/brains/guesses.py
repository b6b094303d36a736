"""Asking which of the likeliest intents was meant. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from app.brains.intents import Act, Intent, Kind
from app.brains.matching import Decision, Matcher, Verdict
from app.brains.words import words
from app.ports import Heard

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


def meant(
    offered: tuple[Intent, ...], heard: Heard, answer: bool | None, decided: Callable[[], Decision], matcher: Matcher
) -> Intent | None:
    """Which of those that were offered. `answer`: a yes or no; `decided`: what was said, whatever was offered."""
    if len(offered) == 1 and answer is True:
        return offered[0]
    said = {*words(heard.own), *words(heard.general)}
    if len(offered) == 2 and said & {"first", "second", "latter"} and not {"first", "second"} <= said:
        return offered[0 if "first" in said else 1]
    if answer is False:
        return None
    again = decided()
    if again.verdict is not Verdict.NOTHING and again.guesses[0] in offered:
        return again.guesses[0]  # likely twice in a row: the caller has said it again
    return matcher.decide(heard, among=offered).intent
