"""Taking a message: name, number, both read back until they are right, then the message itself.

Pure: a step takes what is noted so far and what was heard, and gives what is noted now and what to say. Nothing counts
as confirmed that the caller did not hear to its end and say yes to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from app.brains.answers import name_in, yes_or_no
from app.brains.numbers import digits_in, read_back
from app.brains.words import words
from app.ports import Expects, Heard

# After this many attempts at one thing the agent goes on with what it has: the recording keeps the rest.
_ATTEMPTS = 2
# Shorter "numbers" are misheard, or no number: the shortest that anybody is called back on is an extension.
_FEWEST_DIGITS = 3


class Stage(Enum):
    NAME = Expects.NAME
    NUMBER = Expects.NUMBER
    READ_BACK = Expects.YES_NO
    WHICH_IS_WRONG = Expects.ANYTHING
    MESSAGE = Expects.MESSAGE
    TAKEN = None


@dataclass(frozen=True, slots=True)
class Note:
    """What is noted so far. `read_back` is the last one's text, `heard_whole` whether it was not cut off."""

    stage: Stage
    person: str = ""
    name: str = ""
    number: str = ""
    message: str = ""
    confirmed: bool = False
    attempts: int = 0
    read_backs: int = 0
    read_back: str = ""
    heard_whole: bool = True

    def results(self) -> dict[str, str]:
        """What the call brought so far; `message_unconfirmed` names what the caller has not said yes to."""
        noted = {"message_for": self.person, "message_name": self.name, "message_number": self.number,
                 "message": self.message}  # fmt: skip
        found = {key: value for key, value in noted.items() if value}
        open_ = [key for key in ("message_name", "message_number") if key in found and not self.confirmed]
        return {**found, "message_unconfirmed": ", ".join(open_)} if open_ else found

    def cut_off(self, said: str) -> Note:
        """The caller interrupted what was said last, after hearing `said`."""
        if self.stage is not Stage.READ_BACK:
            return self
        return replace(self, heard_whole=f" {' '.join(words(self.read_back))} " in f" {' '.join(words(said))} ")


Step = tuple[Note, str]


def begin(person: str = "") -> Step:
    """Start taking a message, for `person` where the caller wanted somebody."""
    whom = f"a message for {person}" if person else "a message"
    return Note(Stage.NAME, person=person), f"I will take {whom}. What is your name, please?"


def step(note: Note, heard: Heard) -> Step:
    """One answer of the caller's."""
    match note.stage:
        case Stage.NAME:
            return _name(note, heard)
        case Stage.NUMBER:
            return _number(note, heard)
        case Stage.READ_BACK:
            return _confirmation(note, heard)
        case Stage.WHICH_IS_WRONG:
            return _correction(note, heard)
        case Stage.MESSAGE:
            return _message(note, heard)
        case Stage.TAKEN:
            raise ValueError("the message is taken: nothing is left to ask")


def _name(note: Note, heard: Heard) -> Step:
    name = _name_heard(heard)
    if not name and note.attempts + 1 < _ATTEMPTS:
        return replace(note, attempts=note.attempts + 1), "I did not get your name. Please say it once more."
    note = replace(note, name=name, attempts=0)
    return _read_back(note) if note.number else _ask_number(note)


def _ask_number(note: Note) -> Step:
    return replace(note, stage=Stage.NUMBER, attempts=0), "Thank you. And your telephone number, digit by digit?"


def _number(note: Note, heard: Heard) -> Step:
    number = digits_heard(heard)
    if len(number) < _FEWEST_DIGITS:
        if note.attempts + 1 < _ATTEMPTS:
            return replace(note, attempts=note.attempts + 1), "I did not get the number. Please say it digit by digit."
        number = ""
    return _read_back(replace(note, number=number, attempts=0))


def _read_back(note: Note) -> Step:
    noted = [part for part in (note.name, read_back(note.number)) if part]
    if not noted:
        return _ask_message(note)
    text = ". ".join(noted)
    again = replace(note, stage=Stage.READ_BACK, read_back=text, heard_whole=True, read_backs=note.read_backs + 1)
    return again, f"{text}. Is that right?"


def _confirmation(note: Note, heard: Heard) -> Step:
    corrected = _corrected(note, heard)
    answer = yes_or_no(heard)
    if corrected is not None and answer is not True:
        return _again(corrected)
    if answer is None or (answer and not note.heard_whole):
        return _again(note, "Please listen to the end and say yes or no. ")
    if answer:
        return _ask_message(replace(note, confirmed=True))
    if note.read_backs > _ATTEMPTS:
        return _ask_message(note)
    which = "Which is wrong, the name or the number?" if note.name and note.number else "Please say it once more."
    stage = Stage.WHICH_IS_WRONG if note.name and note.number else Stage.NUMBER if note.number else Stage.NAME
    return replace(note, stage=stage, attempts=0), f"I am sorry. {which}"


def _again(note: Note, first: str = "") -> Step:
    """Read back once more, unless that has been tried often enough."""
    if note.read_backs > _ATTEMPTS:
        return _ask_message(note)
    note, text = _read_back(note)
    return note, first + text


def _correction(note: Note, heard: Heard) -> Step:
    corrected = _corrected(note, heard)
    if corrected is not None:
        return _read_back(corrected)
    said = {*words(heard.own), *words(heard.general)}
    if "name" in said and "number" not in said:
        return replace(note, stage=Stage.NAME, attempts=0), "Please say your name once more."
    return replace(note, stage=Stage.NUMBER, attempts=0), "Please say your number once more, digit by digit."


def _corrected(note: Note, heard: Heard) -> Note | None:
    """The note with what the caller put right in passing: "no, five five six", "my name is Miller"."""
    number = digits_heard(heard)
    if len(number) >= _FEWEST_DIGITS and number != note.number:
        return replace(note, number=number)
    if "name is" in heard.general:
        return replace(note, name=name_in(heard.general.partition("name is")[2]))
    return None


def _ask_message(note: Note) -> Step:
    whom = note.person or "my colleagues"
    return replace(note, stage=Stage.MESSAGE, attempts=0), f"Thank you. What may I tell {whom}?"


def _message(note: Note, heard: Heard) -> Step:
    if not heard.general and note.attempts + 1 < _ATTEMPTS:
        return replace(note, attempts=note.attempts + 1), "I did not hear a message. Please say it now."
    whom = f" for {note.person}" if note.person else ""
    done = replace(note, stage=Stage.TAKEN, message=heard.general)
    return done, f"Thank you. I have noted your message{whom}."


def digits_heard(heard: Heard) -> str:
    """The number in what was heard: from the agent's own language model, which knows digits, unless it found none."""
    own, general = digits_in(heard.own), digits_in(heard.general)
    return own if len(own) >= _FEWEST_DIGITS else general


def _name_heard(heard: Heard) -> str:
    """Most callers are strangers to the agent's language model, so the dictation model is asked first."""
    return name_in(heard.general) or name_in(heard.own)
