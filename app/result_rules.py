"""Whether the results that an agent declares fit together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Declared(Protocol):
    """What `app.settings.ResultField` has of it."""

    @property
    def name(self) -> str: ...

    @property
    def only_after(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def choices(self) -> tuple[str, ...]: ...


def fault_of(fields: Sequence[Declared]) -> str | None:
    """What is wrong with them, for whoever declares them."""
    if len({each.name.casefold() for each in fields}) < len(fields):
        return "two results have the same name: give each a name of its own"
    possible: set[str] = set()
    for each in fields:
        if each.only_after and each.only_after.casefold() not in possible:
            return (
                f"“{each.name}” is asked for only after an answer that no result before it can have: that must be yes, "
                "no, or one of the values of a choice above it"
            )
        possible |= {"yes", "no"} if each.type == "yes-no" else {answer.casefold() for answer in each.choices}
    return None
