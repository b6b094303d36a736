"""One participant is called: what is asked of `Calling`, and what becomes of a participant who cannot be called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from app.control import verbs
from app.control.campaigns import Status
from app.control.refusals import Refusal, Why
from app.outbound.flow import CallStep
from firmware.calling import NOT_WANTED, Calling
from firmware.campaigns.ground import ground_of, must_not_be_called, number_of
from firmware.campaigns.settling import end_communication
from firmware.campaigns.stepping import Walker
from firmware.storage import SqliteLedger, attempt_records, campaign_records, participant_records
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.participant_records import ParticipantRecord
from firmware.storage.records import Db

_LISTED = "is on the do-not-call list"
_NO_NUMBER = "has no number to call"
_NO_TARGET = "its number cannot be dialled"


@dataclass(frozen=True, slots=True)
class AttemptClaim:
    """An attempt, in the transaction that opens its session: it is begun there or not at all."""

    campaign_id: str
    participant_id: int
    version: int
    step: str
    now: datetime

    def is_wanted(self, db: Db) -> bool:
        """Nobody stopped the campaign, edited the participant, or put the number on the list meanwhile."""
        campaign = campaign_records.read_campaign(db, self.campaign_id)
        participant = participant_records.read_participant(db, self.campaign_id, self.participant_id)
        if campaign is None or participant is None or campaign.state != "running":
            return False
        waits = participant.place in ("ready", "waiting") and participant.todo == "call" and not participant.trigger
        same = (participant.version, participant.step) == (self.version, self.step)
        rules = ground_of(db, campaign.settings).rules
        return waits and same and not must_not_be_called(db, number_of(campaign.settings, participant.values, rules))

    def claim(self, db: Db, call_id: str, session_id: str) -> None:
        communication_id = begun(db, self.campaign_id, self.participant_id, self.step, self.now).id
        attempt_records.insert_attempt(db, self.campaign_id, communication_id, call_id, session_id, self.now)
        participant_records.set_calling(db, self.participant_id)


def begun(db: Db, campaign_id: str, participant_id: int, step: str, now: datetime) -> attempt_records.Communication:
    """The communication that goes on with the participant, or a new one."""
    going_on = attempt_records.read_begun(db, participant_id)
    if going_on:
        return going_on
    communication_id = attempt_records.begin(db, campaign_id, participant_id, step, now)
    participant_records.note_status(db, participant_id, "Started", begins=True)
    return attempt_records.Communication(communication_id, step, {})


async def call(
    store: SqliteLedger, calling: Calling, campaign: CampaignRecord, participant: ParticipantRecord, now: datetime
) -> Refusal | None:
    """Call the participant, or take them on where they cannot be called. A refusal: nobody can be called now, and why.

    Raises: StorageFault, and nothing is changed then.
    """
    step = _call_step(campaign, participant)
    if step is None:  # the flow was edited after an error of it
        await store.transact(lambda db: _walked(db, campaign, participant, now))
        return None
    why = await store.transact(lambda db: _obstacle(db, campaign, participant))
    asked = None if why else _asked(campaign, participant, step)
    if asked:
        claim = AttemptClaim(campaign.id, participant.id, participant.version, participant.step, now)
        placed = await calling.place_claimed(asked, claim)
        if not isinstance(placed, Refusal) or placed is NOT_WANTED:
            return None
        if placed.why is not Why.INVALID or "connection_id" in placed.fields:
            return placed
        why = ("Skipped" if "target" in placed.fields else "Failed", "; ".join(placed.fields.values()))
    status, reason = why or ("Skipped", _NO_TARGET)
    await store.transact(lambda db: _passed_over(db, campaign.id, participant, status, reason, now))
    return None


def _call_step(campaign: CampaignRecord, participant: ParticipantRecord) -> CallStep | None:
    found = (each for each in campaign.settings.flow.steps if each.id == participant.step)
    return next((each for each in found if isinstance(each, CallStep)), None)


def _walked(db: Db, campaign: CampaignRecord, participant: ParticipantRecord, now: datetime) -> None:
    Walker(campaign, ground_of(db, campaign.settings), now).go(db, participant, participant.step)


def _obstacle(db: Db, campaign: CampaignRecord, participant: ParticipantRecord) -> tuple[Status, str] | None:
    number = number_of(campaign.settings, participant.values, ground_of(db, campaign.settings).rules)
    if not number:
        return "Skipped", _NO_NUMBER
    return ("Skipped", _LISTED) if must_not_be_called(db, number) else None


def _asked(campaign: CampaignRecord, participant: ParticipantRecord, step: CallStep) -> verbs.PlaceCall | None:
    """None: its number is nothing that can be asked for."""
    settings = campaign.settings
    try:
        return verbs.PlaceCall(
            agent_id=settings.agent_id,
            connection_id=settings.connection_id,
            target=participant.values.get(settings.number_field, ""),
            variables=dict(participant.values),
            greeting=step.greeting,
            ring_s=step.ring_s,
            on_machine=step.on_machine,
            message=step.message if step.on_machine == "leave message" else "",
        )
    except ValidationError:
        return None


def _passed_over(
    db: Db, campaign_id: str, participant: ParticipantRecord, status: Status, reason: str, now: datetime
) -> None:
    """A communication without another attempt; unless the participant changed meanwhile."""
    campaign = campaign_records.read_campaign(db, campaign_id)
    found = participant_records.read_participant(db, campaign_id, participant.id)
    if campaign is None or found != participant:
        return
    end_communication(db, campaign, found, begun(db, campaign_id, found.id, found.step, now), status, reason, now)
