"""Putting a caller through: what a brain asks for, what the line tells of it, and whom it can lead to at all.

A brain names a person and never a number: the number is the one that the owner wrote beside this person. Whatever a
caller says, or a language model makes of it, nobody else is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

from app.clock import is_set
from app.office_hours import is_there
from app.settings import Agent, Person


@dataclass(frozen=True, slots=True)
class Transfer:
    """An action: put the caller through to `person` of the agent's directory, once everything said before has been
    heard."""

    person: str


class Handover(Enum):
    """How far it came."""

    ACCEPTED = "accepted"  # the phone system will do it
    TRYING = "trying"  # the other telephone is being called
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TransferStep:
    """`sip_code`: RFC 3261's, of the telephone that is called or of the phone system; 0 where none came. `rang`: the
    telephone had been ringing by then. `refused`: the phone system would not do it, whatever the telephone did.
    `reason` is for people."""

    handover: Handover
    sip_code: int = 0
    reason: str = ""
    rang: bool = False
    refused: bool = False

    @property
    def is_last(self) -> bool:
        return self.handover in (Handover.ANSWERED, Handover.FAILED)


def number_of(agent: Agent, person: str) -> str:
    """Where callers who ask for `person` are put through; empty: nowhere."""
    return next((each.extension.strip() for each in agent.directory if each.name == person), "")


def at_hour(agent: Agent, now: datetime, zone: tzinfo | None) -> Agent:
    """The agent as it is in a call that begins `now`, in an office of that zone (None: the machine's own): whoever is
    away has no extension, and whoever is there has no hours. A clock that was not set sends nobody away."""
    local = now.astimezone(zone)
    there = (not is_set(now) or is_there(each.hours, local) for each in agent.directory)
    here = {True: {"hours": ""}, False: {"extension": ""}}
    people = (each.model_copy(update=here[is_in]) for each, is_in in zip(agent.directory, there, strict=True))
    return agent.model_copy(update={"directory": tuple(people)})


def is_away(agent: Agent, person: str) -> bool:
    """Of an agent in a call."""
    return any(each.name == person and each.hours for each in agent.directory)


def reached(agent: Agent, person: str) -> str:
    """Whom callers who ask for `person` are put through to: them, or whoever stands in for them while they are away;
    empty: nobody."""
    return _reached(_by_name(agent), person)


def reach(agent: Agent) -> Mapping[str, str]:
    """The same for everybody in the directory, in one go: of 200 people it is asked for while others talk."""
    by_name = _by_name(agent)
    return {each.name: _reached(by_name, each.name) for each in agent.directory}


def reachable(agent: Agent) -> list[Person]:
    """Whom callers may ask to be put through to."""
    ways = reach(agent)
    return [each for each in agent.directory if ways[each.name]]


def _by_name(agent: Agent) -> Mapping[str, Person]:
    return {each.name.casefold(): each for each in agent.directory}


def _reached(by_name: Mapping[str, Person], person: str) -> str:
    at = by_name.get(person.casefold())
    for _ in by_name:
        if at is None or at.extension.strip():
            break
        at = by_name.get(at.stand_in.casefold()) if at.hours else None
    return at.name if at and at.extension.strip() else ""


def concluded(person: str) -> str:
    """What a talk came to that ended so."""
    return f"transferred to {person}"
