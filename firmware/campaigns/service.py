"""One loop that looks whom to call: woken when a call ends, when somebody edits, and when something is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import trio

from app.agents.roster import Roster
from app.clock import is_set
from app.control.refusals import Refusal
from app.control.verbs import EventKind
from app.outbound import standing
from app.outbound.seats import Claim, shares
from firmware.calling import Calling
from firmware.campaigns import incoming
from firmware.campaigns.foresight import Foresight, Look, Wish, in_state
from firmware.campaigns.ground import ground_of
from firmware.campaigns.placing import call
from firmware.campaigns.settling import settle
from firmware.campaigns.stepping import Walker
from firmware.control.events import Events
from firmware.employer import AtWork
from firmware.rounds import Rounds
from firmware.storage import (
    SqliteLedger,
    attempt_records,
    participant_records,
    records,
)
from firmware.storage.participant_records import ParticipantRecord
from firmware.switchboard import Switchboard

_LOOK_S = 60.0
"""Whatever happens, something wakes it; this is for a clock that was set, and for what was missed."""

_TOLD_EVERY_S = 0.5
"""Whoever shows a campaign looks again as often at most."""

WALKED_AT_ONCE = 100
"""Participants taken on in one transaction: a few milliseconds, in which nothing else is written and audio goes on."""

SETTLED_AT_ONCE = 20
"""Calls that ended, accounted for in one transaction: more than end at once, but after a power cut."""

_WAKING = (EventKind.AGENT, EventKind.REGISTRATION, EventKind.CALL, EventKind.SETTINGS)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Campaigns:
    """`events` hears of each change, and wakes the campaigns. `wake_webhooks`: a flow may have told them something."""

    def __init__(
        self,
        store: SqliteLedger,
        calling: Calling,
        at_work: Mapping[str, AtWork],
        switchboard: Switchboard,
        roster: Roster,
        events: Events,
        *,
        wake_webhooks: Callable[[], None],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store, self._calling, self._at_work = store, calling, at_work
        self._foresight = Foresight(at_work, switchboard, roster)
        self._events, self._wake_webhooks, self._now = events, wake_webhooks, now
        self._looks: dict[str, Look] = {}
        self._began: dict[str, datetime] = {}
        self._rounds, self._changed, self._some_changed = Rounds("campaigns"), set[str](), trio.Event()

    def wake(self) -> None:
        """Somebody edited participants; what else there is to know of, comes as an event."""
        self._rounds.wake()

    @property
    def rounds(self) -> int:
        """How many there were."""
        return self._rounds.done

    def changed(self, campaign_id: str) -> None:
        """Whoever shows it is told soon."""
        self._changed.add(campaign_id)
        self._some_changed.set()

    def look(self, campaign_id: str) -> Look:
        return self._looks.get(campaign_id, Look())

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_telling)
            nursery.start_soon(self._keep_listening)
            await self._rounds.run(self._one_round)

    async def _keep_telling(self) -> None:
        while True:
            await self._some_changed.wait()
            self._some_changed, changed = trio.Event(), self._changed
            self._changed = set()
            for campaign_id in changed:
                self._events.changed(EventKind.CAMPAIGN, campaign_id)
            await trio.sleep(_TOLD_EVERY_S)

    async def _keep_listening(self) -> None:
        with self._events.listening() as told:
            async for event in told:
                if event.kind in _WAKING:
                    self.wake()

    # -- one round -----------------------------------------------------------------------------------------------

    async def _one_round(self) -> float:
        """Do what is to be done; how long until the next round. Raises: StorageFault."""
        await self._settle()
        now = self._now()
        if not is_set(now):
            return await self._stand_still()
        more = await self._walk(now)
        wishes, turned = await self._store.transact(lambda db: self._foresight.wishes(db, now))
        for campaign_id in turned:  # here, not in the thread of the database, which may wake nobody
            self.changed(campaign_id)
        began = await self._begin_calls(wishes, now)
        await self._note_looks(wishes)
        if more or began:
            return 0.0
        longest_s = incoming.RESULTS_S if await self._store.transact(incoming.is_to_come) else _LOOK_S
        ahead_s = [(each.look.next_at - now).total_seconds() for each in wishes if each.look.next_at]
        return min([longest_s, *(max(0.0, each) for each in ahead_s)])

    async def _stand_still(self) -> float:
        running = await self._store.transact(lambda db: in_state(db, "running"))
        for each in running:
            self._see(each.id, Look(standing.CLOCK))
        return _LOOK_S

    async def _settle(self) -> None:
        """Calls that are over, and callers who are participants."""
        underway = frozenset(self._calling.unfinished)
        while over := await self._store.transact(partial(_settled, underway, self._now())):
            for campaign_id in over:
                self.changed(campaign_id)
            self._wake_webhooks()
        now = self._now()
        for campaign_id in await self._store.transact(lambda db: incoming.mind(db, now)):
            self.changed(campaign_id)

    async def _walk(self, now: datetime) -> bool:
        """Take on who goes on at once; True: there are more."""
        walked = await self._store.transact(lambda db: _walked(db, now))
        for campaign_id in walked:
            self.changed(campaign_id)
            self._wake_webhooks()
        return bool(walked)

    async def _begin_calls(self, wishes: Sequence[Wish], now: datetime) -> int:
        """How many participants were called, or taken on since they cannot be called."""
        begun = 0
        for agent_id in {each.campaign.settings.agent_id for each in wishes}:
            ours = [each for each in wishes if each.campaign.settings.agent_id == agent_id]
            given = self._shares(agent_id, ours)
            for each in ours:
                for participant in each.to_call[: given[each.campaign.id]]:
                    if await self._call(each, participant, now):
                        begun += 1
        return begun

    def _shares(self, agent_id: str, wishes: Sequence[Wish]) -> Mapping[str, int]:
        at_work = self._at_work.get(agent_id)
        if at_work is None:
            return {each.campaign.id: 0 for each in wishes}
        claims = [
            Claim(
                each.campaign.id,
                each.running,
                len(each.to_call),
                self._began.get(each.campaign.id, datetime.min.replace(tzinfo=UTC)),
                each.campaign.settings.at_once,
                each.campaign.settings.seats_for_inbound,
            )
            for each in wishes
        ]
        return shares(claims, at_work.reception.agent.max_opened_sessions, at_work.reception.opened)

    async def _call(self, wish: Wish, participant: ParticipantRecord, now: datetime) -> bool:
        refused = await call(self._store, self._calling, wish.campaign, participant, now)
        if isinstance(refused, Refusal):  # it changed since we looked: the next round says why
            return False
        self._began[wish.campaign.id] = now
        self.changed(wish.campaign.id)
        self._wake_webhooks()
        return True

    async def _note_looks(self, wishes: Sequence[Wish]) -> None:
        before, self._looks = self._looks, {each.campaign.id: each.look for each in wishes}
        for campaign_id in before.keys() | self._looks.keys():
            if before.get(campaign_id) != self._looks.get(campaign_id):
                self.changed(campaign_id)

    def _see(self, campaign_id: str, look: Look) -> None:
        if self._looks.get(campaign_id) != look:
            self._looks[campaign_id] = look
            self.changed(campaign_id)


# -- inside one transaction --------------------------------------------------------------------------------------


def _settled(underway: frozenset[str], now: datetime, db: records.Db) -> list[str]:
    """The campaigns of the calls that were accounted for."""
    over = attempt_records.read_over(db, underway, SETTLED_AT_ONCE)
    for each in over:
        settle(db, each, now)
    return [each.campaign_id for each in over]


def _walked(db: records.Db, now: datetime) -> list[str]:
    """The campaigns whose participants were taken on: of each, `WALKED_AT_ONCE` at most."""
    walked = []
    for campaign in in_state(db, "running", "done"):
        walker = Walker(campaign, ground_of(db, campaign.settings), now)
        for participant in participant_records.read_to_walk(db, campaign.id, now, WALKED_AT_ONCE):
            walked.append(campaign.id)
            if not walker.take_on(db, participant):
                break
    return walked
