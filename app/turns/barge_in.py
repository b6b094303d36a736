"""Does the caller mean to interrupt? Speech over the agent's speech, long enough to be meant."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BargeInRule:
    """`voiced_ms` within `window_ms`: a cough or a click is shorter, and one unvoiced consonant is forgiven.

    160 ms of evidence leaves the rest of the 200 ms that a caller notices for the way to the wire.
    """

    enter: float = 0.6
    voiced_ms: int = 160
    window_ms: int = 256


class BargeIn:
    """Fed only while the agent can be heard. The window forgets by itself what lies before."""

    def __init__(self, rule: BargeInRule = BargeInRule()) -> None:
        self._rule = rule
        self._recent: deque[tuple[int, int]] = deque()

    def feed(self, start_ms: int, end_ms: int, probability: float) -> bool:
        """True once the speech in [start_ms, end_ms) completes the evidence."""
        while self._recent and self._recent[0][0] < end_ms - self._rule.window_ms:
            self._recent.popleft()
        if probability < self._rule.enter:
            return False
        self._recent.append((start_ms, end_ms))
        return sum(end - start for start, end in self._recent) >= self._rule.voiced_ms
