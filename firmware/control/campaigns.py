"""Verbs of campaigns: their settings and their life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from app.control import campaigns as asked
from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.outbound.campaign import Campaign
from app.outbound.checking import problems
from firmware.campaigns import Campaigns
from firmware.campaigns.ground import is_zone
from firmware.control.events import Events
from firmware.control.refusing import missed, not_found, taken
from firmware.storage import SqliteLedger, attempt_records, campaign_records, participant_records, records
from firmware.storage.campaign_records import CampaignRecord, Standing

T = TypeVar("T")

AT_ANY_TIME: Final = frozenset(
    """
    name description time_zone hours holidays retries attempts seats_for_inbound at_once breaker communications
    """.split()
)
"""Settings that may change while the campaign runs, and count at once."""

_LIVES = ("running", "paused")


class CampaignVerbs:
    def __init__(self, store: SqliteLedger, service: Campaigns, events: Events) -> None:
        self._store, self._service, self._events = store, service, events

    async def list_campaigns(self, _: verbs.Empty) -> asked.CampaignList:
        return asked.CampaignList(items=await self._store.transact(self._lines))

    async def get_campaign(self, ask: verbs.ById) -> asked.CampaignView | Refusal:
        return await self._store.transact(lambda db: self._view(db, ask.id))

    async def check_campaign(self, ask: asked.CheckCampaign) -> asked.Problems:
        return asked.Problems(items=await self._store.transact(lambda db: found_problems(db, ask.settings, ask.id)))

    async def create_campaign(self, ask: asked.CreateCampaign) -> asked.CampaignView | Refusal:
        def write(db: records.Db) -> asked.CampaignView | Refusal:
            fresh = CampaignRecord(records.new_id(), 1, datetime.now(UTC), ask.settings)
            taken_by = campaign_records.write_campaign(db, fresh)
            return taken(taken_by, "campaign") if taken_by else self._view(db, fresh.id)

        return self._told(await self._store.transact(write))

    async def update_campaign(self, ask: asked.UpdateCampaign) -> asked.CampaignView | Refusal:
        def write(db: records.Db) -> asked.CampaignView | Refusal:
            old = campaign_records.read_campaign(db, ask.id)
            if why := records.miss(old.version if old else None, ask.if_version):
                return missed(why, "campaign")
            if old is None:
                return not_found("campaign")
            if refusal := _not_now(old, ask.settings) or _numbers_elsewhere(db, old, ask.settings):
                return refusal
            record = replace(old, version=old.version + 1, modified_at=datetime.now(UTC), settings=ask.settings)
            if taken_by := campaign_records.write_campaign(db, record):
                return taken(taken_by, "campaign")
            if old.settings.time_zone_field != ask.settings.time_zone_field:
                participant_records.set_zones(db, record.id, ask.settings.time_zone_field, is_zone)
            return self._view(db, record.id)

        return self._told(await self._store.transact(write))

    async def delete_campaign(self, ask: verbs.Delete) -> views.Nothing | Refusal:
        """Its calls that go on are finished, and their sessions stay."""

        def delete(db: records.Db) -> views.Nothing | Refusal:
            record = campaign_records.read_campaign(db, ask.id)
            if record is None:
                return not_found("campaign")
            if record.state in _LIVES and not ask.confirmed:
                return _runs(record)
            campaign_records.delete_campaign(db, ask.id)
            return views.Nothing()

        answer = await self._store.make_room(delete)
        if not isinstance(answer, Refusal):
            self._service.changed(ask.id)
        return self._told(answer)

    # -- life ----------------------------------------------------------------------------------------------------

    async def start_campaign(self, ask: verbs.ById) -> asked.CampaignView | Refusal:
        def start(db: records.Db, record: CampaignRecord) -> Refusal | None:
            if record.state == "paused":
                return _state(record, "started", "it is paused. Resume it")
            if record.state == "running":
                return None
            return self._run(db, record)

        return await self._live(ask.id, start)

    async def resume_campaign(self, ask: verbs.ById) -> asked.CampaignView | Refusal:
        def resume(db: records.Db, record: CampaignRecord) -> Refusal | None:
            if record.state == "running":
                return None
            if record.state != "paused":
                return _state(record, "resumed", "it is not paused. Start it")
            return self._run(db, record)

        return await self._live(ask.id, resume)

    async def pause_campaign(self, ask: verbs.ById) -> asked.CampaignView | Refusal:
        def pause(db: records.Db, record: CampaignRecord) -> Refusal | None:
            if record.state not in _LIVES:
                return _state(record, "paused", "it does not run")
            campaign_records.set_state(db, record.id, "paused")
            return None

        return await self._live(ask.id, pause)

    async def stop_campaign(self, ask: verbs.ById) -> asked.CampaignView | Refusal:
        def stop(db: records.Db, record: CampaignRecord) -> Refusal | None:
            if record.state in ("inactive", "stopped"):
                return _state(record, "stopped", "it does not run")
            campaign_records.set_state(db, record.id, "stopped")
            participant_records.cancel_waiting(db, record.id, datetime.now(UTC))
            return None

        return await self._live(ask.id, stop)

    def _run(self, db: records.Db, record: CampaignRecord) -> Refusal | None:
        if found := found_problems(db, record.settings, record.id):
            return _has_problems(found)
        campaign_records.set_state(db, record.id, "running")
        return None

    async def _live(
        self, campaign_id: str, change: Callable[[records.Db, CampaignRecord], Refusal | None]
    ) -> asked.CampaignView | Refusal:
        def write(db: records.Db) -> asked.CampaignView | Refusal:
            record = campaign_records.read_campaign(db, campaign_id)
            if record is None:
                return not_found("campaign")
            return change(db, record) or self._view(db, campaign_id)

        return self._told(await self._store.transact(write))

    # -- inside a transaction ------------------------------------------------------------------------------------

    def _view(self, db: records.Db, campaign_id: str) -> asked.CampaignView | Refusal:
        record = campaign_records.read_campaign(db, campaign_id)
        if record is None:
            return not_found("campaign")
        look = self._service.look(record.id)
        return asked.CampaignView(
            id=record.id,
            version=record.version,
            modified_at=record.modified_at,
            settings=record.settings,
            state=record.state,
            reason=self._reason(record),
            next_at=look.next_at if record.state == "running" else None,
            problems=found_problems(db, record.settings, record.id),
            progress=campaign_records.read_progress(db, record.id, datetime.now(UTC)),
        )

    def _reason(self, record: CampaignRecord) -> str:
        return self._service.look(record.id).reason if record.state == "running" else record.problem

    def _lines(self, db: records.Db) -> tuple[asked.CampaignLine, ...]:
        agents = {each.id: each.plan.settings.name for each in records.read_agents(db)}
        standings, calls = campaign_records.read_standings(db), attempt_records.count_open(db)
        return tuple(
            self._line(each, agents.get(each.settings.agent_id, ""), standings.get(each.id, Standing()), calls)
            for each in campaign_records.read_campaigns(db)
        )

    def _line(
        self, record: CampaignRecord, agent: str, standing: Standing, calls: Mapping[str, int]
    ) -> asked.CampaignLine:
        return asked.CampaignLine(
            id=record.id,
            name=record.settings.name,
            description=record.settings.description,
            agent_id=record.settings.agent_id,
            agent=agent,
            modified_at=record.modified_at,
            state=record.state,
            reason=self._reason(record),
            participants=standing.participants,
            done=standing.at("done"),
            calls_now=calls.get(record.id, 0),
        )

    def _told(self, answer: T) -> T:
        match answer:
            case Refusal():
                return answer
            case asked.CampaignView(id=campaign_id):
                self._service.changed(campaign_id)
        self._service.wake()
        self._events.tell(verbs.Event(kind=verbs.EventKind.SETTINGS))
        return answer


def found_problems(db: records.Db, settings: Campaign, campaign_id: str | None) -> tuple[asked.Problem, ...]:
    """Why a campaign with these settings cannot start."""
    agents = {each.id: each.plan for each in records.read_agents(db)}
    connections = {each.id: each.account for each in records.read_connections(db)}
    others = [each.settings for each in campaign_records.read_campaigns(db) if each.id != campaign_id]
    return problems(settings, agents, connections, others, datetime.now(UTC))


def _not_now(old: CampaignRecord, new: Campaign) -> Refusal | None:
    """What its participants are in the middle of stays as it is while it lives."""
    if old.state not in _LIVES:
        return None
    before, after = old.settings.model_dump(), new.model_dump()
    changed = [name for name in after if name not in AT_ANY_TIME and before[name] != after[name]]
    if not changed:
        return None
    text = "cannot be changed while the campaign runs or is paused: stop it first"
    return Refusal(
        why=Why.NOT_NOW,
        text=f"The campaign was not saved: {', '.join(changed)} {text}.",
        fields={f"settings.{name}": text for name in changed},
    )


def _numbers_elsewhere(db: records.Db, old: CampaignRecord, new: Campaign) -> Refusal | None:
    if new.number_field == old.settings.number_field or not campaign_records.read_standing(db, old.id).participants:
        return None
    text = "cannot be changed any more: participants are told apart by it. Make another campaign"
    return Refusal(
        why=Why.NOT_NOW,
        text=f"The campaign was not saved: number_field {text}.",
        fields={"settings.number_field": text},
    )


def _has_problems(found: tuple[asked.Problem, ...]) -> Refusal:
    return Refusal(
        why=Why.INVALID,
        text=f"The campaign was not started: {found[0].text} Mend what is listed, then start it again.",
        fields={each.where or "campaign": each.text for each in found},
    )


def _state(record: CampaignRecord, done: str, why: str) -> Refusal:
    return Refusal(why=Why.NOT_NOW, text=f"The campaign “{record.settings.name}” was not {done}: {why}.")


def _runs(record: CampaignRecord) -> Refusal:
    name = record.settings.name
    text = (
        f"The campaign “{name}” was not deleted: it is {record.state}, and its participants would not be called any "
        "more. Confirm to delete it with them and all results."
    )
    return Refusal(why=Why.IN_USE, text=text, names=(name,))
