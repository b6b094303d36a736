"""What is wrong with a workflow: where, and what to do about it. Pure.

Looked for when an agent is saved, since its results and people are named in it too. No workflow that passes can leave a
caller in silence: `app/brains/course.py` goes through three states in a turn at most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from app.http_tools import BUILT_IN, function_name
from app.settings import Agent, ResultField, State, Transition, Workflow

GO_TO = "go_to"
_MOST_LOOKED_AT = 10_000
"""Ways through a workflow: enough for all that people write. In one with more, a loop is not found, and stopped by the
bound on changes in a turn."""

_Found = Iterator[tuple[str, str]]


def problems(agent: Agent, tools: Collection[str] | None = None) -> Mapping[str, str]:
    """By the path in the agent's settings: "workflow.states.2.then.0.to". `tools`: the names of its HTTP tools; None:
    they are not known yet."""
    if agent.workflow is None:
        return {}
    fields = {each.name.casefold(): each for each in agent.result_fields}
    found = [*_of_names(agent.workflow), *_of_ways(agent.workflow), *_of_loops(agent.workflow)]
    for place, state in enumerate(agent.workflow.states):
        where = f"workflow.states.{place}"
        found += _of_asks(state, where, fields)
        found += _of_tools(state, where, tools)
        for number, each in enumerate(state.then):
            found += _of_condition(each, f"{where}.then.{number}", fields)
    return dict(reversed(found))  # of two for one place, the first


def _of_names(workflow: Workflow) -> _Found:
    names = [each.name for each in workflow.states]
    if workflow.first not in names:
        yield "workflow.first", f"There is no state “{workflow.first}”: choose one of {_listed(names)}."
    for place, name in enumerate(names):
        if name in names[:place]:
            yield f"workflow.states.{place}.name", f"“{name}” is there twice: give each state a name of its own."


def _of_ways(workflow: Workflow) -> _Found:
    names, reached = [each.name for each in workflow.states], _reached(workflow)
    for place, state in enumerate(workflow.states):
        where = f"workflow.states.{place}"
        if workflow.first in names and state.name not in reached:
            text = f"No conversation comes to “{state.name}”: let another state lead there, or remove it."
            yield f"{where}.name", text
        if not state.then and not state.last:
            text = f"Nothing leads out of “{state.name}”: add a way, or say that the call may end here (last: true)."
            yield f"{where}.then", text
        for number, each in enumerate(state.then):
            if each.to == state.name:
                yield f"{where}.then.{number}.to", "It leads to where it begins: choose another state, or remove it."
            elif each.to not in names:
                text = f"There is no state “{each.to}”: choose one of {_listed(names)}."
                yield f"{where}.then.{number}.to", text


def _reached(workflow: Workflow) -> set[str]:
    by_name = {each.name: each for each in workflow.states}
    reached, ahead = set[str](), [workflow.first]
    while ahead:
        name = ahead.pop()
        if name in by_name and name not in reached:
            reached.add(name)
            ahead += [each.to for each in by_name[name].then]
    return reached


def _of_asks(state: State, where: str, fields: Mapping[str, ResultField]) -> _Found:
    for number, name in enumerate(state.asks):
        if name.casefold() not in fields:
            yield f"{where}.asks.{number}", _no_result(name, fields)


def _of_tools(state: State, where: str, tools: Collection[str] | None) -> _Found:
    known = None if tools is None else {*BUILT_IN, *map(function_name, tools)} - {GO_TO}
    for number, name in enumerate(state.tools or ()):
        if known is not None and function_name(name) not in known:
            choices = _listed([*sorted(BUILT_IN - {GO_TO}), *(tools or ())])
            yield f"{where}.tools.{number}", f"There is no tool “{name}”: choose of {choices}."


def _of_condition(way: Transition, where: str, fields: Mapping[str, ResultField]) -> _Found:
    if not (way.when.strip() or way.result or way.said):
        yield f"{where}.to", "It says not when: fill in when, result or said."
    if way.value and not way.result:
        yield f"{where}.value", "A value belongs to a result: say which (result)."
    if not way.result:
        return
    field = fields.get(way.result.casefold())
    if field is None:
        yield f"{where}.result", _no_result(way.result, fields)
    elif way.value and (possible := _values(field)) and way.value.casefold() not in map(str.casefold, possible):
        yield f"{where}.value", f"“{field.name}” never has this value: choose one of {_listed(possible)}."


def _values(field: ResultField) -> Sequence[str]:
    return ("yes", "no") if field.type == "yes-no" else field.choices


def _no_result(name: str, fields: Mapping[str, ResultField]) -> str:
    there_are = f"choose one of {_listed([each.name for each in fields.values()])}" if fields else "add it there"
    return f"The agent declares no result “{name}” under “What the call should bring”: {there_are}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{each}”" for each in names)


# -- loops that say nothing ------------------------------------------------------------------------------------------


def _of_loops(workflow: Workflow) -> _Found:
    """Ways round that the box would take at once, by results that are there already, without a word to the caller."""
    by_name = {each.name: each for each in workflow.states}
    places = {each.name: place for place, each in reversed([*enumerate(workflow.states)])}
    for state in workflow.states:
        if way_round := _silent_way_round(state, by_name):
            text = f"The box would go round in circles, and say nothing: {' → '.join(way_round)}. Let one of these say "
            yield f"workflow.states.{places[state.name]}.then", f"{text}something (says), or change a result."


def _silent_way_round(begin: State, by_name: Mapping[str, State]) -> tuple[str, ...]:
    ahead: list[tuple[State, tuple[str, ...], Mapping[str, str]]] = [(begin, (begin.name,), {})]
    for _ in range(_MOST_LOOKED_AT):
        if not ahead:
            break
        state, way, known = ahead.pop()
        for each in state.then:
            held = _with(known, each)
            onward = by_name.get(each.to)
            if held is None or onward is None or onward.says.strip():
                continue
            if onward.name == begin.name and len(way) > 1:
                return (*way, begin.name)
            if onward.name not in way:
                ahead.append((onward, (*way, onward.name), held))
    return ()


def _with(known: Mapping[str, str], way: Transition) -> Mapping[str, str] | None:
    """What results must be there once this way is taken too; None where that cannot be, or the box does not take it."""
    if not way.result:
        return None
    name, value = way.result.casefold(), way.value.casefold()
    had = known.get(name, "")
    if had and value and had != value:
        return None
    return {**known, name: value or had}
