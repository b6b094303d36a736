"""How the receptionist goes through the states of a conversation. Pure: which one it is in is in the mind.

It takes the ways that the box decides itself (`app/brains/course.py`): a phrase before it answers, a result after it.
Where a state begins, it says what the owner wrote for that, and asks for what is asked for there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.brains import taking_results
from app.brains.course import allows
from app.brains.interview import ANYTHING_ELSE, Interview
from app.brains.mind import Mind, say
from app.ports import Expects, Heard
from app.settings import State

Results = Callable[[Mind], dict[str, str]]


class Stages:
    """Of one call. `results`: what it has brought, as a mind has it."""

    def __init__(self, interview: Interview, results: Results) -> None:
        self._interview, self._results = interview, results

    def allows(self, mind: Mind, tool: str) -> bool:
        """Where there are no states, everything that the agent may do."""
        course = self._interview.course
        return course is None or allows(course.state(mind.state), tool)

    def led(self, mind: Mind, state: str) -> Mind:
        """There by somebody else: what is asked for there comes once we are asked again."""
        mind = replace(mind, state=state)
        fields = self._interview.fields(mind)
        return replace(mind, asking=taking_results.go_on(mind.asking, fields, "")[0]) if mind.asking else mind

    def reply(self, mind: Mind, heard: Heard, answer: Callable[[Mind, Heard], Mind]) -> Mind:
        """What is replied, and where the conversation goes on. `answer`: wherever it is."""
        course = self._interview.course
        if course is None:
            return answer(mind, heard)
        here = course.state(mind.state)
        onward = None if _takes_anything(mind) else course.by_words(here, heard.own, heard.general)
        if onward is None:
            return self._after(mind, answer(mind, heard))
        entered = self._entered(mind, [onward], "", "the caller said so")
        if entered.last_said:
            return self._after(mind, entered)
        return self._after(mind, _noted(answer(entered, heard), entered.notes))

    def _after(self, before: Mind, mind: Mind) -> Mind:
        """On by what is known now."""
        course = self._interview.course
        if course is None or (mind.asks_something_else and not _is_all_answered(before, mind)):
            return mind
        onward = course.by_results(course.state(mind.state), self._results(mind))
        if not onward:
            return mind
        return _noted(self._entered(mind, onward, self._first(mind), "a result is there"), mind.notes)

    def _first(self, mind: Mind) -> str:
        """What was said, without what was asked after it."""
        text, asking = mind.last_said, mind.asking
        for tail in (ANYTHING_ELSE, self._interview.goodbye, asking.question if asking and asking.open else ""):
            text = text.removesuffix(tail).strip()
        return text

    def _entered(self, mind: Mind, states: Sequence[State], first: str, because: str) -> Mind:
        """In the last one; each says what it says where it begins. Nothing at all is said where none has anything."""
        here = states[-1]
        text = " ".join(filter(None, [first, *(each.says.strip() for each in states)]))
        notes = tuple(went_on(each.name, because) for each in states)
        mind = replace(mind, state=here.name, conclusion="")
        asking, asked = taking_results.go_on(mind.asking, self._interview.fields(mind), text)
        if asking.open is not None:
            return _noted(self._interview.asked(mind, (asking, asked)), notes)
        if text and here.last and self._interview.is_our_call:
            return _noted(self._interview.asked(mind, (asking, text)), notes)
        if text and (text == first or (here.last and not text.endswith("?"))):
            text = f"{text} {ANYTHING_ELSE}"
        return _noted(say(mind, text, asking=asking, offered_end=text.endswith(ANYTHING_ELSE)), notes)


def went_on(state: str, because: str) -> str:
    """For the session."""
    return f"The conversation went on to “{state}”: {because}."


def _takes_anything(mind: Mind) -> bool:
    """Whatever is said answers what was asked: it is no wish."""
    asked = mind.waits_for
    return mind.asks_something_else or (asked is not None and asked.expects in (Expects.MESSAGE, Expects.NAME))


def _is_all_answered(before: Mind, mind: Mind) -> bool:
    """A call of ours ends with the last answer; not here, where it goes on."""
    was_open = before.asking is not None and before.asking.open is not None
    return bool(mind.conclusion) and was_open and mind.asking is not None and mind.asking.open is None


def _noted(mind: Mind, notes: Sequence[str]) -> Mind:
    return replace(mind, notes=(*mind.notes, *notes))
