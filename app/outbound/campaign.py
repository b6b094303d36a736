"""What a user can set of a campaign, as frozen models."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.outbound.flow import ONE_CALL, FieldName, Flow
from app.settings import Name, Note, OneLine, Settings, known_zone

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final[tuple[Weekday, ...]] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
"""As `datetime.weekday` counts them."""

ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    AfterValidator(lambda clock: clock.zfill(5)),
]
"""Two digits, a colon, two digits, so that they have the order of texts."""

FieldType = Literal["text", "number", "phone", "date", "yes-no", "time zone"]

Retried = Literal["busy", "declined", "no answer", "machine", "network error", "capacity", "failed", "unknown"]
"""Outcomes (words of app.ports.Result) after which a call may be placed again. "unknown": the power went."""


class ParticipantField(Settings):
    """One thing known of each participant: a column of a list, a variable of the calls. `importable`: lists may bring
    it; else only a flow or a person writes it."""

    name: FieldName
    type: FieldType = "text"
    required: bool = False
    importable: bool = True


class CallingHours(Settings):
    """On these days, from `begin` until before `end`, by the participant's clock."""

    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    begin: ClockTime = "09:00"
    end: ClockTime = Field(default="18:00", validate_default=True)

    @field_validator("end")
    @classmethod
    def _after_begin(cls, end: str, given: ValidationInfo) -> str:
        if end <= given.data.get("begin", ""):
            raise ValueError("must be later than the beginning; for hours past midnight, write two lines")
        return end


class Retry(Settings):
    """After this outcome, the participant is called again: at most `attempts` calls that end so, the first included.
    `wait_minutes` before the second, `growth` times as long before each one after it."""

    after: Retried
    attempts: int = Field(default=3, ge=1, le=10)
    wait_minutes: int = Field(default=60, ge=1, le=60 * 24 * 14)
    growth: float = Field(default=2.0, ge=1.0, le=4.0)


RETRIES: Final = (
    Retry(after="busy", attempts=4, wait_minutes=10),
    Retry(after="no answer", attempts=3, wait_minutes=120),
    Retry(after="machine", attempts=2, wait_minutes=240),
    Retry(after="network error", attempts=5, wait_minutes=5),
    Retry(after="capacity", attempts=5, wait_minutes=2),
    Retry(after="unknown", attempts=2, wait_minutes=60),
)


class BreakerRules(Settings):
    """When too many calls come to nothing because of the line, and not because of people, the campaign holds back: when
    of the last `window` calls `percent` or more failed so. After `pause_minutes` one call is tried; if it fails too,
    the pause is twice as long, up to two hours."""

    window: int = Field(default=10, ge=4, le=100)
    percent: int = Field(default=60, ge=10, le=100)
    pause_minutes: int = Field(default=10, ge=1, le=120)


class Campaign(Settings):
    """`connection_id`: only where the agent has several. `number_field`: what is dialled. `time_zone_field`: whose zone
    calling hours are in, where a participant has one; `time_zone` is for the others, and empty means the box's.
    `seats_for_inbound`: of the agent's Max opened sessions, kept free for callers. `at_once`: calls at a time, however
    many seats there are. `communications`: at most so many for one participant, whatever the flow says."""

    name: Name
    description: Note = ""
    agent_id: OneLine = Field(max_length=64)
    connection_id: OneLine | None = Field(default=None, max_length=64)
    fields: tuple[ParticipantField, ...] = Field(
        default=(ParticipantField(name="number", type="phone", required=True), ParticipantField(name="name")),
        min_length=1,
        max_length=30,
    )
    number_field: FieldName = Field(default="number", validate_default=True)
    time_zone_field: FieldName | Literal[""] = ""
    time_zone: str = Field(default="", max_length=64)
    hours: tuple[CallingHours, ...] = Field(default=(CallingHours(days=WEEKDAYS[:5]),), max_length=20)
    holidays: tuple[date, ...] = Field(default=(), max_length=400)
    retries: tuple[Retry, ...] = Field(default=RETRIES, max_length=8)
    attempts: int = Field(default=6, ge=1, le=20, description="calls of one communication, however they end")
    seats_for_inbound: int = Field(default=1, ge=0, le=16)
    at_once: int = Field(default=16, ge=1, le=16)
    breaker: BreakerRules = BreakerRules()
    communications: int = Field(default=5, ge=1, le=50)
    flow: Flow = ONE_CALL

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value) if value else ""

    @field_validator("fields")
    @classmethod
    def _names_differ(cls, fields: tuple[ParticipantField, ...]) -> tuple[ParticipantField, ...]:
        if len({each.name.casefold() for each in fields}) < len(fields):
            raise ValueError("two fields have the same name: give each a name of its own")
        return fields

    @field_validator("retries")
    @classmethod
    def _once_for_each(cls, retries: tuple[Retry, ...]) -> tuple[Retry, ...]:
        if len({each.after for each in retries}) < len(retries):
            raise ValueError("an outcome is there twice: keep one line for each")
        return retries

    @field_validator("number_field")
    @classmethod
    def _field_to_call(cls, name: str, given: ValidationInfo) -> str:
        if "fields" in given.data and _type_of(name, given.data["fields"]) != "phone":
            raise ValueError(f'("{name}") must be among the fields, of type phone')
        return name

    @field_validator("time_zone_field")
    @classmethod
    def _field_of_a_zone(cls, name: str, given: ValidationInfo) -> str:
        if name and "fields" in given.data and _type_of(name, given.data["fields"]) != "time zone":
            raise ValueError(f'("{name}") must be among the fields, of type time zone')
        return name


def _type_of(name: str, fields: tuple[ParticipantField, ...]) -> FieldType | None:
    return next((each.type for each in fields if each.name == name), None)
