"""Putting a caller through: what a brain asks for, what the line tells of it, and whom it can lead to at all.

A brain names a person and never a number: the number is the one that the owner wrote beside this person. Whatever a
caller says, or a language model makes of it, nobody else is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.settings import Agent


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


def concluded(person: str) -> str:
    """What a talk came to that ended so."""
    return f"transferred to {person}"
