"""A participant's way through a flow: from a step, at once, to the next that lasts, or to the end. Pure.

`walk` goes; what it wants done (fields written, the webhook told, another campaign given the participant) is returned
in its order, and whoever stores the participant does it, in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from app.outbound.campaign import Campaign, FieldType
from app.outbound.flow import (
    END,
    AnyStep,
    CallStep,
    CheckStep,
    Flow,
    OtherFlowStep,
    SetStep,
    WaitStep,
    WebhookStep,
    When,
)
from app.outbound.participants import UnfitError, fitting

MOST_STEPS: Final = 200
"""At once, without a call or a wait: twice as many as a flow has. `checking` refuses flows that go round without end;
this is for those that went by it."""

_PLACE = re.compile(r"(\s*)\{(?:result:(?P<result>[^{}]{1,40})|(?P<field>[A-Za-z_][A-Za-z0-9_]{0,39}))\}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a participant. `results`: of the last call that was answered. `outcome`: of the last call, and
    `status`: of the last communication, "" if there was none. `communications`: how many there were."""

    values: Mapping[str, str] = field(repr=False)
    results: Mapping[str, str] = field(default_factory=dict, repr=False)
    outcome: str = ""
    status: str = ""
    communications: int = 0


# -- what a way brings about -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TellWebhook:
    """With the participant's values as they were at this step."""

    step: str
    event: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandOver:
    """To the campaign of that name, with the participant's values."""

    campaign: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallNow:
    """As soon as calling hours and seats allow."""

    step: CallStep


@dataclass(frozen=True, slots=True)
class WaitUntil:
    step: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """The flow is over for them. `reason`: why, where it was not the flow that said so."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stuck:
    """The flow leads nowhere from here: an error of the flow, for its owner. The participant is done."""

    step: str
    reason: str


Stop = CallNow | WaitUntil | Done | Stuck


@dataclass(frozen=True, slots=True)
class Walk:
    """`values`: the participant's, as they are now; `changed`: fields that were written. `notes`: what did not go as
    its owner may have meant, in words without a value."""

    values: Mapping[str, str] = field(repr=False)
    changed: frozenset[str]
    effects: tuple[TellWebhook | HandOver, ...]
    notes: tuple[str, ...]
    stop: Stop


# -- where a way begins, and where it goes on -------------------------------------------------------------------


def triggered(flow: Flow, on: When, changed: Collection[str] = ()) -> str | None:
    """The step at which a participant is put (or `END`); None: nothing happens. `changed`: fields of an
    update, which is none where it changed nothing."""
    for trigger in flow.triggers:
        if trigger.on == on and (not trigger.fields or not set(changed).isdisjoint(trigger.fields)):
            return trigger.then
    return None


def following(flow: Flow, step: str) -> str:
    """Where it goes on once a call or wait is over; `END` where nothing follows."""
    match _step(flow, step):
        case CallStep(then=""):
            return triggered(flow, "communication ended") or END
        case CallStep(then=then) | WaitStep(then=then):
            return then
        case _:
            return END


def walk(campaign: Campaign, step: str, facts: Facts, now: datetime) -> Walk:
    """From `step` on, until a step lasts. `step` is carried out too; a call or wait that is over is not where to
    begin: its `following` is."""
    way = _Way(campaign, facts)
    for _ in range(MOST_STEPS):
        if step == END:
            return way.ends(Done())
        found = _step(campaign.flow, step)
        if found is None:
            return way.ends(Stuck(step, f'the flow has no step "{step}": choose another step in what leads to it'))
        reached = way.take(found, now)
        if not isinstance(reached, str):
            return way.ends(reached)
        step = reached
    return way.ends(Stuck(step, f'the flow goes round at step "{step}" without a call or a wait: put one in between'))


def _step(flow: Flow, step: str) -> AnyStep | None:
    return next((each for each in flow.steps if each.id == step), None)


class _Way:
    """One `walk`, as far as it has come."""

    def __init__(self, campaign: Campaign, facts: Facts) -> None:
        self._types = {each.name: each.type for each in campaign.fields}
        self._most, self._facts = campaign.communications, facts
        self._values, self._changed = dict(facts.values), set[str]()
        self._effects: list[TellWebhook | HandOver] = []
        self._notes: list[str] = []

    def ends(self, stop: Stop) -> Walk:
        return Walk(self._values, frozenset(self._changed), tuple(self._effects), tuple(self._notes), stop)

    def take(self, step: AnyStep, now: datetime) -> str | Stop:
        """The next step, or where it ends."""
        match step:
            case CheckStep():
                return step.match if self._holds(step) else step.otherwise
            case SetStep():
                self._set(step)
                return step.then
            case WebhookStep():
                self._effects.append(TellWebhook(step.id, step.event, dict(self._values)))
                return step.then
            case OtherFlowStep():
                self._effects.append(HandOver(step.campaign, dict(self._values)))
                return Done()
            case WaitStep():
                return WaitUntil(step.id, now + timedelta(minutes=step.minutes))
            case CallStep():
                return self._call(step)

    def _call(self, step: CallStep) -> Stop:
        if self._facts.communications >= self._most:
            return Done(f"was called {self._facts.communications} times: no more are allowed for one participant")
        return CallNow(step)

    def _set(self, step: SetStep) -> None:
        kind = self._types.get(step.field)
        if kind is None:
            self._notes.append(f'Step "{step.id}" writes into "{step.field}", which is no field: nothing was written.')
            return
        try:
            value = fitting(kind, written(step.value, self._values, self._facts.results))
        except UnfitError as unfit:
            self._notes.append(f'Step "{step.id}": what goes into "{step.field}" {unfit}. It stays as it was.')
            return
        if self._values.get(step.field, "") != value:
            self._values[step.field] = value
            self._changed.add(step.field)

    def _holds(self, step: CheckStep) -> bool:
        of, _, name = step.of.partition(" ")
        match of:
            case "field":
                return compare(step.operator, self._values.get(name, ""), step.value, self._types.get(name))
            case "result":
                return compare(step.operator, _result(self._facts.results, name), step.value, None)
            case "calls":
                return compare(step.operator, str(self._facts.communications), step.value, "number")
            case _:
                found = self._facts.outcome if of == "outcome" else self._facts.status
                return compare(step.operator, found, step.value, "text")


# -- values ------------------------------------------------------------------------------------------------------


def written(text: str, values: Mapping[str, str], results: Mapping[str, str]) -> str:
    """`text` with fields and results in their places. A place without a value goes, with the space before it."""

    def value(place: re.Match[str]) -> str:
        name = place["result"]
        given = values.get(place["field"], "") if name is None else _result(results, name)
        return f"{place[1]}{given}" if given else ""

    return _PLACE.sub(value, text).strip()


def names_written(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The fields and the results that `text` asks for."""
    places = list(_PLACE.finditer(text))
    fields = frozenset(each["field"] for each in places if each["field"])
    return fields, frozenset(each["result"] for each in places if each["result"])


def _result(results: Mapping[str, str], name: str) -> str:
    """Names of results are told apart without regard to case, as the agent's settings do."""
    wanted = name.casefold()
    return next((value for each, value in results.items() if each.casefold() == wanted), "")


def compare(operator: str, found: str, wanted: str, kind: FieldType | None) -> bool:
    """`kind`: of what is compared; None: a result, whose kind its text tells."""
    match operator:
        case "is set" | "is not set":
            return bool(found) is (operator == "is set")
        case "is" | "is not":
            return _equal(found, wanted, kind) is (operator == "is")
        case "contains":
            return wanted.casefold() in found.casefold()
        case _:
            return _ordered(operator, found, wanted)


def has_order(text: str) -> bool:
    """Whether it can be compared with "at least" and "at most"."""
    return _as_number(text) is not None or _as_date(text) is not None


def _equal(found: str, wanted: str, kind: FieldType | None) -> bool:
    if kind in (None, "number") and (pair := _both(found, wanted, _as_number)):
        return pair[0] == pair[1]
    return found.casefold() == _like(kind, wanted).casefold()


def _like(kind: FieldType | None, wanted: str) -> str:
    """As a field of that type would keep it."""
    try:
        return fitting(kind or "text", wanted)
    except UnfitError:
        return wanted


def _ordered(operator: str, found: str, wanted: str) -> bool:
    """What is neither two numbers nor two dates has no order: neither "at least" nor "at most" holds."""
    pair = _both(found, wanted, _as_number) or _both(found, wanted, _as_date)
    return pair is not None and (pair[0] >= pair[1] if operator == "at least" else pair[0] <= pair[1])


def _both(one: str, other: str, read: Callable[[str], float | None]) -> tuple[float, float] | None:
    first, second = read(one), read(other)
    return None if first is None or second is None else (first, second)


def _as_number(text: str) -> float | None:
    try:
        return float(fitting("number", text))
    except ValueError:
        return None


def _as_date(text: str) -> float | None:
    try:
        return date.fromisoformat(fitting("date", text)).toordinal()
    except ValueError:
        return None
