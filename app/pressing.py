"""Keys that the agent presses for whoever is on the other side: a menu, a mailbox, a door. Pure.

An owner allows it for an agent as a whole, or not at all: what a key does only the machine at the other end knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PAUSE = ","
"""As modems and telephones have it in numbers that they dial."""

PAUSE_S = 1.0

KEY_S, GAP_S = 0.2, 0.1
"""How long a key sounds, and the time to the next one. ITU-T Q.24 asks for 40 ms of each; people take longer."""

MOST_KEYS, MOST_PAUSES = 24, 8
"""A long card number with a code after it, and the pauses that menus want. All of it is out within 16 s."""

_MARKS = re.compile(r"[0-9*#A-D,]+")


@dataclass(frozen=True, slots=True)
class Press:
    """An action: press `keys` (0-9 * # A-D, and PAUSE), once everything said before has been heard."""

    keys: str


def keys_in(text: str) -> str:
    """What is to be pressed, of something written; empty where it is none, or too much."""
    keys = "".join(text.split()).upper()
    pauses = keys.count(PAUSE)
    fits = pauses < len(keys) <= MOST_KEYS + pauses and pauses <= MOST_PAUSES
    return keys if fits and _MARKS.fullmatch(keys) else ""


NOT_PRESSED = "Not all keys could be pressed: the call ended, or the other side takes none."


def noted(keys: str) -> str:
    """For whoever reads the session. How many, and not which: some are secret."""
    count = len(keys) - keys.count(PAUSE)
    return f"The agent pressed {count} key{'s' if count != 1 else ''}."
