"""What is wrong inside a step of a flow: names that do not exist, values that can never be. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, get_args

from app.brains.results import DO_NOT_CALL, as_text
from app.control.campaigns import Status
from app.control.views import OUTCOMES
from app.outbound.campaign import Campaign, FieldType
from app.outbound.flow import AnyStep, CallStep, CheckStep, SetStep
from app.outbound.participants import UnfitError, fitting
from app.outbound.variables import names_in
from app.outbound.walking import has_order, names_written
from app.settings import Agent, ResultField

OF_EVERY_CALL: Final = frozenset({DO_NOT_CALL, "answered_by", "answered_by_confidence", "answered_by_because"})
"""Results that nobody has to declare."""

_Found = Iterator[tuple[str, str]]
_BRACES = re.compile(r"\{[^{}]*\}")
_ORDERED = ("number", "date", "text")


def problems_of_step(step: AnyStep, campaign: Campaign, agent: Agent | None) -> _Found:
    """The step's fields, with what is wrong. Without an agent, nobody can say which results there are."""
    match step:
        case CallStep():
            yield from _of_call(step, _types(campaign), agent)
        case CheckStep():
            yield from _of_check(step, _types(campaign), agent)
        case SetStep():
            yield from _of_set(step, _types(campaign), agent)
        case _:
            return


def _types(campaign: Campaign) -> dict[str, FieldType]:
    return {each.name: each.type for each in campaign.fields}


# -- what is said ------------------------------------------------------------------------------------------------


def _of_call(step: CallStep, fields: Collection[str], agent: Agent | None) -> _Found:
    if step.greeting is not None:
        yield from _of_speech("greeting", step.greeting, fields)
    elif agent and (strange := _strange(agent.greeting, fields)):
        text = (
            f"The greeting of the agent “{agent.name}” says {strange}, which is no field: add such a field, or give "
            "this step a greeting of its own."
        )
        yield "greeting", text
    if step.on_machine == "leave message":
        yield from _of_speech("message", step.message, fields)


def _of_speech(name: str, text: str, fields: Collection[str]) -> _Found:
    if strange := _strange(text, fields):
        yield name, f"It says {strange}, which is no field: add such a field, or write a field's name in braces."


def _strange(text: str, fields: Collection[str]) -> str:
    """The first place in `text` that no field fills; "" if all are filled."""
    filled = {f"{{{name}}}" for name in names_in(text) if name in fields}
    return next((place for place in _BRACES.findall(text) if place not in filled), "")


# -- what is written ---------------------------------------------------------------------------------------------


def _of_set(step: SetStep, types: dict[str, FieldType], agent: Agent | None) -> _Found:
    if step.field not in types:
        yield "field", _no_field(step.field)
    fields, results = names_written(step.value)
    for name in sorted(fields - types.keys()):
        yield "value", _no_field(name)
    for name in sorted(results):
        if agent and not _is_brought(name, agent):
            yield "value", _no_result(name, agent)
    places = {f"{{{name}}}" for name in fields} | {f"{{result:{name}}}" for name in results}
    if strange := next((place for place in _BRACES.findall(step.value) if place not in places), ""):
        yield "value", f"{strange} stays as it is: a field is written {{name}}, a result {{result:name}}."
    if not places and (unfit := _unfit(types.get(step.field, "text"), step.value)):
        yield "value", f"What goes into the field “{step.field}” {unfit}."


# -- what is compared --------------------------------------------------------------------------------------------


def _of_check(step: CheckStep, types: dict[str, FieldType], agent: Agent | None) -> _Found:
    of, _, name = step.of.partition(" ")
    if of == "field" and name not in types:
        yield "of", _no_field(name)
    elif of == "result" and agent and not _is_brought(name, agent):
        yield "of", _no_result(name, agent)
    elif step.operator in ("is set", "is not set"):
        return
    elif not step.value:
        yield "value", "Say what it is compared with, or choose “is set” or “is not set”."
    elif step.operator in ("at least", "at most"):
        yield from _of_order(step, types.get(name, "text") if of == "field" else of)
    elif step.operator != "contains" and (why := _never(step, types, agent)):
        yield "value", f"This can never be: the value {why}."


def _of_order(step: CheckStep, kind: str) -> _Found:
    if kind not in (*_ORDERED, "result", "calls"):
        yield "operator", f"“{step.operator}” is for numbers and dates: choose “is” or “is not”."
    elif not has_order(step.value):
        yield "value", f"“{step.operator}” compares numbers and dates: write a number, or a date as 2026-12-31."


def _never(step: CheckStep, types: dict[str, FieldType], agent: Agent | None) -> str:
    """Why nothing is ever like the value of the check; "" if something may be."""
    of, _, name = step.of.partition(" ")
    match of:
        case "field":
            return _unfit(types[name], step.value)
        case "calls":
            return _unfit("number", step.value)
        case "outcome":
            return _none_of(OUTCOMES, step.value)
        case "status":
            return _none_of(get_args(Status), step.value)
        case _:
            declared = _declared(name, agent) if agent else None
            return _unlike(declared, step.value) if declared else ""


def _unlike(declared: ResultField, value: str) -> str:
    if as_text(declared, value) is not None:
        return ""
    return _none_of(declared.choices, value) if declared.choices else f"must be of the type {declared.type}"


def _none_of(words: Collection[str], value: str) -> str:
    is_one = value.casefold() in {each.casefold() for each in words}
    return "" if is_one else f"must be one of {', '.join(words)}"


def _unfit(kind: FieldType, value: str) -> str:
    try:
        fitting(kind, value)
    except UnfitError as unfit:
        return str(unfit)
    return ""


# -- names -------------------------------------------------------------------------------------------------------


def _declared(name: str, agent: Agent) -> ResultField | None:
    return next((each for each in agent.result_fields if each.name.casefold() == name.casefold()), None)


def _is_brought(name: str, agent: Agent) -> bool:
    return name.casefold() in OF_EVERY_CALL or _declared(name, agent) is not None


def _no_field(name: str) -> str:
    return f"There is no field “{name}”: add it to the fields, or choose another one."


def _no_result(name: str, agent: Agent) -> str:
    return f"The agent “{agent.name}” brings no result “{name}”: declare it there, or choose another one."
