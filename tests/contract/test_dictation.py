"""What is read out is heard as that, by the real recogniser: a voice over a telephone line."""

from __future__ import annotations

import pytest

from app.brains.alphabet import ALPHABET
from app.brains.spelling import characters_in
from models.stt import Hearing, dictation, english
from models.stt.language_model import build
from models.stt.pool import recogniser_pool
from models.stt.pronunciation import Dictionary
from tests.bench.telephone import through_g711
from tests.office.voices import SPEAKERS, samples, say

pytestmark = pytest.mark.contract

QUESTION = "where can i park my car"
MODEL = dictation.added_to(build([QUESTION]), dictation.build(ALPHABET))


async def hears(hearing: Hearing, text: str, expected: str = "") -> tuple[str, tuple[str, ...]]:
    await hearing.begin(expected)
    await hearing.feed(through_g711(samples(await say(SPEAKERS["rms"], text))).tobytes())
    heard = await hearing.finish()
    return heard.own, heard.others


async def test_each_utterance_is_heard_as_what_is_expected() -> None:
    async with recogniser_pool(MODEL, 1, narrow_band=True) as pool, pool.open(narrow_band=True) as hearing:
        assert (await hears(hearing, f"{QUESTION}?"))[0] == QUESTION
        own, others = await hears(hearing, "five seven one, two nine three.", dictation.DIGITS)
        assert own == others[0] == "five seven one two nine three"
        own, _ = await hears(hearing, "Bravo, Echo, November.", dictation.SPELLING_WORDS)
        assert characters_in(own) == "ben"
        own, _ = await hears(hearing, "No, the third letter is B as in Bravo.", dictation.SPELLING_WORDS)
        assert own == "no the third letter is b as in bravo"
        assert (await hears(hearing, "Yes.", dictation.SPELLING_WORDS))[0] == "yes"
        assert await hears(hearing, f"{QUESTION}?") == (QUESTION, ())
        assert await hears(hearing, f"{QUESTION}?", "what nobody knows") == (QUESTION, ())


async def test_names_that_the_dictionary_has_come_first() -> None:
    async with recogniser_pool(MODEL, 1, narrow_band=True) as pool, pool.open(narrow_band=True) as hearing:
        _, others = await hears(hearing, "M, A, R, T, I, N.", dictation.LETTERS)
        assert others[0].replace(" ", "") in Dictionary(english.DICTIONARY)
        assert len(others) == len(set(others)) > 1
