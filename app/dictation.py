"""What the recogniser may be told to expect instead of the agent's words."""

from __future__ import annotations

from enum import Enum


class Dictated(Enum):
    """What callers read out where sentences help nobody to hear it: the recogniser then expects nothing else, but for
    yes, no and how people correct what was read back to them. `SPELLING_WORDS`: "B as in Bravo"."""

    NOTHING = ""
    DIGITS = "digits"
    LETTERS = "letters"
    SPELLING_WORDS = "spelling words"
