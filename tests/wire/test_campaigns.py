"""A campaign that calls through a real Asterisk: every outcome is accounted for, and tried again as its rule says. Only
the clock that decides about the next attempt is the test's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from app.agents.roster import Roster
from app.control import campaigns as asked
from app.control import verbs
from app.outbound.campaign import WEEKDAYS
from firmware.campaigns import Campaigns
from firmware.control.campaigns import CampaignVerbs
from firmware.control.participants import ParticipantVerbs
from firmware.telephony import Cause
from tests.contract.campaign_box import office as stored_office
from tests.office.pbx import office_pbx
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, connection
from tests.wire.callee import IS_CANCELLED, RINGS, callee, refuses
from tests.wire.outgoing import Outgoing, outgoing

pytestmark = pytest.mark.wire

SHORT_RING_S = 5
TWICE = [
    {"after": after, "attempts": 2, "wait_minutes": 1} for after in ("busy", "network error", "no answer", "failed")
]


@dataclass
class Office:
    box: Outgoing
    service: Campaigns
    campaigns: CampaignVerbs
    participants: ParticipantVerbs
    ahead: timedelta = timedelta()

    async def runs(self, *numbers: str) -> str:
        """A campaign that calls these; its id."""
        flow = {
            "triggers": [{"on": "participant created", "then": "call"}],
            "steps": [{"do": "call", "id": "call", "ring_s": SHORT_RING_S, "then": "end"}],
        }
        settings = {"name": "Survey", "agent_id": "a", "hours": [{"days": WEEKDAYS, "begin": "00:00", "end": "24:00"}],
                    "seats_for_inbound": 0, "retries": TWICE, "flow": flow}  # fmt: skip
        made = await self.campaigns.create_campaign(asked.CreateCampaign.model_validate({"settings": settings}))
        assert isinstance(made, asked.CampaignView), made
        for number in numbers:
            ask = asked.CreateParticipant(campaign_id=made.id, values={"number": number})
            assert isinstance(await self.participants.create_participant(ask), asked.ParticipantDetail)
        started = await self.campaigns.start_campaign(verbs.ById(id=made.id))
        assert isinstance(started, asked.CampaignView), started
        return made.id

    async def everybody(self, campaign_id: str) -> tuple[asked.ParticipantView, ...]:
        found = await self.participants.list_participants(asked.ListParticipants(campaign_id=campaign_id))
        assert isinstance(found, asked.Participants)
        return found.items

    async def settles(self, campaign_id: str) -> None:
        """Until everybody was called: they wait for another attempt, or are done."""

        async def so() -> bool:
            return {each.place for each in await self.everybody(campaign_id)} <= {"waiting", "done"}

        await until(so)


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not await fact():  # noqa: ASYNC110 - the store tells nobody
            await trio.sleep(0.1)


@asynccontextmanager
async def office(folder: Path, seats: int) -> AsyncGenerator[Office, None]:
    async with (
        office_pbx() as pbx,
        outgoing(connection(pbx), folder, seats=seats) as box,
        trio.open_nursery() as nursery,
    ):
        await box.store.transact(stored_office)
        await becomes(box.account, Cause.REGISTERED)
        made: list[Office] = []
        service = Campaigns(
            box.store,
            box.calling,
            box.at_work,
            box.board,
            Roster(nursery, _never, lambda _: None),
            box.events,
            wake_webhooks=lambda: None,
            now=lambda: datetime.now(UTC) + made[0].ahead,
        )
        made.append(
            Office(box, service, CampaignVerbs(box.store, service, box.events), ParticipantVerbs(box.store, service))
        )
        nursery.start_soon(service.run)
        yield made[0]
        nursery.cancel_scope.cancel()


async def _never(_: str, running: Callable[[], None]) -> None:
    """Nobody starts an agent by the roster here."""


async def test_every_outcome_is_accounted_for_and_tried_again_as_its_rule_says(tmp_path: Path) -> None:
    expected = {
        "602": ("Completed", "answered", 1),
        "603": ("NoResponse", "busy", 2),
        "604": ("Failed", "network error", 2),
        "605": ("Failed", "failed", 2),
        "606": ("Failed", "unreachable", 1),
        "699": ("Failed", "unreachable", 1),
    }
    async with office(tmp_path, seats=3) as o, callee(tmp_path, RINGS + refuses(603)) as declines:
        expected[declines] = ("NoResponse", "declined", 1)
        campaign_id = await o.runs(*expected)
        await until(lambda: _hangs_up_who_talks(o))
        await o.settles(campaign_id)
        o.ahead = timedelta(minutes=2)
        o.service.wake()

        async def is_done() -> bool:
            return {each.place for each in await o.everybody(campaign_id)} == {"done"}

        await until(is_done)
        await until(lambda: _state_is(o, campaign_id, "done"))
        found = {each.values["number"]: each for each in await o.everybody(campaign_id)}
        assert {number: (each.status, each.outcome, each.attempts) for number, each in found.items()} == expected
        view = await o.campaigns.get_campaign(verbs.ById(id=campaign_id))
        assert isinstance(view, asked.CampaignView)
        assert {each.name: each.count for each in view.progress.attempts} == {
            "answered": 1, "busy": 2, "network error": 2, "failed": 2, "unreachable": 2, "declined": 1}  # fmt: skip
        assert view.progress.talk_ms > 0


async def test_nobody_picks_up_and_is_called_again(tmp_path: Path) -> None:
    async with office(tmp_path, seats=1) as o:
        async with callee(tmp_path, RINGS, IS_CANCELLED) as number:
            campaign_id = await o.runs(number)
            await o.settles(campaign_id)
        [one] = await o.everybody(campaign_id)
        assert (one.place, one.outcome) == ("waiting", "no answer")
        o.ahead = timedelta(minutes=2)
        o.service.wake()
        await until(lambda: _is(o, campaign_id, "done"))  # nobody is at that port any more
        [one] = await o.everybody(campaign_id)
        assert one.attempts == 2


async def test_a_person_cancels_while_it_rings(tmp_path: Path) -> None:
    async with office(tmp_path, seats=1) as o, callee(tmp_path, RINGS, IS_CANCELLED) as number:
        campaign_id = await o.runs(number)
        await until(lambda: _hangs_up(o, connected=False))
        await until(lambda: _is(o, campaign_id, "done"))
        [one] = await o.everybody(campaign_id)
        assert (one.status, one.outcome, one.attempts) == ("Canceled", "cancelled", 1)


async def _state_is(o: Office, campaign_id: str, state: str) -> bool:
    view = await o.campaigns.get_campaign(verbs.ById(id=campaign_id))
    return isinstance(view, asked.CampaignView) and view.state == state


async def _is(o: Office, campaign_id: str, place: str) -> bool:
    return {each.place for each in await o.everybody(campaign_id)} == {place}


async def _hangs_up_who_talks(o: Office) -> bool:
    return await _hangs_up(o, connected=True)


async def _hangs_up(o: Office, *, connected: bool) -> bool:
    """Whether there was a call to end."""
    state = "talking" if connected else "ringing"
    if not connected and not any(call.progress.rang_s for call in o.box.account.calls):
        return False
    calls = (await o.box.calls.list_calls(verbs.ListCalls())).items
    for each in (call for call in calls if call.state == state):
        await o.box.calls.hang_up_call(verbs.ById(id=each.id))
        return True
    return False
