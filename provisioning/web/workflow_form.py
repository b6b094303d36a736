"""The form of a workflow: states and their ways as text fields, changes of their order, and back. Pure.

Each state has fields of its own, named by its place: "s0.name", "s0.t1.when". What leads to a state that is renamed
follows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypedDict

from app.settings import State, Transition, Workflow
from provisioning.web.rendering import Form

MOST_STATES, MOST_WAYS = 20, 8
_WAY = ("to", "when", "result", "value", "said")


class TypedState(TypedDict):
    """`limited`: only the `tools` may be used."""

    name: str
    was: str
    says: str
    instructions: str
    limited: bool
    tools: list[str]
    asks: list[str]
    last: bool
    ways: list[dict[str, str]]


Typed = tuple[str, list[TypedState]]
"""The name of the first state, and all of them."""


def typed_workflow(workflow: Workflow | None) -> Typed:
    return (workflow.first, [_typed(each) for each in workflow.states]) if workflow else ("", [])


def _typed(state: State) -> TypedState:
    return TypedState(
        name=state.name,
        was=state.name,
        says=state.says,
        instructions=state.instructions,
        limited=state.tools is not None,
        tools=[*(state.tools or ())],
        asks=[*state.asks],
        last=state.last,
        ways=[_typed_way(each) for each in state.then],
    )


def _typed_way(way: Transition) -> dict[str, str]:
    return {"to": way.to, "when": way.when, "result": way.result, "value": way.value, "said": "\n".join(way.said)}


def typed_workflow_of(form: Form) -> Typed:
    """What was typed."""
    states = [_typed_of(form, f"s{n}") for n in range(MOST_STATES) if form.all(f"s{n}.name")]
    renamed = {each["was"]: each["name"].strip() for each in states if each["was"]}
    for each in states:
        each["was"] = each["name"].strip()
        for way in each["ways"]:
            way["to"] = renamed.get(way["to"], way["to"])
    return renamed.get(form["first"], form["first"]), states


def _typed_of(form: Form, place: str) -> TypedState:
    rows = [{name: form[f"{place}.t{m}.{name}"] for name in _WAY} for m in range(MOST_WAYS)]
    return TypedState(
        name=form[f"{place}.name"],
        was=form[f"{place}.was"],
        says=form[f"{place}.says"],
        instructions=form[f"{place}.instructions"],
        limited=form.ticked(f"{place}.limited"),
        tools=form.all(f"{place}.tools"),
        asks=form.all(f"{place}.asks"),
        last=form.ticked(f"{place}.last"),
        ways=[each for each in rows if any(value.strip() for value in each.values())],
    )


def changed(typed: Typed, change: str) -> Typed:
    """After a button of the form: "add", or "up", "down", "remove" with a place like "s2"."""
    first, states = typed
    what, _, place = change.partition(" ")
    if change == "add":
        return _with_another(first, states)
    n = int(place[1:]) if re.fullmatch(r"s\d{1,2}", place) else -1
    if not 0 <= n < len(states):
        return typed
    if what == "remove":
        return _without(first, states, n)
    other = n - 1 if what == "up" else n + 1
    if what in ("up", "down") and 0 <= other < len(states):
        states[n], states[other] = states[other], states[n]
    return typed


def _with_another(first: str, states: list[TypedState]) -> Typed:
    taken = {each["name"].strip() for each in states}
    name = next(each for n in range(1, MOST_STATES + 2) if (each := f"state-{n}") not in taken)
    new = _typed(State(name=name, last=True))
    return (first or name, [*states, new]) if len(states) < MOST_STATES else (first, states)


def _without(first: str, states: list[TypedState], n: int) -> Typed:
    """The ways that led there go with it."""
    gone = states.pop(n)["name"].strip()
    for each in states:
        each["ways"] = [way for way in each["ways"] if way["to"] != gone]
    return (states[0]["name"] if states and first == gone else first), states


def workflow_draft(typed: Typed) -> dict[str, object] | None:
    """Not validated yet. None: no states, no workflow."""
    first, states = typed
    return {"first": first, "states": [_draft(each) for each in states]} if states else None


def _draft(state: TypedState) -> dict[str, object]:
    return {
        "name": state["name"].strip(),
        "says": state["says"].strip(),
        "instructions": state["instructions"].strip(),
        "tools": state["tools"] if state["limited"] else None,
        "asks": state["asks"],
        "last": state["last"],
        "then": [each | {"said": _lines(each["said"])} for each in state["ways"]],
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]


_PATH = re.compile(r"workflow\.states\.(?P<s>\d+)\.?(?P<name>[a-z]*)(\.(?P<t>\d+))?(\.(?P<part>[a-z]+))?.*")
_LABELS = {
    "name": "name",
    "says": "what it begins with",
    "instructions": "instructions",
    "tools": "what may be done",
    "asks": "what is asked for",
    "to": "where it leads",
    "when": "when",
    "result": "result",
    "value": "value",
    "said": "phrases",
}


def workflow_errors(errors: Mapping[str, str]) -> dict[str, str]:
    """Faults by the id of the field. Those of the whole: "first"."""
    told: dict[str, str] = {}
    for path, text in errors.items():
        told.setdefault(_field_of(path), _plain_name(path, text))
    return told


def _field_of(path: str) -> str:
    found = _PATH.fullmatch(path)
    if found is None:
        return "first" if path.startswith("workflow") else path
    if found["name"] == "then":
        return f"s{found['s']}.t{found['t'] or 0}.{found['part'] or 'to'}"
    return f"s{found['s']}.{found['name'] or 'name'}"


def _plain_name(path: str, text: str) -> str:
    if "cannot stand here" not in text:
        return text
    if path.endswith(".to"):
        return "Choose where it leads."
    return "Use small letters, digits and hyphens, and begin with a letter, for example “new-appointment”."


def label_of(field: str, states: list[TypedState]) -> str:
    place, _, name = field.partition(".")
    if not place[1:].isdigit():
        return "First state"
    n, (way, _, part) = int(place[1:]), name.partition(".")
    state = f"State “{states[n]['name'] if n < len(states) else n + 1}”"
    return (
        f"{state}, way {int(way[1:]) + 1}, {_LABELS.get(part, part)}" if part else f"{state}, {_LABELS.get(way, way)}"
    )
