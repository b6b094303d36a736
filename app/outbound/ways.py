"""Where the steps of a flow lead, as a graph: for checking it before anybody is on the way. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from app.outbound.flow import END, AnyStep, CallStep, CheckStep, Flow, OtherFlowStep, WaitStep, When
from app.outbound.walking import triggered

Way = tuple[str, str]
"""The name of a step's field, and the step that it leads to."""


def ways_out(step: AnyStep) -> tuple[Way, ...]:
    """As they are written in the step; a call's empty `then` is one, too."""
    match step:
        case CheckStep():
            return ("match", step.match), ("otherwise", step.otherwise)
        case OtherFlowStep():
            return ()
        case _:
            return (("then", step.then),)


def lasts(step: AnyStep) -> bool:
    """Whether somebody stays there for some time."""
    return isinstance(step, CallStep | WaitStep)


def reached(flow: Flow) -> frozenset[str]:
    """The steps at which somebody can ever be."""
    starts = [each.then for each in flow.triggers if each.on != "communication ended"]
    return frozenset(step.id for step in _reached(flow, starts, lambda _: True))


def at_once(flow: Flow, on: When) -> tuple[AnyStep, ...]:
    """The steps that a trigger may lead to before a call or a wait."""
    start = triggered(flow, on)
    return tuple(_reached(flow, [start] if start else [], lambda step: not lasts(step)))


def ends_asked_for(flow: Flow) -> bool:
    """Whether the trigger "communication ended" is ever looked for."""
    there = reached(flow)
    return any(isinstance(step, CallStep) and not step.then for step in flow.steps if step.id in there)


def rounds(flow: Flow) -> tuple[tuple[str, ...], ...]:
    """Ways that come back to where they began, without a call or a wait: the steps of each, from the one that comes
    first in the flow."""
    steps = {each.id: each for each in flow.steps if not lasts(each)}
    order = {name: place for place, name in enumerate(steps)}
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for start in steps:
        if round_ := _round(steps, order, start):
            found.setdefault(frozenset(round_), round_)
    return tuple(found.values())


def _round(steps: dict[str, AnyStep], order: dict[str, int], start: str) -> tuple[str, ...] | None:
    """A way from `start` back to it over later steps; None: there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for _, there in ways_out(steps[here]):
            if there == start:
                return _trail(came_from, start, here)
            if there in steps and there not in came_from and order[there] > order[start]:
                came_from[there] = here
                waiting.append(there)
    return None


def _trail(came_from: dict[str, str], start: str, end: str) -> tuple[str, ...]:
    trail = [end]
    while trail[-1] != start:
        trail.append(came_from[trail[-1]])
    return tuple(reversed(trail))


def _reached(flow: Flow, starts: Iterable[str], goes_on: Callable[[AnyStep], bool]) -> Iterator[AnyStep]:
    """Each once. `goes_on`: whether what a step leads to is looked at, too."""
    steps = {each.id: each for each in flow.steps}
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in steps:
            continue
        seen.add(name)
        yield steps[name]
        if goes_on(steps[name]):
            ways = (there for _, there in ways_out(steps[name]))
            waiting += [there or triggered(flow, "communication ended") or END for there in ways]
