"""What of the agent's words the caller really heard: pure bookkeeping from the mouth's played milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field

# The pace of English speech, for a clause whose length is not known yet: 15 characters a second.
CHARACTER_MS = 65


@dataclass(slots=True)
class Clause:
    """One clause on its way out. `from_ms` and `audio_ms` are on the mouth's played-audio scale."""

    text: str
    from_ms: int
    audio_ms: int = 0  # made so far
    complete: bool = False  # all of it is made

    def heard(self, played_ms: int) -> str:
        """The words that had gone out by `played_ms`, cut at a word's end, never in the middle of one.

        Assumes an even pace within the clause; a word counts once nine tenths of it were audible.
        """
        if played_ms <= self.from_ms:
            return ""
        if self.complete and played_ms >= self.from_ms + self.audio_ms:
            return self.text
        whole_ms = self.audio_ms if self.complete else max(self.audio_ms, len(self.text) * CHARACTER_MS)
        characters = round(len(self.text) * (played_ms - self.from_ms) / whole_ms)
        words, used = [], 0
        for word in self.text.split(" "):
            if used + 0.9 * len(word) > characters:
                break
            words.append(word)
            used += len(word) + 1
        return " ".join(words)


@dataclass(slots=True)
class Speech:
    """All clauses of one reply."""

    start_ms: int | None = None  # on the call's audio clock; None until the first audio
    clauses: list[Clause] = field(default_factory=list)

    def add(self, text: str, *, from_ms: int) -> Clause:
        clause = Clause(text, from_ms)
        self.clauses.append(clause)
        return clause

    def heard(self, played_ms: int) -> str:
        return " ".join(filter(None, (clause.heard(played_ms) for clause in self.clauses)))

    def over_at(self, played_ms: int) -> bool:
        """Whether every clause had gone out to its end by `played_ms`."""
        return all(clause.complete and played_ms >= clause.from_ms + clause.audio_ms for clause in self.clauses)
