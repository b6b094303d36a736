"""How long a caller waits for a language model: pure, time is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FILLER_AFTER_S = 1.2
"""People begin to wonder whether anybody is there after about so long."""

FILLER = "One moment, please."
STILL = "I am still looking."
"""What is said where nothing else can be said yet: first the one, then the other."""

TOOL_FILLER_AFTER_S = 1.0
"""A tool is asked when the caller has waited for a model already."""

STILL_AFTER_S = 2.2
"""Of silence, after something was said in the same turn: with the voice, nobody waits for three seconds."""


def is_filler(clause: str) -> bool:
    """Ours, and not the same words of a model."""
    return clause is FILLER or clause is STILL


def without_fillers(heard: str, clauses: Sequence[str]) -> str:
    """What was heard of `clauses`, said one after the other, that is no filler."""
    kept, rest = list[str](), heard.strip()
    for clause in clauses:
        part = clause if rest.startswith(clause) else rest
        rest = rest[len(part) :].strip()
        if not is_filler(clause):
            kept.append(part)
    return " ".join(filter(None, [*kept, rest]))


@dataclass(slots=True)
class Quiet:
    """Since when a caller has heard nothing in a turn, and whether they heard anything before that."""

    since_s: float
    has_spoken: bool = False
    has_filled: bool = False

    def broken(self, clause: str, now_s: float) -> None:
        """`clause` was spoken until now."""
        self.since_s, self.has_spoken, self.has_filled = now_s, True, self.has_filled or is_filler(clause)

    @property
    def filler(self) -> str:
        return STILL if self.has_filled else FILLER

    def tool_filler_at_s(self, asked_s: float) -> float:
        """When to say it, while tools are asked since `asked_s`."""
        return self.since_s + STILL_AFTER_S if self.has_spoken else asked_s + TOOL_FILLER_AFTER_S


@dataclass(slots=True)
class Patience:
    """Of one answer. Its first word may take `first_word_s`; its first clause, and each clause after one that has been
    spoken, twice that. `filler` is said once, at `fills_at_s` if that is given."""

    first_word_s: float
    began_s: float
    has_word: bool = False
    has_clause: bool = False
    has_filled: bool = False
    waits_since_s: float = 0.0
    filler: str = FILLER
    fills_at_s: float | None = None

    @property
    def filler_at_s(self) -> float | None:
        """When to say that it takes a moment, once, and only before the answer."""
        at_s = self.began_s + FILLER_AFTER_S if self.fills_at_s is None else self.fills_at_s
        return at_s if not (self.has_filled or self.has_clause) and at_s < self.gives_up_at_s else None

    def after_tools(self, quiet: Quiet, now_s: float) -> Patience:
        """For what comes next, once tools have taken their time."""
        after_s = STILL_AFTER_S if quiet.has_spoken else FILLER_AFTER_S
        return Patience(self.first_word_s, now_s, filler=quiet.filler, fills_at_s=quiet.since_s + after_s)

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
