"""The flow of a campaign: what happens to each participant, as a graph of steps.

A participant is at one step, or done. A trigger puts them at a step; from there they go on, at once, until a step
lasts: a call, or a wait. `app/outbound/walking.py` is the going.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.settings import Greeting, Note, OneLine, OnMachine, Settings

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
END = "end"
"""Where a flow goes to be done with a participant."""

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")]
"""Of a participant's field: also the name of a call's variable."""

Value = Annotated[OneLine, StringConstraints(strip_whitespace=True, max_length=500)]
When = Literal["participant created", "participant updated", "communication ended", "incoming session", "other flow"]
Operator = Literal["is", "is not", "contains", "at least", "at most", "is set", "is not set"]

LONGEST_WAIT_MINUTES = 60 * 24 * 365


class Trigger(Settings):
    """What puts a participant at a step. "communication ended": where the step that called has no `then`. "incoming
    session": the participant called the campaign's agent, from the number that the campaign calls. `fields`: of
    "participant updated", only if one of these changed; none: whichever did."""

    on: When
    fields: tuple[FieldName, ...] = Field(default=(), max_length=30)
    then: StepId


class Step(Settings):
    """`note`: for people."""

    id: StepId
    note: Note = ""

    @field_validator("id")
    @classmethod
    def _not_the_end(cls, value: str) -> str:
        if value == END:
            raise ValueError(f'must not be "{END}": that is where a flow is over')
        return value


class CallStep(Step):
    """Voice communication: call the participant, as often as the campaign's retries say, and go on once it is known
    what became of it. Meanings as in `app.control.verbs.PlaceCall`. `then` empty: the trigger "communication ended"."""

    do: Literal["call"] = "call"
    greeting: Greeting | None = None
    ring_s: int = Field(default=45, ge=5, le=180)
    on_machine: OnMachine = "hang up"
    message: Greeting = Field(default="", validate_default=True)
    then: StepId | Literal[""] = ""

    @field_validator("message")
    @classmethod
    def _message_is_for_a_machine(cls, message: str, given: ValidationInfo) -> str:
        leaves = given.data.get("on_machine") == "leave message"
        if leaves and not message.strip():
            raise ValueError("must not be empty: it is the message that is left on the answering machine")
        return message


class CheckStep(Step):
    """`of`: "field NAME" (of the participant), "result NAME" (of the last call that was answered), "outcome" (of the
    last call, a word of app.ports.Result), "status" (of the last communication), or "calls" (how many communications
    there were). Text is compared without regard to case; "at least" and "at most" compare numbers and dates."""

    do: Literal["check"] = "check"
    of: Annotated[
        OneLine, StringConstraints(pattern=r"^(field [A-Za-z_][A-Za-z0-9_]{0,39}|result .{1,40}|outcome|status|calls)$")
    ]
    operator: Operator = "is"
    value: Value = ""
    match: StepId
    otherwise: StepId


class WaitStep(Step):
    """Nothing happens for so long. Calling hours are no matter here: calls wait for them by themselves."""

    do: Literal["wait"] = "wait"
    minutes: int = Field(ge=1, le=LONGEST_WAIT_MINUTES)
    then: StepId


class SetStep(Step):
    """Write into a field of the participant. "{name}" in `value` is a field of theirs, "{result:NAME}" a result of
    the last call that was answered."""

    do: Literal["set"] = "set"
    field: FieldName
    value: Value = ""
    then: StepId


class WebhookStep(Step):
    """Tell the box's webhook where the participant is, with the fields. Whether it is taken is no matter here: the
    webhook tries again by itself."""

    do: Literal["webhook"] = "webhook"
    event: Annotated[OneLine, StringConstraints(min_length=1, max_length=80)]
    then: StepId


class OtherFlowStep(Step):
    """Hand the participant to another campaign, which takes the fields that it knows; here it is done."""

    do: Literal["other flow"] = "other flow"
    campaign: Annotated[OneLine, StringConstraints(min_length=1, max_length=80)]


AnyStep = Annotated[CallStep | CheckStep | WaitStep | SetStep | WebhookStep | OtherFlowStep, Field(discriminator="do")]


def _ids_differ(steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
    ids = [each.id for each in steps]
    if doubled := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"two steps have the same id ({', '.join(doubled)}): give each one of its own")
    return steps


class Flow(Settings):
    """Where its ways lead is checked by `app/outbound/checking.py`, before a campaign starts: a flow that is half
    written can be saved."""

    triggers: tuple[Trigger, ...] = Field(default=(), max_length=20)
    steps: Annotated[tuple[AnyStep, ...], AfterValidator(_ids_differ)] = Field(default=(), max_length=100)


ONE_CALL = Flow(
    triggers=(Trigger(on="participant created", then="call"), Trigger(on="other flow", then="call")),
    steps=(CallStep(id="call", then=END),),
)
"""What a new campaign has: each participant is called."""
