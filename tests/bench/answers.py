"""How well the receptionist takes answers to its own questions, over a telephone: `just bench answers`.

Synthetic voices say the sentences of answers_sentences/scored.toml through G.711. The real recogniser hears them, with
the language model of an agent that asks to confirm, cancel or reschedule, for yes or no, and for a number from 1 to 10.

    KIND.right      understood as it was meant, KIND being confirm, cancel, reschedule, yes, no or numbers; of these,
    KIND.at_once    without being read back
    wrong_at_once   of all answers, taken for another one without being read back: the ones that do harm
    read_back       of all answers, read back first, rightly or wrongly
    asked_again     of all answers, not understood
    no_more_calls   of those who do not want to be called again: taken at their word, or asked whether that is meant
    stopped_wrongly of those who said something else: never called again, without having been asked
    voice.NAME      right, by voice

`--set tuning` is for whoever changes the understanding; nothing is changed because of the scored set.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from app.brains.choices import Meant
from app.brains.do_not_call import asked_not_to_call
from app.brains.field_answers import answer_in
from app.ports import Heard
from app.settings import Agent, ResultField
from tests.bench.intent import Utterance, office_agent, recognised
from tests.bench.report import publish

SENTENCES = Path(__file__).with_name("answers_sentences")
FIELDS = (
    ResultField(
        name="appointment",
        type="choice",
        choices=("confirm", "cancel", "reschedule"),
        question="Would you like to confirm, cancel or reschedule your appointment?",
    ),
    ResultField(name="reminder", type="yes-no", question="Shall we send you a reminder?"),
    ResultField(name="satisfaction", type="number", question="How satisfied are you, from 1 to 10?"),
)
_LINE = "phone"


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence. `field`: which question it answers; None: something else, said while one was asked."""

    text: str
    field: ResultField | None
    meant: str


@dataclass(frozen=True, slots=True)
class SentenceSet:
    voices: tuple[str, ...]
    sentences: tuple[Said, ...]


def sentence_set(name: str) -> SentenceSet:
    data = tomllib.loads((SENTENCES / f"{name}.toml").read_text())
    by_name = {each.name: each for each in FIELDS}
    answers = [
        Said(text, by_name[table["to"]], meant)
        for table in data["answers"]
        for meant, texts in table.items()
        if meant != "to"
        for text in texts
    ]
    outside = [Said(text, None, meant) for meant, texts in data["outside"].items() for text in texts]
    return SentenceSet(tuple(data["voices"]), (*answers, *outside))


def asking_agent() -> Agent:
    """The example office, with questions of its own."""
    return office_agent().model_copy(update={"result_fields": FIELDS})


Outcome = tuple[str, Said, Heard]
"""By which voice, what was said, what was heard."""


async def outcomes(chosen: SentenceSet, tell: Callable[[str], None] = print) -> list[Outcome]:
    said = {each.text: each for each in chosen.sentences}
    utterances = [Utterance(voice, _LINE, text, None, False) for voice in chosen.voices for text in said]
    return [
        (utterance.voice, said[utterance.text], heard)
        async for utterance, heard in recognised(utterances, asking_agent(), tell)
    ]


def figures(found: Sequence[Outcome]) -> dict[str, Any]:
    answers = [(voice, said, answer_in(said.field, heard)) for voice, said, heard in found if said.field]
    kinds = dict.fromkeys(_kind(said) for _, said, _ in answers)
    by_kind = {kind: _of_kind([each for each in answers if _kind(each[1]) == kind]) for kind in kinds}
    voices = dict.fromkeys(voice for voice, _, _ in answers)
    outside = [(said.meant, asked_not_to_call(heard)) for _, said, heard in found if said.field is None]
    return {
        "answers": len(answers),
        **by_kind,
        "right": _share(map(_is_right, answers)),
        "wrong_at_once": _share(
            answer is not None and answer.sure and not _is_right(each) for each in answers for answer in each[2:]
        ),
        "read_back": _share(answer is not None and not answer.sure for _, _, answer in answers),
        "asked_again": _share(answer is None for _, _, answer in answers),
        "no_more_calls": _share(asked is not False for meant, asked in outside if meant == "no_more_calls"),
        "no_more_calls_at_once": _share(asked is True for meant, asked in outside if meant == "no_more_calls"),
        "stopped_wrongly": _share(asked is True for meant, asked in outside if meant != "no_more_calls"),
        "asked_wrongly": _share(asked is None for meant, asked in outside if meant != "no_more_calls"),
        "voice": {voice: _share(_is_right(each) for each in answers if each[0] == voice) for voice in voices},
    }


_Answered = tuple[str, Said, Meant | None]


def _kind(said: Said) -> str:
    return "numbers" if said.meant.isdigit() else said.meant


def _of_kind(answers: Sequence[_Answered]) -> Mapping[str, float | None]:
    at_once = [_is_right(each) and each[2] is not None and each[2].sure for each in answers]
    return {"right": _share(map(_is_right, answers)), "at_once": _share(at_once)}


def _is_right(answered: _Answered) -> bool:
    _, said, answer = answered
    return answer is not None and answer.value == said.meant


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return round(sum(counted) / len(counted), 3) if counted else None


def _mistakes(found: Sequence[Outcome]) -> Iterator[str]:
    for voice, said, heard in found:
        answer = answer_in(said.field, heard) if said.field else asked_not_to_call(heard)
        yield f"{voice:14} {said.meant:14} {said.text!r} own={heard.own!r} general={heard.general!r} {answer}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench answers", description=__doc__)
    parser.add_argument("--set", choices=("scored", "tuning"), default="scored")
    parser.add_argument("--voices", nargs="*", help="only these; the file then says so")
    parser.add_argument("--show", action="store_true", help="every utterance of the tuning set, as it was heard")
    options = parser.parse_args(arguments)
    chosen = sentence_set(options.set)
    if options.voices:
        chosen = SentenceSet(tuple(options.voices), chosen.sentences)
    found = trio.run(partial(outcomes, chosen, partial(print, flush=True)))
    if options.show and options.set == "tuning":
        print(*_mistakes(found), sep="\n")
    partial_set = options.set != "scored" or bool(options.voices)
    publish("answers", {"partial": partial_set, "set": options.set, "voices": list(chosen.voices), **figures(found)})
    return 0
