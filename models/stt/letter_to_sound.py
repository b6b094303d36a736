"""Sounds guessed from letters, for names that no dictionary has.

A table of letter groups, longest first, with what must stand before or after them. It is no match for a dictionary:
it is there so that "Kowalczyk" can be recognised at all.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VOWELS = "aeiouy"


class _Rule(NamedTuple):
    letters: str
    phonemes: str
    before: str = ""  # regular expression for what stands left of the group, at its end
    after: str = ""  # and right of it, at its beginning


# Order matters within a group of the same length: the first rule that fits is taken.
_RULES = tuple(
    _Rule(*row)
    for row in (
        ("tsch", "CH"), ("ough", "AO"), ("augh", "AO"), ("eigh", "EY"), ("tion", "SH AH N"), ("sion", "ZH AH N"),
        ("sch", "SH"), ("tch", "CH"), ("dge", "JH"), ("igh", "AY"), ("cze", "CH EH"), ("eau", "OW"), ("ssi", "S IY"),
        ("chr", "K R"), ("ing", "IH NG", "", "$"), ("all", "AO L", "", "$"), ("ski", "S K IY", "", "$"),
        ("sky", "S K IY", "", "$"), ("own", "AW N", "", "$"), ("ian", "IY AH N", "", "$"), ("ier", "IY ER", "", "$"),
        ("wr", "R", "^"), ("kn", "N", "^"), ("gn", "N", "^"), ("ps", "S", "^"), ("pf", "F", "^"), ("rh", "R", "^"),
        ("wh", "W"), ("sh", "SH"), ("ch", "CH"), ("th", "TH"), ("ph", "F"), ("gh", "G", "^"), ("gh", ""),
        ("ck", "K"), ("qu", "K W"), ("ng", "NG", "", "$"), ("nk", "NG K"), ("cz", "CH"), ("sz", "SH"), ("zh", "ZH"),
        ("rz", "ZH"), ("dz", "D Z"), ("ts", "T S"), ("tz", "T S"), ("xi", "SH IY", "^"), ("mb", "M", "", "$"),
        ("ci", "SH", "", "[ao]"), ("ce", "S", "", "$"), ("ge", "JH", "", "$"), ("se", "Z", f"[{_VOWELS}]", "$"),
        ("le", "AH L", f"[^{_VOWELS}]", "$"), ("re", "ER", f"[^{_VOWELS}]", "$"), ("es", "IH Z", "[szx]|ch|sh", "$"),
        ("ed", "D", "[^td]", "$"),
        ("er", "ER", "", f"$|[^{_VOWELS}]"), ("ir", "ER", "", f"$|[^{_VOWELS}]"), ("ur", "ER", "", f"$|[^{_VOWELS}]"),
        ("or", "ER", ".[^aeiou]", "$"), ("or", "AO R"), ("ar", "AA R"), ("yr", "IH R"),
        ("ee", "IY"), ("ea", "IY"), ("ai", "EY"), ("ay", "EY"), ("ei", "AY"), ("ey", "IY", "", "$"), ("ey", "EY"),
        ("ie", "IY"), ("oo", "UW"), ("ou", "AW"), ("ow", "OW"), ("oa", "OW"), ("oi", "OY"), ("oy", "OY"),
        ("oe", "OW"), ("au", "AO"), ("aw", "AO"), ("eu", "OY"), ("ew", "Y UW"), ("ue", "UW"), ("ui", "UW IY"),
        ("aa", "AA"), ("ah", "AA"), ("eh", "EH"), ("oh", "OW"), ("uh", "UW"), ("ae", "EY"), ("ij", "AY"),
        ("ia", "IY AH"), ("io", "IY OW"), ("iu", "IY UW"),
        ("a", "AH", "..", "$"), ("a", "EY", "", f"[^{_VOWELS}wr]e$"), ("a", "AA", "", f"[^{_VOWELS}][aio]"),
        ("a", "AE"),
        ("b", "B"),
        ("c", "S", "", "[eiy]"), ("c", "K"),
        ("d", "D"),
        ("e", "", f"[{_VOWELS}].*", "$"), ("e", "IY", "", "$"), ("e", "IY", "^.?", f"[^{_VOWELS}]e$"),
        ("e", "AH", f"[{_VOWELS}].*", "[nl]$"), ("e", "EH"),
        ("f", "F"),
        ("g", "JH", "", "[iy]"), ("g", "G"),
        ("h", "HH", "", f"[{_VOWELS}]"), ("h", ""),
        ("i", "AY", "", f"[^{_VOWELS}]e$"), ("i", "IY", "", "$"), ("i", "IY", "", f"[^{_VOWELS}][ao]$"), ("i", "IH"),
        ("j", "JH"), ("k", "K"), ("l", "L"), ("m", "M"), ("n", "N"),
        ("o", "OW", "", "$"), ("o", "OW", "", f"[^{_VOWELS}][aeio]"), ("o", "AA"),
        ("p", "P"), ("q", "K"), ("r", "R"),
        ("s", "Z", f"[{_VOWELS}bdglmnrvw]", "$"), ("s", "S"),
        ("t", "T"),
        ("u", "UW", "", f"[^{_VOWELS}]e$"), ("u", "UW", "", "$"), ("u", "UW", "", f"[^{_VOWELS}][aio]"), ("u", "AH"),
        ("v", "V"), ("w", "W"),
        ("x", "Z", "^"), ("x", "K S"),
        ("y", "Y", "^"), ("y", "Y", "", f"[{_VOWELS}]"), ("y", "IY", "", "$"), ("y", "IH"),
        ("z", "Z"),
    )
)  # fmt: skip
_LONGEST_FIRST = sorted(_RULES, key=lambda rule: -len(rule.letters))


def letter_to_sound(word: str) -> tuple[str, ...]:
    """Phonemes for a word in lower case; letters outside a-z are silent."""
    letters = re.sub(r"([^aeiou])\1", r"\1", re.sub(r"[^a-z]", "", word))
    phonemes: list[str] = []
    at = 0
    while at < len(letters):
        rule = _fitting(letters, at)
        phonemes.extend(rule.phonemes.split())
        at += len(rule.letters)
    return tuple(phonemes)


def _fitting(letters: str, at: int) -> _Rule:
    for rule in _LONGEST_FIRST:
        end = at + len(rule.letters)
        if (
            letters.startswith(rule.letters, at)
            and re.search(f"(?:{rule.before})$", letters[:at])
            and re.match(f"(?:{rule.after})", letters[end:])
        ):
            return rule
    raise AssertionError(f"no rule for letter {letters[at]!r}")  # the table has every letter: the rules' own test
