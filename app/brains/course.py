"""Which state a conversation is in, and where it goes on. Pure.

What the box can decide itself it decides, whoever talks: a result is there, or the caller said something. The rest is
for a language model to choose, among the ways that its owner described in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.brains.words import words
from app.http_tools import function_name
from app.settings import State, Transition, Workflow

MOST_CHANGES = 3
"""Of state in one turn: a loop never ends in silence."""


class Course:
    """Of one agent."""

    def __init__(self, workflow: Workflow) -> None:
        self._states = {each.name: each for each in reversed(workflow.states)}
        self._first = self._states.get(workflow.first) or workflow.states[0]

    def state(self, name: str) -> State:
        """The first one, where there is none of that name."""
        return self._states.get(name, self._first)

    def choices(self, state: State) -> tuple[Transition, ...]:
        """The ways that a language model may choose."""
        there = (each for each in state.then if each.when.strip() and each.to in self._states)
        return tuple({each.to: each for each in there}.values())

    def by_words(self, state: State, *readings: str) -> State | None:
        """Where it goes on once the caller has said this."""
        ways = (each for each in state.then if any(_says(reading, each) for reading in readings))
        return next((self._states[each.to] for each in ways if each.to in self._states), None)

    def by_results(self, state: State, results: Mapping[str, str], most: int = MOST_CHANGES) -> tuple[State, ...]:
        """Through which states it goes on, with these results; `most` at a time."""
        values = {name.casefold(): value.casefold() for name, value in results.items() if value}
        return tuple(self._onward(state, values, most))

    def _onward(self, state: State, values: Mapping[str, str], most: int) -> Iterator[State]:
        for _ in range(most):
            way = next((each for each in state.then if _is_there(values, each) and each.to in self._states), None)
            if way is None:
                return
            state = self._states[way.to]
            yield state


def allows(state: State, tool: str) -> bool:
    """`tool`: by the name that a language model calls it by."""
    return state.tools is None or tool in map(function_name, state.tools)


def _says(text: str, way: Transition) -> bool:
    said = f" {' '.join(words(text))} "
    return any(f" {' '.join(phrase)} " in said for phrase in map(words, way.said) if phrase)


def _is_there(values: Mapping[str, str], way: Transition) -> bool:
    value = values.get(way.result.casefold()) if way.result else None
    return value is not None and way.value.casefold() in ("", value)
