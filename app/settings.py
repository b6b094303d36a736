"""What a user can set, as frozen models: the only place where settings are validated.

Unknown keys are refused, and secrets are opaque in `repr` and in errors. Report a `ValidationError` with
`errors(include_input=False, include_url=False)` only: its other forms hold what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.mail_addresses import MailAddress
from app.office_hours import fault_of as fault_of_people
from app.office_hours import known_hours
from app.result_rules import fault_of
from app.web_addresses import listing_address

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def one_line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must be one line of text, without control characters")
    return value


def _lines(value: str) -> str:
    value = value.replace("\r\n", "\n")
    if _CONTROL_BUT_LINES.search(value):
        raise ValueError("must be text, without control characters")
    return value


def reveal(secret: SecretStr, info: SerializationInfo) -> str:
    """A secret leaves a model in clear only where it goes to the vault's own process, and into a backup."""
    return secret.get_secret_value() if info.context == REVEAL_SECRETS else "**********"


REVEAL_SECRETS: Final = "reveal secrets"
"""Context for `model_dump_json` on the control socket and in what a backup seals, and nowhere else."""

_PLAIN = Field(json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"})
_PLAIN_LINES = Field(json_schema_extra={"pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"})
"""What `one_line` and `_lines` check, for those who read the schema."""

OneLine = Annotated[str, AfterValidator(one_line), _PLAIN]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(one_line), _PLAIN
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_lines), _PLAIN_LINES]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(_lines), _PLAIN_LINES
]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(one_line), _PLAIN
]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")]
VariableText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(one_line)]
OnMachine = Literal["ignore", "hang up", "leave message"]
"""What to do when an answering machine answers a call of ours. "ignore": talk to it as to anybody."""
Greeting = Annotated[str, StringConstraints(max_length=500), AfterValidator(_lines)]
"""What the agent says first. "{name}" in it is a variable of the call."""

Secret = Annotated[
    SecretStr,
    Field(max_length=256),
    AfterValidator(lambda secret: SecretStr(one_line(secret.get_secret_value()))),
    _PLAIN,
    PlainSerializer(reveal, when_used="json"),
]

_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f][ :]?){64}")
HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_SIP_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]{1,64}")  # RFC 3261 25.1 `user`, plus # for PBX codes


def _matching(pattern: re.Pattern[str], *, optional: bool = False) -> dict[str, JsonValue]:
    """The pattern for those who read the schema: the validators below say it in words."""
    return {"pattern": f"^(?:{pattern.pattern}){'?' if optional else ''}$"}


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DialRules(Settings):
    """How numbers of the public network are dialled: put into a form, then `strip` off their beginning, then `prefix`
    before them. Extensions (numbers of at most so many digits), codes with * or # and SIP addresses are dialled as
    given. `trunk_prefix` and `international_prefix`: what people of the country dial before an area code, and before
    another country's code."""

    number_form: Literal["as given", "e164", "national"] = "as given"
    country_code: str = Field(default="", pattern=r"^([1-9][0-9]{0,2})?$", validate_default=True)
    trunk_prefix: str = Field(default="0", pattern=r"^[0-9]{0,4}$")
    international_prefix: str = Field(default="00", pattern=r"^[0-9]{0,5}$")
    strip: str = Field(default="", pattern=r"^[0-9*#+]{0,16}$")
    prefix: str = Field(default="", pattern=r"^[0-9*#+]{0,16}$")
    extension_digits: int = Field(default=5, ge=0, le=10)

    @field_validator("country_code")
    @classmethod
    def _code_for_form(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("number_form", "as given") != "as given":
            raise ValueError("must be filled in for this form of numbers, e.g. 49 for Germany or 1 for the USA")
        return value


class Account(Settings):
    """A SIP account at the PBX, as its administrator gave it out, without its secrets."""

    name: Name
    description: Note = ""
    domain: str = Field(max_length=300, examples=["pbx.office.lan"], json_schema_extra=_matching(HOST))
    user: str = Field(max_length=64, examples=["200"], json_schema_extra=_matching(_SIP_USER))
    caller_id: OneLine = Field(default="", max_length=64)
    caller_id_from: Literal["name", "user", "no"] = Field(default="name", description="its place in the From header")
    caller_id_asserted: bool = Field(default=True, description="also as P-Asserted-Identity")
    transport: Literal["udp", "tcp", "tls"] = "udp"
    tls_fingerprint: str = Field(
        default="",
        max_length=120,
        description="SHA-256 of the PBX's own certificate",
        json_schema_extra=_matching(_FINGERPRINT, optional=True),
    )
    proxy: str = Field(default="", max_length=300, json_schema_extra=_matching(HOST, optional=True))
    expiry_s: int = Field(default=300, ge=60, le=7200)
    local_port: int = Field(default=0, ge=0, le=65535, description="0: any free port")
    srtp: Literal["off", "optional", "mandatory"] = Field(default="off", description="encrypted audio, keyed by SDES")
    dialling: DialRules = DialRules()

    @field_validator("domain", "proxy")
    @classmethod
    def _host(cls, value: str) -> str:
        if value and not HOST.fullmatch(value):
            raise ValueError('must be a host name or address, optionally with a port, e.g. "pbx.office.lan:5060"')
        return value

    @field_validator("domain")
    @classmethod
    def _domain_given(cls, value: str) -> str:
        if not value:
            raise ValueError("must not be empty: it is the address of the PBX")
        return value

    @field_validator("tls_fingerprint")
    @classmethod
    def _fingerprint(cls, value: str) -> str:
        if value and not _FINGERPRINT.fullmatch(value):
            raise ValueError("must be a SHA-256 fingerprint: 64 digits from 0 to F, with or without colons")
        return ":".join(re.findall("..", re.sub("[ :]", "", value).upper()))

    @field_validator("user")
    @classmethod
    def _user(cls, value: str) -> str:
        if not _SIP_USER.fullmatch(value):
            raise ValueError("must be the extension or user name that the PBX gave out, without sip: and domain")
        return value


class Connection(Account):
    """A SIP account with its secrets. `login`: only where it differs from `user`."""

    password: SecretStr
    login: SecretStr | None = None


class ConnectionDraft(Account):
    """A connection as a form sends it: a secret that is None stays as it is stored; an empty `login` is removed."""

    password: Secret | None = None
    login: Secret | None = None


VoiceName = Literal["slt", "rms"]


class Knowledge(Settings):
    """One thing the agent knows: ways to ask for it, and the answer in its owner's words."""

    questions: tuple[Words, ...] = Field(min_length=1, max_length=30)
    answer: Text


Hours = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120), AfterValidator(known_hours)]


class Person(Settings):
    """Somebody callers may ask for."""

    name: Words
    extension: str = Field(default="", max_length=32)
    also: tuple[Words, ...] = Field(default=(), description="departments, duties: other words for this person")
    hours: Hours = Field(default="", examples=["Mon-Thu 8-18; Fri 8-13"], description="empty: always there")
    stand_in: OneLine = Field(default="", max_length=200, description="who is called instead outside these hours")


NOTED_RESULTS: Final = ("name", "number", "message", "wanted")
"""The result fields that the receptionist notes in passing, when it takes a message: who called, on which number, what
for, and whom they wanted. It asks for one of them only where the field has a question of its own; for all others it
always asks."""


class ResultField(Settings):
    """Something that a call should bring, stored with its session under `name`. `question`: what is said to ask for it;
    "{name}" in it is a variable of the call. `description` says what is meant, to a language model, and in a question
    where there is none. `choices`: of a choice, and of nothing else. `only_after`: an answer to one of the results
    before it; any other, and this one is not asked for."""

    name: Annotated[Name, Field(max_length=40)]
    description: str = Field(default="", max_length=200)
    question: str = Field(default="", max_length=300, description="empty: made of the other fields")
    type: Literal["text", "number", "yes-no", "choice"] = "text"
    choices: tuple[Words, ...] = Field(default=(), max_length=20)
    required: bool = False
    only_after: str = Field(default="", max_length=200, description="an answer to an earlier result; empty: always")

    @field_validator("description", "question", "only_after")
    @classmethod
    def _one_line_only(cls, value: str) -> str:
        return one_line(value.strip())

    @model_validator(mode="after")
    def _choices_of_a_choice(self) -> ResultField:
        if self.type == "choice" and len(self.choices) < 2:
            raise ValueError("a choice needs two values or more to choose from")
        if self.type != "choice" and self.choices:
            raise ValueError("only a choice has values to choose from: remove them, or make the type a choice")
        return self


StateName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Transition(Settings):
    """A way on to the state `to`. `when`: in words, for a language model, which then may choose it. The box takes it by
    itself, whoever talks, once the result `result` is there (with the `value`, if one is given), or the caller says one
    of the phrases of `said`. Any one of the three is enough."""

    to: StateName
    when: str = Field(default="", max_length=300)
    result: str = Field(default="", max_length=40)
    value: str = Field(default="", max_length=200)
    said: tuple[Words, ...] = Field(default=(), max_length=20)

    @field_validator("when", "result", "value")
    @classmethod
    def _one_line_only(cls, value: str) -> str:
        return one_line(value.strip())


class State(Settings):
    """A part of a conversation. `says`: what is said when it begins. `instructions`: to a language model. `tools`: what
    may be done here besides talking, by the names that app.brains.tools has, or a tool of the owner's; None: whatever
    the agent may. `asks`: the results that are asked for here. `last`: the call may end here."""

    name: StateName
    says: Greeting = ""
    instructions: str = Field(default="", max_length=2000)
    tools: tuple[Words, ...] | None = Field(default=None, max_length=20)
    asks: tuple[Annotated[Name, Field(max_length=40)], ...] = Field(default=(), max_length=30)
    last: bool = False
    then: tuple[Transition, ...] = Field(default=(), max_length=8)

    @field_validator("instructions")
    @classmethod
    def _plain_text(cls, value: str) -> str:
        return _lines(value)


class Workflow(Settings):
    """The states of a conversation. Whether they fit together is checked by `app/workflow_checks.py`, when an agent is
    saved."""

    first: StateName
    states: tuple[State, ...] = Field(max_length=20)

    @field_validator("states")
    @classmethod
    def _not_empty(cls, states: tuple[State, ...]) -> tuple[State, ...]:
        """As a validator, since what is wrong with a state would be told as its absence too."""
        if not states:
            raise ValueError("must have one state or more; for none, leave the workflow out")
        return states


class Agent(Settings):
    """An agent: what it says, what it knows, and how it behaves in a call."""

    name: Name
    description: Note = ""
    greeting: Greeting = Field(default="", description="empty: wait for the caller to speak first")
    hours: str = Field(default="", max_length=500)
    instructions: str = Field(default="", max_length=8000, description="read by a language model only")
    knowledge: tuple[Knowledge, ...] = Field(default=(), max_length=200)
    directory: tuple[Person, ...] = Field(default=(), max_length=200)
    announcement: VariableText = Field(
        default="", description="said first to whomever a caller is put through to; “{caller}” in it is who calls"
    )
    announced_take_by_key: bool = Field(default=False, description="and only who then presses 1 gets the caller")
    vocabulary: tuple[Words, ...] = Field(default=(), max_length=500, description="other words to recognise")
    result_fields: tuple[ResultField, ...] = Field(default=(), max_length=30)
    workflow: Workflow | None = Field(default=None, description="none: one conversation without states")
    mail_to: tuple[MailAddress, ...] = Field(default=(), max_length=10, description="told after a call, by e-mail")
    mail_when: Literal["every call", "something to tell"] = "something to tell"
    goodbye: Text = "Thank you for calling. Good-bye."
    voice: VoiceName = "slt"
    max_opened_sessions: int = Field(default=2, ge=1, le=16)
    pause_ms: int = Field(default=450, ge=200, le=3000, description="silence after which the agent answers")
    barge_in: bool = True
    protect_greeting: bool = Field(default=False, description="the greeting is said to its end, whoever speaks")
    presses_keys: bool = Field(default=False, description="a language model may press keys for whoever is called")
    silence_s: float = Field(default=60.0, ge=5.0, le=600.0)

    @field_validator("hours", "instructions")
    @classmethod
    def _plain_text(cls, value: str) -> str:
        return _lines(value)

    @model_validator(mode="after")
    def _something_to_do(self) -> Agent:
        if fault := fault_of_people(self.directory):
            raise ValueError(fault)
        return self

    @field_validator("result_fields")
    @classmethod
    def _fit_together(cls, fields: tuple[ResultField, ...]) -> tuple[ResultField, ...]:
        if fault := fault_of(fields):
            raise ValueError(fault)
        return fields


@cache
def zones_by_name() -> Mapping[str, str]:
    """The time zones of the system's database by their names in lower case: looked for once, which is slow."""
    return {name.casefold(): name for name in available_timezones()}


def known_zone(value: str) -> str:
    """`value`. Raises: ValueError."""
    if value not in zones_by_name().values():
        raise ValueError('must be a time zone by its IANA name, e.g. "Europe/Berlin"')
    return value


class Box(Settings):
    """The box itself. `retention_days` 0: sessions are kept until somebody deletes them. `update_address`: asked daily
    for newer versions; empty: nobody is asked."""

    name: str = Field(default="deskbell", pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")
    time_zone: Annotated[str, AfterValidator(known_zone)] = Field(
        default="UTC", max_length=64, examples=["Europe/Berlin"]
    )
    language: Literal["en"] = "en"
    retention_days: int = Field(default=90, ge=0, le=3650)
    update_address: Annotated[str, AfterValidator(listing_address)] = Field(default="", max_length=500)
