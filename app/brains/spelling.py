"""Letters, digits and signs that somebody reads out, as the text that they mean; and how people put one right. Pure.

"s m i double t, h as in hotel" is smitth, "j dot lee at g mail dot com" an address, "no, the third digit is five" and
"no, B as in Bravo" change what was read back to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from app.brains.alphabet import ALPHABET
from app.brains.numbers import DIGITS
from app.brains.words import words

_LETTER_OF: Final = {word: letter for letter, stand_for in ALPHABET for word in stand_for}
_FIRST_WORDS: Final = {stand_for[0]: letter for letter, stand_for in ALPHABET} | {"alpha": "a", "juliett": "j"}
_WORD_OF: Final = {letter: stand_for[0].capitalize() for letter, stand_for in ALPHABET}
_SIGNS: Final = {
    "at": "@", "dot": ".", "period": ".", "point": ".", "dash": "-", "hyphen": "-", "minus": "-", "underscore": "_",
    "apostrophe": "'",
}  # fmt: skip
_SIGN_NAMES: Final = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "'": "apostrophe"}
_TIMES: Final = {"double": 2, "triple": 3}
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_OPENINGS: Final = re.compile(
    r"^(?:(?:no|yes|um|uh|well|sorry|it is|that is|the name is|the number is|my name is|my number is|i said) )*"
)
_CORRECTION: Final = re.compile(rf"\b({'|'.join(_ORDINALS)}|last) (?:letter|digit|number|one) (?:is|was)? ?(.+)$")
_ADDRESS: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*@[a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z]{2,}")
# Over a telephone, each is taken for the others in its group.
_ALIKE: Final = ("bcdegptvz3", "mn", "sfx", "ajkh8", "iy", "quw2", "lo", "ra", "59")


def characters_in(text: str) -> str:
    """What is spelled in `text`, in lower case; words that stand for nothing are passed over."""
    plain = _OPENINGS.sub("", _plain(text))
    return "".join(_characters(plain.split()))


def address_in(text: str) -> str:
    """The e-mail address in `text`, spelled or said word by word; nothing where there is none."""
    said = _OPENINGS.sub("", _plain(text)).replace("my mail address is ", "").replace("my e mail address is ", "")
    found = _ADDRESS.fullmatch("".join(_characters(said.split(), whole=True)))
    return found[0] if found else ""


def as_name(characters: str) -> str:
    """Spelled characters as names are written: anna-lena gives Anna-Lena."""
    return re.sub(r"[a-z]+", lambda part: part[0].capitalize(), characters.casefold())


def spelled_out(value: str, *, in_words: bool = False) -> str:
    """For a voice to read back, character by character."""
    return ", ".join(_read(each, in_words=in_words) for each in value.casefold())


def corrected(value: str, text: str) -> str | None:
    """`value` as `text` puts it right: one character, by its place or because just one is like it, or all of it anew.
    None where `text` does not."""
    plain = _plain(text)
    if found := _CORRECTION.search(plain):
        return _with(value, _place(found[1], value), characters_in(found[2]))
    new = characters_in(plain)
    if len(new) == 1:
        alike = [place for place, old in enumerate(value.casefold()) if old != new and _are_alike(old, new)]
        return _with(value, alike[0], new) if len(alike) == 1 else None
    return new if 2 * len(new) > len(value) else None


def _plain(text: str) -> str:
    return " ".join(words(text.replace("x-ray", "xray").replace("x ray", "xray"))).replace("xray", "x-ray")


def _characters(said: Sequence[str], *, whole: bool = False) -> Iterator[str]:
    place = 0
    while place < len(said):
        used, found = _next(said[place:])
        if not found and whole and said[place].isalnum():
            found = said[place]
        yield found
        place += used


def _next(said: Sequence[str]) -> tuple[int, str]:
    """How many words are one character, or several alike, and which."""
    word, rest = said[0], said[1:]
    if word in _TIMES and rest:
        used, found = _next(rest)
        return used + 1, found * _TIMES[word] if len(found) == 1 else found
    if word.isdigit():
        return 1, word
    if standing := _standing_for(said):
        return standing  # the letter before the word was not heard
    if word in _FIRST_WORDS and (standing := _standing_for(rest)):
        return standing[0] + 1, standing[1]  # or for another word
    letter = word if len(word) == 1 and word.isalnum() else _FIRST_WORDS.get(word, "")
    if len(word) == 1 and (standing := _standing_for(rest)):
        used, by_word = standing
        return used + 1, by_word or word
    if letter:
        return 1, letter
    if word in ("g", "i", "hot") and rest[:1] == ["mail"]:
        return 2, f"{word}mail"
    return 1, _SIGNS.get(word) or (DIGITS.get(word, "") if word != "o" else "o")


def _standing_for(rest: Sequence[str]) -> tuple[int, str] | None:
    """The words of "as in bravo", and the letter that the last of them stands for where it is known."""
    for connector in (("as", "in"), ("for",), ("like",)):
        end = len(connector)
        if tuple(rest[:end]) == connector and len(rest) > end and len(rest[end]) > 1:
            return end + 1, _LETTER_OF.get(rest[end], "")
    return None


def _place(ordinal: str, value: str) -> int:
    return len(value) - 1 if ordinal == "last" else _ORDINALS.index(ordinal)


def _with(value: str, place: int, new: str) -> str | None:
    return value[:place] + new + value[place + 1 :] if len(new) == 1 and place < len(value) else None


def _are_alike(one: str, other: str) -> bool:
    return any(one in group and other in group for group in _ALIKE)


def _read(character: str, *, in_words: bool) -> str:
    name = _SIGN_NAMES.get(character, character.upper())
    return f"{name} as in {_WORD_OF[character]}" if in_words and character in _WORD_OF else name
