"""What each campaign would do now, and why it does not: looked at, changing nothing but whether it is done. Inside one
transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.agents.roster import Roster
from app.control.campaigns import State
from app.control.views import AgentState
from app.outbound import retries, standing, windows
from app.outbound.breaker import OneProbe, UntilInstant, allows
from app.outbound.flow import LONGEST_WAIT_MINUTES
from firmware import telephony
from firmware.campaigns.ground import Ground, ground_of
from firmware.console import describe
from firmware.employer import AtWork
from firmware.storage import attempt_records, campaign_records, participant_records, records
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.participant_records import ParticipantRecord
from firmware.switchboard import Switchboard

MOST_CALLS = 16
"""Max opened sessions of an agent cannot be more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen when a campaign was looked at last. `reason`: why it calls nobody now, empty where it does."""

    reason: str = ""
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a campaign would do now. `to_call`: whom, in their order."""

    campaign: CampaignRecord
    ground: Ground
    running: int
    to_call: Sequence[ParticipantRecord] = ()
    look: Look = Look()


class Foresight:
    """`wishes` runs in the thread of the database: it looks at what runs, and wakes nobody."""

    def __init__(self, at_work: Mapping[str, AtWork], switchboard: Switchboard, roster: Roster) -> None:
        self._at_work, self._switchboard, self._roster = at_work, switchboard, roster

    def wishes(self, db: records.Db, now: datetime) -> tuple[list[Wish], list[str]]:
        """Of those that run; one with nobody left is done, and runs again when somebody came. And the ids of those
        whose state has turned so."""
        running = attempt_records.count_open(db)
        wishes, turned = [], []
        for campaign in in_state(db, "running", "done"):
            _date_anew(db, campaign, now)
            state: State = "running" if participant_records.is_anybody_left(db, campaign.id) else "done"
            if state != campaign.state:
                campaign_records.set_state(db, campaign.id, state)
                turned.append(campaign.id)
            if state == "running":
                wishes.append(self._wish(db, replace(campaign, state=state), running.get(campaign.id, 0), now))
        return wishes, turned

    def _wish(self, db: records.Db, campaign: CampaignRecord, running: int, now: datetime) -> Wish:
        ground = ground_of(db, campaign.settings)
        wish = Wish(campaign, ground, running)
        if obstacle := standing.line_obstacle(self._line(db, campaign)):
            return replace(wish, look=Look(obstacle, _wait_over(db, campaign)))
        most, held = MOST_CALLS, Look()
        match allows(campaign.breaker, running, now):
            case OneProbe(goes_on):
                most, held = 0 if goes_on else 1, Look(standing.TRIES_ONE)
            case UntilInstant(at):
                most, held = 0, Look(standing.holds_back(at, now, ground.zone), at)
        return self._with_participants(db, wish, most, held, now)

    def _with_participants(self, db: records.Db, wish: Wish, most: int, held: Look, now: datetime) -> Wish:
        campaign, ground = wish.campaign, wish.ground
        rules, open_zones, openings = campaign.settings, [], []
        for zone in participant_records.zones_of(db, campaign.id, "call"):
            place = zone or ground.zone
            if windows.is_open(rules.hours, rules.holidays, place, now):
                open_zones.append(zone)
            else:
                openings.append((windows.next_opening(rules.hours, rules.holidays, place, now), place))
        to_call = participant_records.read_to_call(db, campaign.id, open_zones, now, most)
        due = participant_records.earliest_due(db, campaign.id, "call", open_zones)
        look = held if held.reason else _look_ahead(to_call, due, openings, now, ground.zone)
        if to_call and (full := self._is_full(campaign)):
            look = Look(full)
        waits = _wait_over(db, campaign)
        return replace(wish, to_call=to_call, look=Look(look.reason, _earlier(look.next_at, waits)))

    def _is_full(self, campaign: CampaignRecord) -> str:
        """Why there is no seat, in words; empty where there is one."""
        at_work = self._at_work.get(campaign.settings.agent_id)
        if at_work is None:
            return ""
        most, kept_free = at_work.reception.agent.max_opened_sessions, campaign.settings.seats_for_inbound
        if kept_free >= most:
            return standing.NO_SEATS
        return standing.SEATS if at_work.reception.opened >= most - kept_free else ""

    def _line(self, db: records.Db, campaign: CampaignRecord) -> standing.Line:
        agent_id = campaign.settings.agent_id
        agent, at_work = records.read_agent(db, agent_id), self._at_work.get(agent_id)
        if agent is None:
            return standing.Line(None, runs=False)
        name, state = agent.plan.settings.name, self._roster.state(agent_id)
        if at_work is None:
            starts = state is AgentState.STARTING
            return standing.Line(name, runs=False, starts=starts, problem=self._roster.problem(agent_id))
        attached = at_work.connections
        chosen = campaign.settings.connection_id or ("".join(attached) if len(attached) == 1 else "")
        account = self._switchboard.account(chosen) if chosen in attached else None
        if account is None:
            return standing.Line(name, runs=True)
        connection, registration = account.connection, account.registration
        return standing.Line(
            name,
            runs=True,
            connection=connection.name,
            registered=registration.cause is telephony.Cause.REGISTERED,
            registration=describe(registration, connection.user, connection.domain),
        )


def in_state(db: records.Db, *states: State) -> list[CampaignRecord]:
    return [each for each in campaign_records.read_campaigns(db) if each.state in states]


def _date_anew(db: records.Db, campaign: CampaignRecord, now: datetime) -> None:
    """Whoever waits longer than anybody can, was dated by a clock that was wrong."""
    participant_records.date_anew(db, campaign.id, "call", now + retries.LONGEST, now)
    participant_records.date_anew(db, campaign.id, "walk", now + timedelta(minutes=LONGEST_WAIT_MINUTES), now)


def _wait_over(db: records.Db, campaign: CampaignRecord) -> datetime | None:
    """When the first wait of the flow is over."""
    return participant_records.earliest_due(db, campaign.id, "walk")


def _look_ahead(
    to_call: Sequence[ParticipantRecord],
    due: datetime | None,
    openings: Sequence[tuple[datetime | None, str]],
    now: datetime,
    zone: str,
) -> Look:
    """When the next call can begin, and why not before. `due`: the first in zones that are open; `openings`: of
    those that are not."""
    if to_call:
        return Look()
    ahead = [(due, standing.next_is_due(due, now, zone))] if due else []
    ahead += [(at, standing.hours_begin(at, now, place)) for at, place in openings if at]
    if ahead:
        at, reason = min(ahead)
        return Look(reason, at)
    return Look(standing.NEVER_OPEN) if openings else Look()


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    given = [each for each in (one, other) if each]
    return min(given) if given else None
