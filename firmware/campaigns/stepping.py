"""Participants taken on through their flow, and what that brings about. Inside one transaction of
`SqliteLedger.transact`: whoever is killed in between has done nothing of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.outbound import walking
from app.outbound.participants import row
from firmware.campaigns.ground import Ground, ground_of, number_of, zone_of
from firmware.storage import attempt_records, campaign_records, participant_records, webhook_records
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.participant_records import Came, NewParticipant, ParticipantRecord
from firmware.storage.records import Db

STEP_EVENT = "campaign.step"
"""Of what a flow tells the webhook."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Walker:
    """Who takes the participants of one campaign on."""

    campaign: CampaignRecord
    ground: Ground
    now: datetime

    def take_on(self, db: Db, participant: ParticipantRecord) -> bool:
        """From where a trigger puts them, or from the wait that is over. False: the flow has an error there, and the
        campaign stands still; they stay where they are."""
        flow = self.campaign.settings.flow
        if participant.trigger is None:
            return self.go(db, participant, walking.following(flow, participant.step))
        step = walking.triggered(flow, participant.trigger.on, participant.trigger.fields)
        if step is None:
            self._stay(db, participant)
            return True
        if begun := attempt_records.read_begun(db, participant.id):
            attempt_records.end(db, begun.id, "Canceled", "a trigger of the flow came first", self.now)
            participant_records.note_status(db, participant.id, "Canceled", begins=False)
        return self.go(db, participant, step)

    def go(self, db: Db, participant: ParticipantRecord, step: str) -> bool:
        """From `step` on. Answers as `take_on`."""
        campaign = self.campaign.settings
        way = walking.walk(campaign, step, _facts(participant), self.now)
        if isinstance(way.stop, walking.Stuck):
            campaign_records.set_state(db, self.campaign.id, "error", _stuck(way.stop))
            return False
        if way.changed:
            number = number_of(campaign, way.values, self.ground.rules)
            participant_records.set_values(db, participant.id, way.values, number, zone_of(campaign, way.values))
        for note in way.notes:
            _log.warning("a campaign's flow does not do what it says", extra={"problem": note})
        for effect in way.effects:
            self._bring_about(db, participant, effect)
        self._put(db, participant.id, way.stop)
        return True

    def _put(self, db: Db, participant_id: int, stop: walking.CallNow | walking.WaitUntil | walking.Done) -> None:
        match stop:
            case walking.CallNow(step):
                participant_records.put(db, participant_id, "ready", step.id, todo="call")
            case walking.WaitUntil(step_id, due_at):
                participant_records.put(db, participant_id, "waiting", step_id, due_at=due_at)
            case walking.Done():
                participant_records.put(db, participant_id, "done", "")

    def _stay(self, db: Db, participant: ParticipantRecord) -> None:
        """What came is no trigger of this flow. Who has not begun it is done."""
        if participant.place == "ready" and not participant.step:
            participant_records.put(db, participant.id, "done", "")
        else:
            participant_records.forget_trigger(db, participant.id)

    def _bring_about(
        self, db: Db, participant: ParticipantRecord, effect: walking.TellWebhook | walking.HandOver
    ) -> None:
        match effect:
            case walking.TellWebhook(step, event, values):
                body = _told(self.campaign, participant, step, event, values)
                webhook_records.add_delivery(db, STEP_EVENT, body, self.now)
            case walking.HandOver(name, values):
                hand_over(db, name, values)


def hand_over(db: Db, name: str, values: Mapping[str, str]) -> None:
    """To the campaign of that name, which takes the fields that it knows, if they fit. Who is there already is updated
    and triggered."""
    target = campaign_records.find_campaign(db, name)
    if target is None:
        _log.warning("a flow hands participants to a campaign that is not there; they are done")
        return
    campaign = target.settings
    known = {each.name for each in campaign.fields}
    brought = row({name: value for name, value in values.items() if name in known}, campaign.fields).values
    ground = ground_of(db, campaign)
    number = number_of(campaign, brought, ground.rules)
    there = participant_records.find_by_number(db, target.id, number)
    if there is None:
        new = NewParticipant(brought, number, zone_of(campaign, brought), Came("other flow"))
        participant_records.insert_participant(db, target.id, new)
        return
    if before := participant_records.read_participant(db, target.id, there):
        merged = {**before.values, **brought}
        participant_records.set_values(db, there, merged, number, zone_of(campaign, merged))
        participant_records.set_trigger(db, there, Came("other flow"))


def _facts(participant: ParticipantRecord) -> walking.Facts:
    return walking.Facts(
        participant.values,
        participant.results,
        participant.outcome,
        participant.status,
        participant.communications,
    )


def _stuck(stop: walking.Stuck) -> str:
    return f"The campaign stands still: {stop.reason}. Nobody was lost. Mend the flow, then start it again."


def _told(
    campaign: CampaignRecord, participant: ParticipantRecord, step: str, event: str, values: Mapping[str, str]
) -> Mapping[str, object]:
    return {
        "campaign": {"id": campaign.id, "name": campaign.settings.name},
        "step": {"id": step, "event": event},
        "participant": {
            "id": participant.id,
            "values": dict(values),
            "communications": participant.communications,
            "status": participant.status,
            "outcome": participant.outcome,
            "results": dict(participant.results),
        },
    }
