"""Numbers as people say them on the telephone: words to digits, and digits to something a voice can read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.brains.words import words

DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7", "eighty": "8",
    "ninety": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3}
# What the recogniser writes for a digit; only believed among digits, where nobody says "to" or "for".
SOUND_LIKE_DIGITS = {
    "to": "2", "too": "2", "for": "4", "won": "1", "want": "1", "on": "1", "ate": "8", "sex": "6", "or": "0",
}  # fmt: skip


def digits_in(text: str) -> str:
    """The digits said in `text`, in order: "five five oh" is 550, "double five" 55, "twenty two" 22, "plus" is +.

    Words that are no numbers are passed over. A plus sign counts only before the first digit.
    """
    return "".join(_digits(words(text.replace("+", " plus "))))


def _digits(said: Sequence[str]) -> Iterator[str]:
    place, started = 0, False
    while place < len(said):
        used, found = _next(said, place)
        if found and not (found == "+" and started):
            started = True
            yield found
        place += used


def _next(said: Sequence[str], place: int) -> tuple[int, str]:
    """How many words to take at `place`, and the digits that they are; none for a word that is no number."""
    word = said[place]
    after = said[place + 1] if place + 1 < len(said) else ""
    if word == "plus":
        return 1, "+"
    if word in _TIMES and after in DIGITS:
        return 2, DIGITS[after] * _TIMES[word]
    if word in TENS:
        return (2, TENS[word] + DIGITS[after]) if DIGITS.get(after, "0") != "0" else (1, TENS[word] + "0")
    if word in DIGITS and after == "hundred":
        return 2, DIGITS[word] + "00"
    if word in SOUND_LIKE_DIGITS and place and _is_number(said[place - 1]) and (_is_number(after) or not after):
        return 1, SOUND_LIKE_DIGITS[word]
    return 1, word if word.isdigit() else DIGITS.get(word) or TEENS.get(word, "")


def _is_number(word: str) -> bool:
    return word.isdigit() or word in DIGITS or word in TEENS or word in TENS or word in _TIMES


def read_back(number: str) -> str:
    """`number` as a voice should read it, digit by digit in groups: 5550142 gives "5 5 5, 0 1 4 2"."""
    plus, digits = ("plus ", number[1:]) if number.startswith("+") else ("", number)
    return plus + ", ".join(" ".join(group) for group in _groups(digits))


def _groups(digits: str) -> Iterator[str]:
    """Groups of three; the last has two to four, so that no digit stands alone."""
    while len(digits) > 4:
        yield digits[:3]
        digits = digits[3:]
    if digits:
        yield digits
