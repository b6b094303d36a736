"""What kind of words an utterance was, for the deciders: something meant, a sign of listening, or nothing at all.

Recognisers hear words in anything: in a cough, in music, in our own echo. Two of them hear the same ones only where
somebody said them.
"""

from __future__ import annotations

from enum import Enum, auto

from app.brains.words import words
from app.ports import Heard


class Said(Enum):
    NOTHING = auto()
    LISTENING = auto()  # "uh-huh": go on
    WORDS = auto()
    UNDERSTOOD = auto()


# Nobody who says only this wants the floor. "Huh" and "mm" are what recognisers write for the rest of them.
_LISTENING = frozenset(
    "uh huh um hm hmm mm mhm mmm ah aha oh yeah yes yep yup ok okay right sure good great fine all i see".split()
)
# From so many of an utterance's words on, the agent has just said them itself.
_OURS = 0.6


def said(heard: Heard, *, understood: bool = False, ours: str = "") -> Said:
    """`understood`: the brain takes it for something whole. `ours`: what the agent has said in the same seconds, which
    comes back on some lines."""
    own, general = words(heard.own), words(heard.general)
    agreed = set(own) & set(general)
    if not agreed or _is_ours(own, ours) or _is_ours(general, ours):
        return Said.NOTHING
    if understood:
        return Said.UNDERSTOOD
    return Said.LISTENING if _LISTENING.issuperset(own) or _LISTENING.issuperset(general) else Said.WORDS


def are_words(heard: Heard, *, understood: bool) -> bool:
    """Somebody is there who talks: no music, and no noise."""
    return understood or said(heard) is not Said.NOTHING


def _is_ours(heard: tuple[str, ...], ours: str) -> bool:
    spoken = frozenset(words(ours))
    return sum(word in spoken for word in heard) >= _OURS * len(heard) and bool(spoken)
