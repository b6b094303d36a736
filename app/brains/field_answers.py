"""What somebody answered to the question for a result field. Pure.

Two recognisers have heard each answer. One that both of them have heard, in words that are known to mean it, is sure;
anything else has to be read back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.brains import choices
from app.brains.amounts import amount_in, range_in, sounds_like_amount
from app.brains.answers import name_in
from app.brains.choices import Concept, Meant, concept_of
from app.brains.words import words
from app.ports import Expects, Heard
from app.settings import ResultField

_YES, _NO = "yes", "no"
_UNDECIDED = ("not sure", "not certain", "do not know", "no idea", "maybe", "perhaps", "it depends", "not yet")
_UNWILLING = (
    "rather not say", "rather not tell", "rather not answer", "prefer not to say", "not want to say", "skip that",
    "not want to answer", "not want to tell", "skip this", "no idea", "do not know", "not your business",
    "none of your business", "next question",
)  # fmt: skip
# Longer sentences tell something.
_UNWILLING_WORDS = 8
_ASKS = frozenset("what where when how which who whose why".split())
_SAYS_YES = (
    "yes", "yeah", "yep", "yup", "correct", "right", "exactly", "sure", "absolutely", "okay", "ok", "indeed",
    "perfect", "of course", "certainly", "definitely", "I think so", "please do", "go ahead", "by all means",
    "uh huh", "with pleasure", "yes please", "all right", "fine", "that would be nice", "that would be great",
    "that would be good", "that would be fine", "that would be helpful",
)  # fmt: skip
_SAYS_NO = (
    "no", "nope", "nah", "wrong", "incorrect", "never", "not", "I do not think so", "not really", "of course not",
    "certainly not", "not at all", "no way", "please do not", "no thanks", "no thank you", "not today", "not now",
    "not right", "not correct", "not okay", "not fine", "rather not",
)  # fmt: skip
# How people say a number on a scale, and the highest there is.
_NUMBER_CARRIERS = (
    "{0}", "{0} please", "a {0}", "an {0}", "I would say {0}", "I'd say {0}", "I'd give it a {0}", "I think {0}",
    "maybe {0}", "{0} I would say", "{0} I think", "{0} out of {1}", "number {0}",
)  # fmt: skip
# As a whole answer only: "I would like to speak to somebody" is no yes.
_ECHOES = ("I do", "I am", "I would", "I did", "I have", "I will", "we do", "we are", "we will")
# An answer is short, or opens a longer sentence: "is it all right to park in front" is neither yes nor no.
_SHORT_ANSWER = 5
_OPENING = 2
_NO_TEXT = frozenset("um uh er hello hi hey yes no okay ok well so huh".split())


def answer_in(field: ResultField, heard: Heard) -> Meant | None:
    """The answer, as the field's type has it."""
    match field.type:
        case "yes-no":
            return _of_both(_yes_or_no, heard)
        case "choice":
            return _of_both(lambda text: _choice(field, text), heard)
        case "number":
            return _of_both(lambda text: _amount(field, text), heard)
        case "text":
            return _name(heard) if is_name(field) else _text(heard)


def is_name(field: ResultField) -> bool:
    return field.type == "text" and words(field.name)[-1:] == ("name",)


def asks_something(heard: Heard) -> bool:
    """A question of the caller's own, by its first word."""
    return any(text and words(text)[0] in _ASKS for text in (heard.own, heard.general) if words(text))


def is_unwilling(heard: Heard) -> bool:
    """They do not want to answer, or cannot."""
    return any(len(words(text)) <= _UNWILLING_WORDS and _holds(text, _UNWILLING) for text in (heard.own, heard.general))


def expected(field: ResultField) -> Expects:
    match field.type:
        case "yes-no" | "choice":
            return Expects.YES_NO
        case "number":
            return Expects.YES_NO if range_of(field) else Expects.NUMBER
        case "text":
            return Expects.NAME if is_name(field) else Expects.MESSAGE


def range_of(field: ResultField) -> tuple[int, int] | None:
    """The numbers that a question or description allows: "from 1 to 10"."""
    return range_in(field.question) or range_in(field.description)


def likely_answers(field: ResultField) -> Iterator[str]:
    """For the recogniser's language model: it hears only what it knows."""
    match field.type:
        case "yes-no":
            yield from (*_SAYS_YES, *_SAYS_NO, *_ECHOES, *(f"{echo} not" for echo in _ECHOES))
            yield from (f"yes {echo}" for echo in _ECHOES)
            for concept in (Concept.CONFIRM, Concept.CANCEL):
                yield from choices.PHRASES[concept]
        case "choice":
            yield from choices.ways_to_say(field.choices)
            yield from (*_SAYS_YES, *_SAYS_NO) if {_YES, _NO} & set(map(str.casefold, field.choices)) else ()
        case "number" if reach := range_of(field):
            for number in range(reach[0], min(reach[1], 100) + 1):
                yield from (carrier.format(number, reach[1]) for carrier in _NUMBER_CARRIERS)
        case _:
            return


def short_answers(field: ResultField) -> Iterator[str]:
    """Those of one word, which are the hardest to hear and the likeliest to be said."""
    match field.type:
        case "yes-no":
            yield from (_YES, _NO)
        case "choice":
            yield from field.choices
        case "number" if reach := range_of(field):
            yield from map(str, range(reach[0], min(reach[1], 100) + 1))
        case _:
            return


def _of_both(read: Callable[[str], Meant | None], heard: Heard) -> Meant | None:
    own, general = read(heard.own), read(heard.general)
    if own and general and own.value == general.value:
        return Meant(own.value, own.sure or general.sure, own.lone and general.lone)
    found = own if own and (own.sure or not (general and general.sure)) else general
    return Meant(found.value, sure=False, lone=found.lone) if found else None


def _yes_or_no(text: str) -> Meant | None:
    if _holds(text, _UNDECIDED):
        return None
    said = words(text)
    opening = " ".join(said if len(said) <= _SHORT_ANSWER else said[:_OPENING])
    if plain := choices.meant((_YES, _NO), opening):
        return plain
    if said in map(words, _ECHOES):
        return Meant(_YES, sure=True)
    for value, phrases in ((_NO, _SAYS_NO), (_YES, _SAYS_YES)):
        if _holds(opening, phrases):
            return Meant(value, sure=True)
    about = choices.meant(("confirm", "cancel"), text)
    return Meant(_YES if about.value == "confirm" else _NO, sure=False) if about else None


def _choice(field: ResultField, text: str) -> Meant | None:
    if _holds(text, _UNDECIDED):
        return None
    if found := choices.meant(field.choices, text):
        # "No, I can come" was "no, I can't come", or who knows what.
        is_doubtful = concept_of(found.value) is Concept.CONFIRM and words(text)[0] == _NO
        return None if is_doubtful else found
    answer = _yes_or_no(text)
    if answer and (named := next((each for each in field.choices if each.casefold() == answer.value), None)):
        return Meant(named, answer.sure)
    about = {concept_of(choice): choice for choice in field.choices}
    value = about.get({_YES: Concept.CONFIRM, _NO: Concept.CANCEL}[answer.value]) if answer and answer.sure else None
    return Meant(value, sure=False, lone=True) if value else None


def _amount(field: ResultField, text: str) -> Meant | None:
    value, sure = amount_in(text), True
    if value is None:
        value, sure = sounds_like_amount(text), False
    reach = range_of(field)
    if value is None or (reach and not reach[0] <= float(value) <= reach[1]):
        return None
    return Meant(value, sure)


def _name(heard: Heard) -> Meant | None:
    general, own = name_in(heard.general), name_in(heard.own)
    return Meant(general or own, sure=bool(general) and general == own) if general or own else None


def _text(heard: Heard) -> Meant | None:
    """Most of what people say freely is unknown to the agent's own language model, so dictation is asked first."""
    text = heard.general or heard.own
    return Meant(text, sure=True) if set(words(text)) - _NO_TEXT else None


def _holds(text: str, phrases: tuple[str, ...]) -> bool:
    said = f" {' '.join(words(text))} "
    return any(f" {' '.join(words(phrase))} " in said for phrase in phrases)
