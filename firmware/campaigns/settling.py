"""What a call that is over means for its participant. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from app.agents.reception import STOPPED
from app.brains.results import DO_NOT_CALL
from app.control.campaigns import Status
from app.outbound import retries, walking
from app.outbound.breaker import noted
from app.outbound.do_not_call import index_key
from app.ports import Result
from firmware.campaigns.ground import ground_of, number_of
from firmware.campaigns.stepping import Walker
from firmware.storage import attempt_records, campaign_records, do_not_call_records, participant_records
from firmware.storage.attempt_records import OverCall
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.participant_records import ParticipantRecord
from firmware.storage.records import Db

GOES_ON: Final = frozenset({"running", "paused", "done"})
"""States in which participants go on through the flow after a call."""

_BROUGHT_RESULTS: Final = frozenset({Result.ANSWERED.value, Result.TRANSFERRED.value})
_BY_REQUEST = "asked not to be called again"


def settle(db: Db, over: OverCall, now: datetime) -> None:
    """The attempt is accounted for: its participant waits for another one, or goes on through the flow."""
    over = _as_it_counts(over)
    attempt_records.account_for(db, over)
    results = over.results if over.outcome in _BROUGHT_RESULTS else None
    participant_records.note_outcome(db, over.participant_id, over.outcome, over.outcome_text, results)
    campaign = campaign_records.read_campaign(db, over.campaign_id)
    participant = participant_records.read_participant(db, over.campaign_id, over.participant_id)
    if campaign is None or participant is None:
        return
    campaign_records.set_breaker(db, campaign.id, noted(campaign.breaker, over.outcome, now, campaign.settings.breaker))
    asked_not_to = _mind_request(db, over, campaign, participant, now)
    _decide(db, over, campaign, participant, now, may_retry=not asked_not_to)


def _as_it_counts(over: OverCall) -> OverCall:
    """An agent or box that was stopped decided nothing about the participant."""
    if over.outcome != Result.CANCELLED.value or over.conclusion != STOPPED:
        return over
    return replace(over, outcome=Result.UNKNOWN.value, outcome_text=f"Unknown: {STOPPED} during the call")


def _mind_request(
    db: Db, over: OverCall, campaign: CampaignRecord, participant: ParticipantRecord, now: datetime
) -> bool:
    """Who asked not to be called again is on the list, from now on."""
    if over.results.get(DO_NOT_CALL) != "yes":
        return False
    number = number_of(campaign.settings, participant.values, ground_of(db, campaign.settings).rules)
    if number:
        written = participant.values[campaign.settings.number_field]
        entry = do_not_call_records.NewEntry(written, number, index_key(number), "caller", _BY_REQUEST, over.session_id)
        do_not_call_records.add(db, entry, now)
    return True


def _decide(
    db: Db,
    over: OverCall,
    campaign: CampaignRecord,
    participant: ParticipantRecord,
    now: datetime,
    *,
    may_retry: bool,
) -> None:
    goes_on = campaign.state in GOES_ON
    begun = attempt_records.read_begun(db, participant.id)
    if begun is None or begun.id != over.communication_id:  # it was ended meanwhile, by hand
        return
    decision = retries.after(over.outcome, begun.ended_so, begun.attempts, campaign.settings, now)
    if isinstance(decision, datetime) and goes_on and may_retry:
        participant_records.set_waiting(db, participant.id, decision)
        return
    status = retries.status_of(over.outcome) if isinstance(decision, datetime) else decision
    end_communication(db, campaign, participant, begun, status, "", now)


def end_communication(
    db: Db,
    campaign: CampaignRecord,
    participant: ParticipantRecord,
    begun: attempt_records.Communication,
    status: Status,
    reason: str,
    now: datetime,
) -> None:
    """And the participant goes on behind the step that called."""
    attempt_records.end(db, begun.id, status, reason, now)
    participant_records.note_status(db, participant.id, status, begins=False)
    if campaign.state not in GOES_ON:
        participant_records.put(db, participant.id, "done", "")
        return
    walker = Walker(campaign, ground_of(db, campaign.settings), now)
    fresh = replace(participant, status=status)
    if not walker.go(db, fresh, walking.following(campaign.settings.flow, begun.step)):
        participant_records.put(db, participant.id, "waiting", begun.step, due_at=now)
    if participant.trigger:
        participant_records.set_trigger(db, participant.id, participant.trigger)
