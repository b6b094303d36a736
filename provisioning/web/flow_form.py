"""The form of a flow: triggers and steps as text fields, changes of their order, and back. Pure.

Each step has fields of its own, named by its place: "s0.id", "s0.then". What concerns all kinds of steps is kept when
another kind is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.outbound.flow import END, CallStep, CheckStep, Flow, Step, WaitStep
from provisioning.web.rendering import Form

Typed = dict[str, str]
"""One trigger, or one step."""

MOST_TRIGGERS, MOST_STEPS = 20, 100
UNITS = (("1", "minutes"), ("60", "hours"), ("1440", "days"))
GREETINGS = (("agent", "The agent’s own"), ("this", "This one"), ("none", "None: wait until they speak"))
SUBJECTS = (
    ("field", "A field of the participant"),
    ("result", "A result of the last call"),
    ("outcome", "What became of the last call"),
    ("status", "The status of the last communication"),
    ("calls", "How many communications there were"),
)
_NAMED = ("field", "result")
_COMMON = ("id", "was", "do", "note")
_OF_KIND: dict[str, tuple[str, ...]] = {
    "call": ("greets", "greeting", "ring_s", "on_machine", "message", "then"),
    "check": ("subject", "named", "operator", "value", "match", "otherwise"),
    "wait": ("count", "unit", "then"),
    "set": ("field", "value", "then"),
    "webhook": ("event", "then"),
    "other flow": ("campaign",),
}
TARGETS = ("then", "match", "otherwise")
_NEW: dict[str, Typed] = {
    "call": {"greets": "agent", "ring_s": "45", "on_machine": "hang up", "then": END},
    "check": {"subject": "outcome", "operator": "is", "value": "answered", "match": END, "otherwise": END},
    "wait": {"count": "1", "unit": "1440", "then": END},
    "set": {"then": END},
    "webhook": {"then": END},
    "other flow": {},
}
_EMPTY = dict.fromkeys({name for names in _OF_KIND.values() for name in names}, "")


def typed_flow(flow: Flow) -> tuple[list[Typed], list[Typed]]:
    """Triggers and steps, as they stand in the form."""
    triggers = [{"on": each.on, "fields": ", ".join(each.fields), "then": each.then} for each in flow.triggers]
    return triggers, [_typed_step(each) for each in flow.steps]


def _typed_step(step: Step) -> Typed:
    plain = {name: str(value) for name, value in step.model_dump().items() if isinstance(value, str | int)}
    typed = _EMPTY | plain | {"was": step.id}
    match step:
        case CallStep(greeting=greeting):
            return typed | {"greets": "agent" if greeting is None else "this" if greeting else "none"}
        case CheckStep(of=of):
            subject, _, named = of.partition(" ")
            return typed | {"subject": subject, "named": named}
        case WaitStep(minutes=minutes):
            unit = next(size for size in (1440, 60, 1) if minutes % size == 0)
            return typed | {"count": str(minutes // unit), "unit": str(unit)}
    return typed


def typed_flow_of(form: Form) -> tuple[list[Typed], list[Typed]]:
    """What was typed. Steps that have another name now are followed by what leads to them."""
    triggers = [
        {name: form[f"t{n}.{name}"] for name in ("on", "fields", "then")}
        for n in range(MOST_TRIGGERS)
        if form.all(f"t{n}.on")
    ]
    steps = [
        _EMPTY | {name: form[f"s{n}.{name}"] for name in (*_COMMON, *_OF_KIND.get(form[f"s{n}.do"], ()))}
        for n in range(MOST_STEPS)
        if form.all(f"s{n}.do")
    ]
    return _followed(triggers, steps)


def _followed(triggers: list[Typed], steps: list[Typed]) -> tuple[list[Typed], list[Typed]]:
    renamed = {each["was"]: each["id"].strip() for each in steps if each["was"] and each["was"] != each["id"].strip()}
    for each in (*triggers, *steps):
        for name in TARGETS:
            if each.get(name) in renamed:
                each[name] = renamed[each[name]]
    return triggers, [each | {"was": each["id"].strip()} for each in steps]


def changed(triggers: list[Typed], steps: list[Typed], change: str, form: Form) -> tuple[list[Typed], list[Typed]]:
    """After a button of the form: "add trigger", "add step", or "up", "down", "remove" with a place like "s2"."""
    what, _, place = change.partition(" ")
    rows = {"s": steps, "t": triggers}.get(place[:1], [])
    n = int(place[1:]) if re.fullmatch(r"[st]\d{1,3}", place) else -1
    if change == "add trigger":
        return [*triggers, {"on": "participant created", "fields": "", "then": END}], steps
    if change == "add step":
        return _with_step(triggers, steps, form["kind"], form["after"])
    if not 0 <= n < len(rows):
        return triggers, steps
    if what == "remove":
        return _without(triggers, steps, rows, n)
    other = n - 1 if what == "up" else n + 1
    if 0 <= other < len(rows):
        rows[n], rows[other] = rows[other], rows[n]
    return triggers, steps


def _with_step(triggers: list[Typed], steps: list[Typed], kind: str, after: str) -> tuple[list[Typed], list[Typed]]:
    """Between that step and where it led to; without one, at the end, and nothing leads to it yet."""
    if kind not in _NEW or len(steps) >= MOST_STEPS:
        return triggers, steps
    new_id = _free_id(kind.replace(" ", "-"), {each["id"] for each in steps})
    new = _EMPTY | _NEW[kind] | {"id": new_id, "was": new_id, "do": kind, "note": ""}
    place = next((n for n, each in enumerate(steps) if each["id"] == after), None)
    if place is None:
        return triggers, [*steps, new]
    before = steps[place]
    name = "match" if before["do"] == "check" else "then"
    if before[name]:
        new |= {each: before[name] for each in TARGETS if each in _NEW[kind]}
    before[name] = new_id
    return triggers, [*steps[: place + 1], new, *steps[place + 1 :]]


def _free_id(wanted: str, taken: set[str]) -> str:
    return next(each for n in range(1, MOST_STEPS + 2) if (each := wanted if n == 1 else f"{wanted}-{n}") not in taken)


def _without(triggers: list[Typed], steps: list[Typed], rows: list[Typed], n: int) -> tuple[list[Typed], list[Typed]]:
    """What led to a step that goes leads to where that one led."""
    gone = rows.pop(n)
    if rows is steps:
        onward = gone["match"] or gone["then"] or END
        for each in (*triggers, *steps):
            each.update({name: onward for name in TARGETS if each.get(name) == gone["id"]})
    return triggers, steps


def flow_draft(triggers: list[Typed], steps: list[Typed]) -> dict[str, object]:
    """Not validated yet."""
    return {
        "triggers": [
            {
                "on": each["on"],
                "then": each["then"],
                "fields": [name.strip() for name in each["fields"].split(",") if name.strip()],
            }
            for each in triggers
        ],
        "steps": [_step_draft(each) for each in steps],
    }


def _step_draft(step: Typed) -> dict[str, object]:
    draft: dict[str, object] = {"id": step["id"].strip(), "do": step["do"], "note": step["note"]}
    plain = [name for name in _OF_KIND.get(step["do"], ()) if name not in _NOT_PLAIN]
    draft |= {name: step[name] for name in plain}
    if step["do"] == "call":
        greeting = {"agent": None, "none": ""}.get(step["greets"], step["greeting"])
        return draft | {"greeting": greeting, "message": step["message"] if _leaves(step) else ""}
    if step["do"] == "check":
        return draft | {"of": f"{step['subject']} {step['named'].strip()}" if _is_named(step) else step["subject"]}
    if step["do"] == "wait":
        return draft | {"minutes": _minutes(step["count"].strip(), step["unit"])}
    return draft


_NOT_PLAIN = frozenset({"greets", "greeting", "message", "subject", "named", "count", "unit"})


def _leaves(step: Typed) -> bool:
    return step["on_machine"] == "leave message"


def _is_named(step: Typed) -> bool:
    return step["subject"] in _NAMED


def _minutes(count: str, unit: str) -> int | str:
    """As it was typed where that is no number: the model says so."""
    is_number = count.isascii() and count.isdigit() and len(count) < 7 and unit in dict(UNITS)
    return int(count) * int(unit) if is_number else count


_PATH = re.compile(
    r"flow\.(?:triggers\.(?P<t>\d+)|steps\.(?P<s>\d+))(?:\.(?:call|check|wait|set|webhook|other flow))?\.?(?P<name>\w*)"
)
_FIELD_OF = {"of": "named", "minutes": "count", "": "id"}


def flow_errors(errors: Mapping[str, str]) -> dict[str, str]:
    """Faults by the id of the field. Those of the whole flow: "flow"."""
    told: dict[str, str] = {}
    for path, text in errors.items():
        found = _PATH.match(path)
        if found is None:
            where = "flow" if path.startswith("flow") else path
        elif found["t"]:
            where = f"t{found['t']}.{found['name'] or 'then'}"
        else:
            where = f"s{found['s']}.{_FIELD_OF.get(found['name'], found['name'])}"
        told.setdefault(where, _plain_id(text) if where.endswith(".id") else text)
    return told


def _plain_id(text: str) -> str:
    if "cannot stand here" in text:
        return "Use small letters, digits and hyphens, and begin with a letter, for example “call-again”."
    return text
