"""Whether and when a participant is called again after a call that is over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.control.campaigns import Status
from app.outbound.campaign import Campaign, Retry
from app.ports import Result

LONGEST: Final = timedelta(days=14)
"""No pause before another call is longer, however it grows: by then, a campaign is about something else."""

_STATUS: Final[Mapping[str, Status]] = {
    Result.ANSWERED.value: "Completed",
    Result.TRANSFERRED.value: "Completed",
    Result.MESSAGE_LEFT.value: "Completed",
    Result.BUSY.value: "NoResponse",
    Result.DECLINED.value: "NoResponse",
    Result.NO_ANSWER.value: "NoResponse",
    Result.MACHINE.value: "NoResponse",
    Result.CANCELLED.value: "Canceled",
}


def after(
    outcome: str, ended_so: Mapping[str, int], attempts: int, rules: Campaign, now: datetime
) -> datetime | Status:
    """When the participant is called again; or what became of the communication.

    `outcome`: of the call that is over, a word of `app.ports.Result`; "unknown" also for one that was cancelled because
    its agent or the box was stopped, since nobody decided that about the participant. `ended_so`: how many calls of the
    communication ended with each outcome, this one included. `attempts`: how many there were at all."""
    rule = next((each for each in rules.retries if each.after == outcome), None)
    if rule is None or ended_so.get(outcome, 1) >= rule.attempts or attempts >= rules.attempts:
        return status_of(outcome)
    return now + _pause(rule, ended_so.get(outcome, 1))


def status_of(outcome: str) -> Status:
    """Of a communication whose last call ended so."""
    return _STATUS.get(outcome, "Failed")


def _pause(rule: Retry, calls: int) -> timedelta:
    """After so many calls that ended like this."""
    return min(LONGEST, timedelta(minutes=rule.wait_minutes * rule.growth ** (calls - 1)))
