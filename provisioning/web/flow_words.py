"""A campaign's flow in words: short in the drawing, whole sentences beside it. Pure."""

from __future__ import annotations

from app.outbound.flow import (
    END,
    AnyStep,
    CallStep,
    CheckStep,
    Flow,
    OtherFlowStep,
    SetStep,
    Trigger,
    WaitStep,
    WebhookStep,
)

KINDS = (
    ("call", "Call the participant"),
    ("check", "Check something, and go one way or the other"),
    ("wait", "Wait"),
    ("set", "Write into a field"),
    ("webhook", "Tell the webhook"),
    ("other flow", "Hand over to another campaign"),
)
WHENS = (
    ("participant created", "A participant was added"),
    ("participant updated", "A participant was changed"),
    ("communication ended", "A call step is over that leads nowhere else"),
    ("incoming session", "A participant called us"),
    ("other flow", "Another campaign handed somebody over"),
)
OPERATORS = (
    ("is", "is"),
    ("is not", "is not"),
    ("contains", "contains"),
    ("at least", "is at least"),
    ("at most", "is at most"),
    ("is set", "is filled in"),
    ("is not set", "is empty"),
)
_OPERATORS, _WHENS = dict(OPERATORS), dict(WHENS)
_WITHOUT_VALUE = ("is set", "is not set")
_UNITS = ((60 * 24, "day"), (60, "hour"), (1, "minute"))
_WHOLE = {"outcome": "the outcome of the last call", "status": "the last status", "calls": "the number of calls"}


def of_trigger(trigger: Trigger) -> str:
    return _WHENS[trigger.on] + (f" ({', '.join(trigger.fields)})" if trigger.fields else "")


def of_step(step: AnyStep) -> str:
    """What it does, without where it leads."""
    match step:
        case CallStep():
            return "Call" + _about_machines(step)
        case CheckStep():
            return f"If {condition(step)}"
        case WaitStep():
            return f"Wait {duration(step.minutes)}"
        case SetStep():
            return f"Write “{step.value}” into {step.field}"
        case WebhookStep():
            return f"Tell the webhook “{step.event}”"
        case OtherFlowStep():
            return f"Hand over to “{step.campaign}”"


def _about_machines(step: CallStep) -> str:
    return {"leave message": ", leave a message on machines", "ignore": ", talk to machines too"}.get(
        step.on_machine, ""
    )


def condition(step: CheckStep) -> str:
    value = "" if step.operator in _WITHOUT_VALUE else f" “{step.value}”"
    return f"{subject(step.of)} {_OPERATORS[step.operator]}{value}"


def subject(of: str) -> str:
    kind, _, name = of.partition(" ")
    return _WHOLE.get(of, f"the {kind} {name}")


def duration(minutes: int) -> str:
    """In the largest unit that says it exactly."""
    size, unit = next((size, unit) for size, unit in _UNITS if minutes % size == 0)
    count = minutes // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def ways(step: AnyStep) -> tuple[tuple[str, str], ...]:
    """Where it leads: what has to be the case for that, and the step."""
    match step:
        case CheckStep():
            return (("yes", step.match), ("otherwise", step.otherwise))
        case OtherFlowStep():
            return ()
        case _:
            return (("", step.then),)


def sentences(flow: Flow) -> list[tuple[str, str]]:
    """The whole flow: what of it, and what happens there."""
    triggers = [("Begins", f"{of_trigger(each)}: go to {target(each.then)}.") for each in flow.triggers]
    return [*triggers, *((each.id, f"{of_step(each)}{_leads(each)}.") for each in flow.steps)]


def _leads(step: AnyStep) -> str:
    told = [f"{f'{when}, ' if when else ''}go to {target(where)}" for when, where in ways(step)]
    return (": " if isinstance(step, CheckStep) else ", then " if told else "") + "; ".join(told)


def target(step_id: str) -> str:
    if not step_id:
        return "where “A call step is over” leads"
    return "the end" if step_id == END else f"“{step_id}”"
