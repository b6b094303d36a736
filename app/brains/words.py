"""Text as comparable words: lower case, no punctuation, endings cut, so that "Prices?" and "price" are one word."""

from __future__ import annotations

import functools
import re

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_IS = re.compile(r"\b(it|that|what|here|there|who|where|name|how)'s\b")
_CONTRACTED = {
    "'m": " am", "'re": " are", "'ve": " have", "'ll": " will", "'d": " would", "can't": "can not",
    "won't": "will not", "n't": " not",
}  # fmt: skip

# Words that say how something is asked and hardly what: a sentence full of them has told nothing yet.
FUNCTION_WORDS = frozenset(
    """a an and any anything are as at be been but by can could did do does for from get give go going good got had
    has have he hello her here hi him his i if in is it its just know let like may me might more my need no not now of
    off ok okay on one or our out please say see she should so some something sorry take tell than thank thanks that
    the their them then there these they thing think this those to too um uh up us very want was we well were
    what when where which who why will with would yes you your am ask also about all right really maybe much many how
    come call long way put new make made been being only today""".split()
)


@functools.lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words of `text` in their order: lower case, contractions written out, no punctuation."""
    plain = _IS.sub(r"\1 is", text.casefold().replace("’", "'"))
    for short, long in _CONTRACTED.items():
        plain = plain.replace(short, long)
    return tuple(word.removesuffix("'s").replace("'", "") for word in _WORD.findall(plain))


@functools.lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """`word` without its commonest English endings. Not linguistics: it only has to map alike forms to one."""
    if len(word) <= 3:
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and not word.endswith(("ss", "us", "is")) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + instead
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


def stems(text: str) -> tuple[str, ...]:
    """The stems of all words of `text`, function words too."""
    return tuple(stem(word) for word in words(text))
