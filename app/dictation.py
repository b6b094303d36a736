"""What the recogniser may be told to expect instead of the agent's words."""

from __future__ import annotations

from enum import Enum


class Dictated(Enum):
    """What callers read out where sentences help nobody to hear it: the recogniser then expects nothing else, but for
    yes, no and how people correct what was read back to them. `SPELLING_WORDS`: "B as in Bravo". `FREE`: sentences
    that are not among the agent's own, so that the words of the general recogniser are waited for however late."""

    NOTHING = ""
    DIGITS = "digits"
    LETTERS = "letters"
    SPELLING_WORDS = "spelling words"
    FREE = "free"
