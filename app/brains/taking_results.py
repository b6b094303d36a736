"""Asking for what a call should bring, field after field.

Pure: a step takes what was asked and answered so far and what was heard, and gives what is so now and what to say.
Nothing is a result that was not heard surely, or read back and confirmed; and no answer counts to a question that the
caller did not hear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.brains import dictated, field_questions
from app.brains.answers import yes_or_no
from app.brains.choices import Meant
from app.brains.clauses import sentences
from app.brains.field_answers import answer_in, asks_something, expected, is_name, is_unwilling
from app.brains.results import is_due
from app.brains.words import words
from app.dictation import Dictated
from app.ports import Expects, Heard
from app.settings import ResultField

# How often a field is asked for. Whoever is asked a fourth time hangs up; what is optional is asked again once.
_ASKED_REQUIRED, _ASKED_OPTIONAL = 3, 2
# After so many read-backs of one answer, it is asked for anew.
_READ_BACKS = 2
# What is dictated is hard to hear, and each read-back helps: one for the answer, two for what the caller puts right.
_READ_BACKS_DICTATED = 3

_EXPECTED = {
    Dictated.DIGITS: Expects.NUMBER,
    Dictated.LETTERS: Expects.LETTERS,
    Dictated.SPELLING_WORDS: Expects.LETTERS,
}

_OFFERS_HELP = re.compile(r"\b(?:help|assist|do for) you\b", re.IGNORECASE)

NOT_UNDERSTOOD = "I am sorry, I did not understand you."
THANKS = "Thank you."
_TO_THE_END = "Please listen to the end and say yes or no."


@dataclass(frozen=True, slots=True)
class Asking:
    """`asked`: how often the open field was asked for. `unsure`: an answer to it that was read back `read_backs` times;
    `refused`: those that were wrong. `question`: what was said last to ask; `to_hear` of its words must be heard before
    an answer counts, and `heard` says whether they were. `notes`: of the last step, for whoever reads the session.
    `was_complete`: what was asked for before these fields."""

    fields: tuple[ResultField, ...]
    values: tuple[tuple[str, str], ...] = ()
    place: int = 0
    asked: int = 1
    unsure: str = ""
    refused: tuple[str, ...] = ()
    read_backs: int = 0
    question: str = ""
    to_hear: int = 0
    heard: bool = True
    notes: tuple[str, ...] = ()
    was_complete: bool = True

    @property
    def open(self) -> ResultField | None:
        """The field that is asked for; None once all were."""
        return self.fields[self.place] if self.place < len(self.fields) else None

    @property
    def expects(self) -> Expects:
        if self.open is None:
            return Expects.ANYTHING
        if self.unsure:
            return Expects.YES_NO
        return _EXPECTED.get(self.dictated) or expected(self.open)

    @property
    def dictated(self) -> Dictated:
        """What the answer to what was said last is read out as. After a first time, letters come with words."""
        kind = self._kind
        again = self.unsure or self.asked > 1
        return Dictated.SPELLING_WORDS if kind is Dictated.LETTERS and again else kind

    @property
    def spells(self) -> bool:
        """A name that was misunderstood is spelled."""
        return self.open is not None and is_name(self.open) and self.asked > 1

    @property
    def _kind(self) -> Dictated:
        if self.open is None:
            return Dictated.NOTHING
        return Dictated.LETTERS if self.spells else dictated.kind(self.open)

    @property
    def is_complete(self) -> bool:
        """Every required field that was due has a value."""
        found = dict(self.values)
        return self.was_complete and all(
            found.get(each.name) for each in self.fields if each.required and is_due(each, found.values())
        )

    def cut_off(self, said: str, whole: str) -> Asking:
        """The caller interrupted `whole`, which ends with the question, after hearing `said`."""
        missed = len(words(whole)) - len(words(said))
        return replace(self, heard=len(words(self.question)) - missed >= self.to_hear)


Step = tuple[Asking, str]


def begin(fields: Sequence[ResultField], first: str = "") -> Step:
    """The first question, after `first`."""
    return _ask(Asking(tuple(fields)), first)


def go_on(asking: Asking | None, fields: Sequence[ResultField], first: str) -> Step:
    """The first question for one of other fields that is due and has no answer yet, after `first`, which is all where
    there is none."""
    known = asking.values if asking else ()
    missing = tuple(each for each in fields if each.name not in dict(known))
    return _next(Asking(missing, known, place=-1, was_complete=asking is None or asking.is_complete), first)


def greet(fields: Sequence[ResultField], greeting: str) -> Step | None:
    """The greeting with the first question; one that ends with a question has asked it, unless the field has its own.
    None for a greeting that offers help: what the caller wants comes first."""
    *_, last = ("", *sentences(greeting))
    if last.endswith("?") and _OFFERS_HELP.search(last):
        return None
    if last.endswith("?") and not fields[0].question:
        asking = Asking((fields[0].model_copy(update={"question": last}), *fields[1:]))
        return _put(asking, last)[0], greeting
    return begin(fields, greeting)


def lead_back(asking: Asking, first: str) -> Step:
    """The open question, whole, after something else."""
    return _ask(replace(asking, notes=()), first)


def _ask(asking: Asking, first: str = "") -> Step:
    field = asking.open
    if field is None:
        return asking, first
    if asking.unsure:
        return _said_back(asking, field, first)
    return _put(asking, field_questions.question(field), first)


def step(asking: Asking, heard: Heard) -> Step | None:
    """One answer of the caller's; None if it was none."""
    field = asking.open
    if field is None:
        return None
    asking = replace(asking, notes=())
    if asking.unsure:
        return _confirmation(asking, field, heard)
    if is_unwilling(heard):
        return _next(_without(asking, field), "All right.")
    found = answer(asking, heard)
    if found is None:
        return None
    if not asking.heard and (not found.sure or field.type == "yes-no"):
        return _ask(replace(asking, heard=True, asked=asking.asked + 1)) if _may_ask(asking) else _given_up(asking)
    if found.sure and asking.heard and not (asks_something(heard) and field.type != "text"):
        return _taken(asking, field, found)
    return _read_back(replace(asking, unsure=found.value), field)


def answer(asking: Asking, heard: Heard) -> Meant | None:
    """What was answered to the open question."""
    field = asking.open
    if field is None:
        return None
    if asking.dictated is not Dictated.NOTHING:
        return dictated.value_in(field, heard, asking.refused, spelled=asking.spells)
    return answer_in(field, heard)


def not_understood(asking: Asking) -> Step:
    """Ask again, unless that was done often enough."""
    field = asking.open
    if field is None:
        return asking, ""
    asking = replace(asking, notes=())
    if not _may_ask(asking):
        return _given_up(asking)
    return _again(asking, field, NOT_UNDERSTOOD)


def results(asking: Asking | None) -> dict[str, str]:
    return dict(asking.values) if asking else {}


def _again(asking: Asking, field: ResultField, first: str) -> Step:
    """The hint alone, and the whole question where the hint did not help, or says nothing."""
    asking = replace(asking, asked=asking.asked + 1, unsure="")
    if asking.dictated is not Dictated.NOTHING:
        return _put(asking, field_questions.dictate(asking.dictated), first)
    asking = replace(asking, read_backs=0)
    hint, question = field_questions.hint(field), field_questions.question(field)
    if asking.asked > _ASKED_OPTIONAL and field.question:
        return _put(asking, f"{question} {hint}", first)
    return _put(asking, hint if field.type != "text" else question, first)


def _confirmation(asking: Asking, field: ResultField, heard: Heard) -> Step | None:
    """The answer to a read-back: yes, no, or the right value."""
    if asking.dictated is not Dictated.NOTHING:
        return _dictation_confirmed(asking, field, heard)
    yes = yes_or_no(heard)
    answer = answer_in(field, heard) if field.type != "yes-no" else None
    if answer and not answer.lone and answer.value != asking.unsure and yes is not True and field.type != "text":
        unsure = replace(asking, unsure=answer.value)
        return _taken(asking, field, answer) if answer.sure else _read_back(unsure, field)
    if yes and not asking.heard:
        return _to_the_end(asking, field)
    if yes or (answer and not answer.lone and answer.value == asking.unsure):
        return _taken(asking, field, Meant(asking.unsure, sure=True))
    if yes is False:
        return _again(asking, field, "I am sorry.") if _may_ask(asking) else _given_up(asking)
    if field.type == "text" and answer:
        return _read_back(replace(asking, unsure=answer.value), field)
    return None


def _dictation_confirmed(asking: Asking, field: ResultField, heard: Heard) -> Step | None:
    """Only one of both has been told to hear a yes, a no or what is right instead: the other makes words of letters."""
    yes = yes_or_no(Heard(heard.own, ""))
    if yes:
        return _taken(asking, field, Meant(asking.unsure, sure=True)) if asking.heard else _to_the_end(asking, field)
    refused = (*asking.refused, asking.unsure)
    if value := dictated.corrected(field, asking.unsure, heard, refused):
        return _read_back(replace(asking, unsure=value, refused=refused), field)
    if yes is None:
        return None
    return _again(replace(asking, refused=refused), field, "I am sorry.") if _may_ask(asking) else _given_up(asking)


def _to_the_end(asking: Asking, field: ResultField) -> Step:
    return _read_back(asking, field, _TO_THE_END)


def _read_back(asking: Asking, field: ResultField, first: str = "") -> Step:
    if asking.read_backs >= (_READ_BACKS if asking.dictated is Dictated.NOTHING else _READ_BACKS_DICTATED):
        return not_understood(replace(asking, unsure="", read_backs=0))
    return _said_back(replace(asking, read_backs=asking.read_backs + 1), field, first)


def _said_back(asking: Asking, field: ResultField, first: str) -> Step:
    text = field_questions.said(field, asking.unsure, asking.dictated, again=bool(asking.refused))
    return _put(asking, f"{text} Is that right?", first, to_hear=len(words(text)))


def _taken(asking: Asking, field: ResultField, answer: Meant) -> Step:
    values = (*asking.values, (field.name, answer.value))
    return _next(replace(asking, values=values), THANKS)


def _given_up(asking: Asking) -> Step:
    field = asking.open
    return _next(_without(asking, field) if field else asking, "Never mind.")


def _without(asking: Asking, field: ResultField) -> Asking:
    told = f"“{field.name}” was asked for and not found out." if field.required else ""
    return replace(asking, notes=(told,) if told else ())


def _next(asking: Asking, first: str) -> Step:
    """On to the next field that is due. After the last one, only `first` is left to say."""
    answers = dict(asking.values).values()
    due = (place for place, each in enumerate(asking.fields) if place > asking.place and is_due(each, answers))
    place = next(due, len(asking.fields))
    return _ask(replace(asking, place=place, asked=1, unsure="", refused=(), read_backs=0), first)


def _may_ask(asking: Asking) -> bool:
    field = asking.open
    return field is not None and asking.asked < (_ASKED_REQUIRED if field.required else _ASKED_OPTIONAL)


def _put(asking: Asking, question: str, first: str = "", to_hear: int | None = None) -> Step:
    """Half of a question is enough to know what is asked."""
    needed = (len(words(question)) + 1) // 2 if to_hear is None else to_hear
    return replace(asking, question=question, to_hear=needed, heard=True), f"{first} {question}".strip()
