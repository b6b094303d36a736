"""How long a caller waits for a language model: pure, time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

FILLER_AFTER_S = 1.2
"""People begin to wonder whether anybody is there after about so long."""

FILLER = "One moment, please."


@dataclass(slots=True)
class Patience:
    """Of one answer. Its first word may take `first_word_s`; its first clause, and each clause after one that has been
    spoken, twice that."""

    first_word_s: float
    began_s: float
    has_word: bool = False
    has_clause: bool = False
    has_filled: bool = False
    waits_since_s: float = 0.0

    @property
    def filler_at_s(self) -> float | None:
        """When to say that it takes a moment, once, and only before the answer."""
        at_s = self.began_s + FILLER_AFTER_S
        return at_s if not (self.has_filled or self.has_clause) and at_s < self.gives_up_at_s else None

    @property
    def gives_up_at_s(self) -> float:
        if not self.has_word:
            return self.began_s + self.first_word_s
        since_s = self.waits_since_s if self.has_clause else self.began_s
        return since_s + 2 * self.first_word_s

    def why(self) -> str:
        """For the log, after giving up."""
        if not self.has_word:
            return f"the language model was too slow: no word within {self.first_word_s:g} s"
        what = "the answer stopped" if self.has_clause else "no whole sentence"
        return f"the language model was too slow: {what} within {2 * self.first_word_s:g} s"
