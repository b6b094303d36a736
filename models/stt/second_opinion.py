"""How long an answer waits for the second opinion, the general decoder's, once the agent's own decoder has answered.

Alone on the box a caller gets both within a moment. Where many callers finish at once, each process has a part of a
core, and the general decoder takes three quarters of the work: eight callers who all finish their first sentence in the
same second would wait for two. Then an answer is worth more than a second opinion, and what is given up is decoded no
further, so that the others have the core.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """`crowded_s` from the end of the feeding: with 0.35 s before it and 0.2 s after, eight callers at once on two
    cores hear 19 of 20 answers within 1.1 s; with 0.6 it was 1.24. `look_again_s`: whoever waits alone at first may be
    one of many a moment later."""

    crowded_s: float = 0.5
    look_again_s: float = 0.1

    def is_over(self, waited_s: float, waiting: int, cores: int) -> bool:
        """`waiting` calls wait for their words at the same time, this one included."""
        return waiting > cores and waited_s >= self.crowded_s


class Crowd:
    """How many calls of this process wait for their words."""

    def __init__(self) -> None:
        self.waiting = 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1
