"""How words sound: the recogniser's own dictionary, and a fallback for the names it lacks.

Phonemes are those of the dictionary that pocketsphinx ships (ARPAbet without stress, 39 of them).
"""

from __future__ import annotations

import functools
import mmap
from pathlib import Path

from models.stt.letter_to_sound import letter_to_sound

Phonemes = tuple[str, ...]


class Dictionary:
    """A pronouncing dictionary in CMU's format, searched in place: nothing of its 3 MB is parsed or copied.

    The file's lines are `word PH PH …` and `word(2) PH …` for further ways to say it, sorted by the bytes of `word`.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __contains__(self, word: str) -> bool:
        return bool(self.ways_to_say(word))

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - one dictionary lives as long as the process; 4096 words is about 1 MB
    def ways_to_say(self, word: str) -> tuple[Phonemes, ...]:
        """All pronunciations of `word` (lower case) that the dictionary knows, the usual one first."""
        wanted = word.encode()
        found: list[Phonemes] = []
        at = self._first_line_from(wanted)
        while at < len(self._map):
            end = self._line_end(at)
            headword, *phonemes = self._map[at:end].split()
            if _base(headword) != wanted:
                break
            found.append(tuple(phoneme.decode() for phoneme in phonemes))
            at = end + 1
        return tuple(found)

    def pronounce(self, word: str) -> Phonemes:
        """The usual pronunciation of `word`, guessed from its letters where the dictionary lacks it."""
        known = self.ways_to_say(word)
        return known[0] if known else letter_to_sound(word)

    def _first_line_from(self, wanted: bytes) -> int:
        low, high = 0, len(self._map)
        while low < high:
            middle = (low + high) // 2
            start = self._map.rfind(b"\n", 0, middle) + 1
            end = self._line_end(start)
            if _base(self._map[start:end].split(b" ", 1)[0]) < wanted:
                low = end + 1
            else:
                high = start
        return low

    def _line_end(self, at: int) -> int:
        end = self._map.find(b"\n", at)
        return end if end >= 0 else len(self._map)


def _base(headword: bytes) -> bytes:
    return headword.split(b"(", 1)[0]
