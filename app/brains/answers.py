"""Short answers to the agent's own questions: yes or no, a name, which of two."""

from __future__ import annotations

import itertools

from app.brains.words import words
from app.ports import Heard

_YES = frozenset("yes yeah yep yup correct right exactly sure absolutely okay ok fine indeed perfect".split())
_NO = frozenset("no nope not wrong incorrect nah false never neither".split())

_BEFORE_A_NAME = (
    "my name is", "the name is", "the name was", "name is", "this is", "it is", "i am", "i am called", "it was",
    "you are speaking to", "speaking is", "that is", "here is", "the last name is", "my last name is", "call me",
)  # fmt: skip
_NO_PART_OF_A_NAME = frozenset(
    "yes no hello hi good morning afternoon evening please um uh er oh well so okay ok and thanks thank you here "
    "speaking calling sure right sorry is my the a name mister missus miss".split()
)
# An answer is short, or opens a longer sentence; "is it all right to park in front" is neither yes nor no.
_SHORT_ANSWER = 5
_OPENING = 2

# Longer "names" are sentences.
_LONGEST_NAME = 4


def yes_or_no(heard: Heard) -> bool | None:
    """True for yes, False for no, None where it is neither or both texts disagree. "That's not right" is no."""
    said = {answer for answer in (_yes_or_no(heard.own), _yes_or_no(heard.general)) if answer is not None}
    return said.pop() if len(said) == 1 else None


def _yes_or_no(text: str) -> bool | None:
    said = words(text)
    found = set(said if len(said) <= _SHORT_ANSWER else said[:_OPENING])
    if found & _NO:
        return False
    return True if found & _YES else None


def name_in(text: str) -> str:
    """The name in an answer to "what is your name?": "my name is john smith" gives "John Smith"; "" for none.

    Letters said one by one are put together: "s m i t h" is Smith.
    """
    plain = " ".join(words(text.replace(".", " ")))
    for start in sorted(_BEFORE_A_NAME, key=len, reverse=True):
        _, found, after = f" {plain} ".partition(f" {start} ")
        if found and after.strip():
            plain = after
            break
    kept = [word for word in plain.split() if word not in _NO_PART_OF_A_NAME]
    return " ".join(word.capitalize() for word in _spelled(kept)[:_LONGEST_NAME])


def _spelled(said: list[str]) -> list[str]:
    """Single letters put together; a name that is said and then spelled counts once."""
    found: list[str] = []
    for single, group in itertools.groupby(said, key=lambda word: len(word) == 1):
        together = list(group)
        found.extend(["".join(together)] if single else together)
    return list(dict.fromkeys(found))
