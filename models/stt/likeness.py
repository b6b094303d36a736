"""How alike two texts sound.

A recogniser that is wrong is wrong by sound: "flight of hours" is what it made of "opening hours". Comparing phonemes
instead of letters forgives that. Measured over G.711 with the agent's own language model, the right one of 23 requests
was nearest in 0.79 of all cases by phonemes, in 0.78 by letters.
"""

from __future__ import annotations

import functools

from rapidfuzz.distance import Indel

from models.stt import english
from models.stt.pronunciation import Dictionary
from models.stt.words import spoken


class Likeness:
    """Compares texts by their phonemes, of which word boundaries are no part.

    The result is 1 - d / (m + n), where d is the number of phonemes to insert or delete to make one from the other
    (an exchange counts as both), and m and n are the lengths.
    """

    def __init__(self, dictionary: Dictionary | None = None) -> None:
        self._dictionary = dictionary or Dictionary(english.DICTIONARY)
        # An agent has a few hundred phrases to compare with, and each of them comes again with every utterance.
        self._phonemes = functools.lru_cache(maxsize=4096)(self._phonemes_of)

    def alike(self, heard: str, meant: str) -> float:
        """0 (nothing in common) to 1 (the same sounds). A text without words is like nothing."""
        one, other = self._phonemes(heard), self._phonemes(meant)
        if not one or not other:
            return 0.0
        return Indel.normalized_similarity(one, other)

    def _phonemes_of(self, text: str) -> tuple[str, ...]:
        return tuple(phoneme for word in spoken(text) for phoneme in self._dictionary.pronounce(word))
