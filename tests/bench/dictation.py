"""How often spelled names and numbers of ten digits are noted right in the end: a part of `just bench speech`.

Synthetic voices dictate through G.711. The real recogniser hears them, in a call of its own for each, and the real
decider of result fields asks, reads back and understands corrections. The caller is a script: it says yes to what is
right. To what is wrong it says which digit or letter is another one, where it is one; else the number again, or "no",
and spells as it is asked to. The third read-back that is wrong ends it.

    accuracy        of all, noted as they were meant; accuracy_names, accuracy_numbers: of these
    at_once         of all, right in the first read-back
    wrong           of all, noted wrong: the caller's no was taken for a yes
    corrections     of all, how often the caller had to put something right, on average
    accuracy_by_voice

Not in it: pauses. An utterance is handed over whole; whether callers are cut off is for the turn-taking benches.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from app.brains import taking_results
from app.brains.alphabet import ALPHABET
from app.brains.phrases import awaited, likely_phrases, names
from app.brains.taking_results import Asking
from app.dictation import Dictated
from app.ports import Ears, Heard, Hearing
from app.settings import ResultField
from models.stt import dictation, language_model
from models.stt.pool import recogniser_pool
from tests.bench.intent import office_agent
from tests.bench.telephone import through_g711
from tests.office.voices import SPEAKERS, samples, say

SENTENCES = Path(__file__).with_name("dictation_sentences")
NAME = ResultField(name="last name", question="Please spell your last name.", required=True)
NUMBER = ResultField(
    name="telephone number", type="number", question="What is your telephone number, all ten digits?", required=True
)
_RECOGNISERS = 2  # as many as the machine of the measurements has cores
_CORRECTIONS = 2
_CHUNK_BYTES = 3200  # 100 ms
_FIGURES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_YES, _NO = ("Yes.", "Yes, that is right.", "Correct."), ("No.", "No, that is wrong.")
_WORDS = dict(ALPHABET)


@dataclass(frozen=True, slots=True)
class Task:
    """One caller with one thing to dictate. `habit` decides how this one says it."""

    voice: str
    field: ResultField
    meant: str
    habit: int


@dataclass(frozen=True, slots=True)
class Outcome:
    task: Task
    noted: str
    corrections: int
    told: tuple[str, ...]


def tasks(name: str, quick: int = 1) -> list[Task]:
    """Of the scored or the tuning set; `quick`: every n-th only."""
    data = tomllib.loads((SENTENCES / f"{name}.toml").read_text())
    return [
        Task(voice, field, meant, place)
        for voice in data["voices"]
        for field, texts in ((NAME, data["names"]), (NUMBER, data["numbers"]))
        for place, meant in enumerate(texts)
    ][::quick]


async def measure(tell: Callable[[str], None] = print, *, quick: int = 1, chosen: str = "scored") -> dict[str, Any]:
    found = await outcomes(tasks(chosen, quick), tell)
    return {"set": chosen, **figures(found)}


async def outcomes(todo: Sequence[Task], tell: Callable[[str], None]) -> list[Outcome]:
    agent = office_agent().model_copy(update={"result_fields": (NAME, NUMBER)})
    own = language_model.build(
        likely_phrases(agent), names=names(agent), vocabulary=agent.vocabulary, answers=awaited(agent)
    )
    found: list[Outcome] = []
    left = iter(todo)

    async def caller(ears: Ears) -> None:
        for task in left:
            found.append(await talk(ears, task))
            if len(found) % 10 == 0:
                tell(f"[dictation] {len(found)} of {len(todo)}")

    async with (
        recogniser_pool(dictation.added_to(own, dictation.build(ALPHABET)), _RECOGNISERS, narrow_band=True) as pool,
        trio.open_nursery() as nursery,
    ):
        for _ in range(_RECOGNISERS):
            nursery.start_soon(caller, pool)
    return found


async def talk(ears: Ears, task: Task) -> Outcome:
    asking, _ = taking_results.begin((task.field,))
    corrections, told = 0, []
    async with ears.open(narrow_band=True) as hearing:
        while asking.open is not None:
            is_wrong = bool(asking.unsure) and asking.unsure != task.meant
            if is_wrong and corrections == _CORRECTIONS:
                break
            corrections += is_wrong
            text = says(task, asking)
            heard = await _heard(hearing, task.voice, text, asking.dictated)
            told.append(f"{text!r} {heard.own!r} {heard.general!r} after {asking.unsure!r}")
            asking, _ = taking_results.step(asking, heard) or taking_results.not_understood(asking)
    return Outcome(task, dict(asking.values).get(task.field.name, ""), corrections, tuple(told))


async def _heard(hearing: Hearing, voice: str, text: str, expected: Dictated) -> Heard:
    pcm = through_g711(samples(await say(SPEAKERS[voice], text))).tobytes()
    await hearing.begin(expected.value)
    for start in range(0, len(pcm), _CHUNK_BYTES):
        await hearing.feed(pcm[start : start + _CHUNK_BYTES])
    found = await hearing.finish()
    return Heard(found.own, found.general, found.decode_ms, found.off_topic, found.others)


# -- the caller ------------------------------------------------------------------------------------------------


def says(task: Task, asking: Asking) -> str:
    """What the caller says to what was asked or read back last."""
    if asking.unsure == task.meant:
        return _YES[task.habit % len(_YES)]
    is_name = task.field is NAME
    if not asking.unsure:
        return _spelled(task, asking) if is_name else _digits(task)
    wrong = [place for place, pair in enumerate(zip(asking.unsure, task.meant, strict=False)) if pair[0] != pair[1]]
    if len(asking.unsure) == len(task.meant) and len(wrong) == 1:
        return _put_right(task, wrong[0])
    return _NO[task.habit % len(_NO)] if is_name else f"No, it is {_digits(task)}"


def _put_right(task: Task, place: int) -> str:
    right = task.meant[place].casefold()
    if task.field is NUMBER:
        return f"No, the {_ORDINALS[place]} digit is {_FIGURES[int(right)]}."
    letter = _with_word(right, _WORDS[right][0])
    return f"No, {letter}." if task.habit % 2 else f"No, the {_ORDINALS[place]} letter is {letter}."


def _spelled(task: Task, asking: Asking) -> str:
    """Letter by letter; in words once that was asked for: those of pilots, or whichever come to mind."""
    letters = task.meant.casefold()
    if asking.dictated is not Dictated.SPELLING_WORDS:
        return f"{', '.join(letters.upper())}."
    if task.habit % 2:
        return f"{', '.join(_WORDS[letter][0].capitalize() for letter in letters)}."
    chosen = ((letter, _WORDS[letter][(task.habit + at) % len(_WORDS[letter])]) for at, letter in enumerate(letters))
    return f"{', '.join(_with_word(letter, word) for letter, word in chosen)}."


def _with_word(letter: str, word: str) -> str:
    # Engines read "A as" as an article, which no caller says.
    return f"{letter.upper()}{',' if letter == 'a' else ''} as in {word.capitalize()}"


def _digits(task: Task) -> str:
    named = [_FIGURES[int(digit)] if digit != "0" or task.habit % 2 else "oh" for digit in task.meant]
    return f"{' '.join(named[:3])}, {' '.join(named[3:6])}, {' '.join(named[6:])}."


# -- the figures -----------------------------------------------------------------------------------------------


def figures(found: Sequence[Outcome]) -> dict[str, Any]:
    voices = dict.fromkeys(each.task.voice for each in found)
    return {
        "dictated": len(found),
        "accuracy": _share(map(_is_right, found)),
        "accuracy_names": _share(_is_right(each) for each in found if each.task.field is NAME),
        "accuracy_numbers": _share(_is_right(each) for each in found if each.task.field is NUMBER),
        "at_once": _share(_is_right(each) and not each.corrections for each in found),
        "at_once_names": _share(_is_right(each) and not each.corrections for each in found if each.task.field is NAME),
        "wrong": _share(bool(each.noted) and not _is_right(each) for each in found),
        "corrections": round(sum(each.corrections for each in found) / len(found), 2),
        "accuracy_by_voice": {
            voice: _share(_is_right(each) for each in found if each.task.voice == voice) for voice in voices
        },
    }


def mistakes(found: Iterable[Outcome]) -> Iterator[str]:
    """What went wrong, for whoever tunes; of the tuning set only."""
    for each in found:
        if not _is_right(each):
            yield "\n    ".join((f"{each.task.voice} {each.task.meant} noted {each.noted!r}", *each.told))


def _is_right(outcome: Outcome) -> bool:
    return outcome.noted == outcome.task.meant


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return round(sum(counted) / len(counted), 3) if counted else None


def main(arguments: list[str]) -> int:
    """`just bench dictation [N]`: the tuning set, every n-th, with what went wrong in it."""
    quick = int(arguments[0]) if arguments else 1
    found = trio.run(partial(outcomes, tasks("tuning", quick), partial(print, flush=True)))
    print(*mistakes(found), figures(found), sep="\n")
    return 0
