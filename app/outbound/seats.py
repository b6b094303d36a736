"""How many calls each campaign of an agent may begin now. Pure; `Reception.reserve` stays the judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """What a campaign would like. `running`: its calls that go on. `ready`: participants whom it could call now.
    `waiting_since`: when it last began a call, or was started. `at_once`, `seats_for_inbound`: as in `Campaign`."""

    campaign_id: str
    running: int
    ready: int
    waiting_since: datetime
    at_once: int
    seats_for_inbound: int


def shares(claims: Sequence[Claim], max_opened_sessions: int, opened: int) -> dict[str, int]:
    """How many calls each campaign (by id) may begin: seat by seat, to the one with the fewest calls, then to the one
    that has waited longest. `opened`: all sessions of the agent now, whoever began them."""
    given = {claim.campaign_id: 0 for claim in claims}
    while True:
        free = max_opened_sessions - opened - sum(given.values())
        hungry = [claim for claim in claims if _may(claim, given[claim.campaign_id], free)]
        if not hungry:
            return given
        first = min(hungry, key=lambda claim: _turn(claim, given[claim.campaign_id]))
        given[first.campaign_id] += 1


def _may(claim: Claim, given: int, free: int) -> bool:
    return given < claim.ready and claim.running + given < claim.at_once and free > claim.seats_for_inbound


def _turn(claim: Claim, given: int) -> tuple[int, datetime, str]:
    return claim.running + given, claim.waiting_since, claim.campaign_id
