"""Why a campaign cannot start: what is wrong, where, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from app.control.campaigns import Problem
from app.control.views import AgentPlan
from app.outbound.campaign import Campaign
from app.outbound.flow import END, Flow, OtherFlowStep, Trigger
from app.outbound.step_checks import problems_of_step
from app.outbound.ways import at_once, ends_asked_for, reached, rounds, ways_out
from app.outbound.windows import next_opening
from app.settings import Account


def problems(
    campaign: Campaign,
    agents: Mapping[str, AgentPlan],
    connections: Mapping[str, Account],
    others: Sequence[Campaign],
    now: datetime,
) -> tuple[Problem, ...]:
    """`agents` and `connections` by id; `others`: all campaigns but this one. None: it can start."""
    agent = agents.get(campaign.agent_id)
    found = [
        *_of_agent(campaign, agent, connections),
        *_of_hours(campaign, now),
        *_of_triggers(campaign),
        *_of_ways(campaign.flow),
        *_of_steps(campaign, agent),
        *_of_hand_overs(campaign, others),
    ]
    return tuple(Problem(where=where, text=text) for where, text in found)


_Found = Iterator[tuple[str, str]]


def _of_agent(campaign: Campaign, agent: AgentPlan | None, connections: Mapping[str, Account]) -> _Found:
    if agent is None:
        gone = "The agent was deleted" if campaign.agent_id else "Nobody is there to call"
        yield "agent_id", f"{gone}: choose an agent."
        return
    name, attached = agent.settings.name, [each.connection_id for each in agent.attachments]
    usable = {each: connections[each].name for each in attached if each in connections}
    if not usable:
        yield "agent_id", f"The agent “{name}” has no connection to call through: attach one, or choose another agent."
    elif campaign.connection_id and campaign.connection_id not in usable:
        yield "connection_id", f"The agent “{name}” does not use this connection: choose {_one_of(usable.values())}."
    elif not campaign.connection_id and len(usable) > 1:
        yield "connection_id", f"The agent “{name}” has several connections: choose {_one_of(usable.values())}."
    seats = agent.settings.max_opened_sessions
    if campaign.seats_for_inbound >= seats:
        text = (
            f"No seat is left for calls: Max opened sessions of the agent “{name}” is {seats}, and "
            f"{campaign.seats_for_inbound} of them are to be free for callers. Keep fewer free, or raise it."
        )
        yield "seats_for_inbound", text


def _of_hours(campaign: Campaign, now: datetime) -> _Found:
    if not campaign.hours:
        yield "hours", "There are no calling hours, so nobody would be called: add the days and hours for calls."
    elif next_opening(campaign.hours, campaign.holidays, campaign.time_zone or "UTC", now) is None:
        text = (
            "Every day with calling hours is a holiday in the coming year, so nobody would be called: take holidays "
            "away, or add other days."
        )
        yield "holidays", text


# -- the flow ----------------------------------------------------------------------------------------------------


def _of_triggers(campaign: Campaign) -> _Found:
    flow, names = campaign.flow, {each.name for each in campaign.fields}
    if not flow.triggers:
        yield "flow.triggers", "Nothing begins the flow: add a trigger, e.g. “participant created”."
    for place, trigger in enumerate(flow.triggers):
        where = f"flow.triggers.{place}"
        yield from _of_fields(trigger, names, where)
        if _never_comes(trigger, [each for each in flow.triggers[:place] if each.on == trigger.on]):
            text = (
                f"“{trigger.on}” is there twice, and the first one takes all: remove one, or let them look at "
                "different fields."
            )
            yield f"{where}.on", text
    if not ends_asked_for(flow):
        for place, trigger in enumerate(flow.triggers):
            if trigger.on == "communication ended":
                text = (
                    "“communication ended” never happens here, since every call says where it goes on: remove the "
                    "trigger, or leave the next step of a call empty."
                )
                yield f"flow.triggers.{place}.on", text


def _of_fields(trigger: Trigger, names: Collection[str], where: str) -> _Found:
    if trigger.fields and trigger.on != "participant updated":
        yield f"{where}.fields", f"“{trigger.on}” looks at no fields: remove them, or choose “participant updated”."
    for name in trigger.fields:
        if name not in names:
            yield f"{where}.fields", f"There is no field “{name}”: add it to the fields, or choose another one."


def _never_comes(trigger: Trigger, before: Sequence[Trigger]) -> bool:
    """Whether one of those before it, of its kind, is always the first that fits."""
    if any(not each.fields for each in before):
        return True
    taken = {name for each in before for name in each.fields}
    return bool(trigger.fields) and taken >= set(trigger.fields)


def _of_ways(flow: Flow) -> _Found:
    ids = {each.id for each in flow.steps} | {END}
    if not flow.steps:
        yield "flow.steps", "The flow has no steps, so nobody would be called: add one, e.g. “call”."
    for place, trigger in enumerate(flow.triggers):
        if trigger.then not in ids:
            yield f"flow.triggers.{place}.then", _nowhere(f"The trigger “{trigger.on}”", trigger.then)
    has_trigger = any(each.on == "communication ended" for each in flow.triggers)
    there = reached(flow)
    for place, step in enumerate(flow.steps):
        for name, then in ways_out(step):
            if not then and not has_trigger:
                text = (
                    f"Nothing follows on the call “{step.id}”: choose the next step or “{END}”, or add a trigger "
                    "“communication ended”."
                )
                yield f"flow.steps.{place}.{name}", text
            elif then and then not in ids:
                yield f"flow.steps.{place}.{name}", _nowhere(f"The step “{step.id}”", then)
        if flow.triggers and step.id not in there:
            yield (
                f"flow.steps.{place}.id",
                f"Nobody comes to the step “{step.id}”: let a trigger or another step lead to it, or remove it.",
            )
    yield from _of_rounds(flow)


def _of_rounds(flow: Flow) -> _Found:
    places = {each.id: place for place, each in enumerate(flow.steps)}
    for way in rounds(flow):
        names = " → ".join((*way, way[0]))
        text = (
            f"The flow goes round without end: {names}. Put a wait or a call in between, or let one of them lead "
            "elsewhere."
        )
        yield f"flow.steps.{places[way[0]]}", text


def _of_steps(campaign: Campaign, agent: AgentPlan | None) -> _Found:
    for place, step in enumerate(campaign.flow.steps):
        for name, text in problems_of_step(step, campaign, agent.settings if agent else None):
            yield f"flow.steps.{place}.{name}", text


def _nowhere(what: str, then: str) -> str:
    return f"{what} leads to “{then}”, which does not exist: choose another step, or “{END}”."


def _one_of(names: Collection[str]) -> str:
    return " or ".join(f"“{name}”" for name in names)


# -- other campaigns ---------------------------------------------------------------------------------------------


def _of_hand_overs(campaign: Campaign, others: Sequence[Campaign]) -> _Found:
    known = {each.name.casefold(): each for each in others}
    for place, step in enumerate(campaign.flow.steps):
        if isinstance(step, OtherFlowStep):
            if why := _wrong_target(campaign, step.campaign, known):
                yield f"flow.steps.{place}.campaign", why
            elif _comes_back(campaign, step, known):
                text = (
                    f"The campaign “{step.campaign}” hands participants back at once, so that they go round without "
                    "end: put a wait or a call in between."
                )
                yield f"flow.steps.{place}.campaign", text


def _wrong_target(campaign: Campaign, name: str, known: Mapping[str, Campaign]) -> str:
    if name.casefold() == campaign.name.casefold():
        return "A campaign cannot hand participants to itself: let a step lead to another step instead."
    target = known.get(name.casefold())
    if target is None:
        return f"There is no campaign “{name}”: create it first, or choose another one."
    if not any(each.on == "other flow" for each in target.flow.triggers):
        return f"The campaign “{name}” takes nobody over: add the trigger “other flow” to its flow."
    return ""


def _comes_back(campaign: Campaign, step: OtherFlowStep, known: Mapping[str, Campaign]) -> bool:
    """Whether somebody who was handed to this campaign is handed on by `step` at once, and comes back so."""
    if step not in at_once(campaign.flow, "other flow"):
        return False
    seen: set[str] = set()
    waiting = [step.campaign.casefold()]
    while waiting:
        name = waiting.pop()
        if name == campaign.name.casefold():
            return True
        if name in known and name not in seen:
            seen.add(name)
            waiting += _handed_on(known[name])
    return False


def _handed_on(campaign: Campaign) -> list[str]:
    steps = at_once(campaign.flow, "other flow")
    return [each.campaign.casefold() for each in steps if isinstance(each, OtherFlowStep)]
