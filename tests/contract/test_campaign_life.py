"""Campaigns at work on a real database: what stands in their way, and how they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from app.control import campaigns as asked
from app.control import verbs, views
from firmware.campaigns.placing import AttemptClaim
from firmware.telephony import Cause, NotConnectedError, Registration
from tests.contract.campaign_box import CampaignBox, box
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

ONE, OTHER = "030 1234567", "030 7654321"


# -- what stands in the way ----------------------------------------------------------------------------------------


async def test_a_campaign_waits_for_its_agent_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with box(tmp_path, running=False) as b:
        campaign = await b.running(ONE)
        await b.is_in(campaign.id, "running", "the agent “Reception” is not running")
        b.start_agent()
        await b.answered()
        await b.is_in(campaign.id, "done")


async def test_a_campaign_waits_for_the_registration(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        b.line.registration = Registration(Cause.WRONG_CREDENTIALS, 403)
        campaign = await b.running(ONE)
        await b.is_in(campaign.id, "running", "the connection “Office” is not registered")
        b.line.registration = Registration(Cause.REGISTERED)
        b.events.changed(verbs.EventKind.REGISTRATION, "c")
        await b.answered()
        await b.is_in(campaign.id, "done")


async def test_a_line_that_fails_holds_the_campaign_back_and_then_one_call_is_tried(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        b.line.fault = NotConnectedError("there is no way")
        many = [f"03011111{number}" for number in range(10, 22)]
        breaker = {"window": 4, "percent": 50, "pause_minutes": 10}
        campaign = await b.running(*many, breaker=breaker, retries=[])
        await b.is_in(campaign.id, "running", "Too many calls failed because of the line")
        await b.quiet()
        begun = len(b.line.dialled)
        assert begun in (2, 3), "the seat of the second is free a moment before its outcome is on the disk"
        b.later(minutes=10, seconds=1)
        await b.until(lambda: b.dialled(begun + 1))
        await b.is_in(campaign.id, "running", "Too many calls failed because of the line: nobody is called before")
        b.line.fault = None
        b.later(minutes=20, seconds=1)
        await b.answered(1)
        await b.phone(2)


async def test_a_clock_that_is_not_set_calls_nobody(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        b.ahead = datetime(2019, 5, 1, tzinfo=UTC) - datetime.now(UTC)
        campaign = await b.running(ONE)
        await b.is_in(campaign.id, "running", "the clock of the box is not set")
        assert b.line.dialled == []
        b.ahead = timedelta()
        b.service.wake()
        await b.phone()


async def test_a_clock_that_jumps_back_leaves_nobody_waiting_for_years(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        b.ahead = timedelta(days=3000)
        campaign = await b.running(ONE)
        (await b.phone()).refuse(486)
        await b.are_at(campaign.id, "waiting")
        b.ahead = timedelta()
        b.service.wake()
        await b.answered(2)
        await b.is_in(campaign.id, "done")


# -- its life --------------------------------------------------------------------------------------------------------


async def test_a_pause_finishes_calls_and_begins_none(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, OTHER)
        await b.phone()
        await b.campaigns.pause_campaign(verbs.ById(id=campaign.id))
        await b.answered()
        await b.are_at(campaign.id, "done", "ready")
        await b.quiet()
        assert len(b.line.phones) == 1
        await b.campaigns.resume_campaign(verbs.ById(id=campaign.id))
        await b.answered(2)
        await b.is_in(campaign.id, "done")


async def test_a_stop_cancels_what_waits_and_a_call_that_goes_on_is_finished(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, OTHER, "0303333333")
        (await b.phone()).refuse(486)
        await b.phone(2)
        await b.campaigns.stop_campaign(verbs.ById(id=campaign.id))
        await b.are_at(campaign.id, "done", "calling", "done")
        await b.answered(2)
        await b.are_at(campaign.id, "done", "done", "done")
        assert [each.status for each in await b.everybody(campaign.id)] == ["Canceled", "Completed", ""]
        await b.start(campaign.id)
        await b.is_in(campaign.id, "done")
        assert len(b.line.phones) == 2


async def test_a_campaign_that_is_done_goes_on_when_somebody_is_added(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE)
        await b.answered()
        await b.is_in(campaign.id, "done")
        await b.add(campaign.id, number=OTHER)
        await b.answered(2)
        await b.is_in(campaign.id, "done")


async def test_a_campaign_goes_on_when_the_box_was_started_again(tmp_path: Path) -> None:
    """Who was rung when the box was stopped is called again; nobody else is."""
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, OTHER)
        (await b.phone()).refuse(404)
        await b.phone(2)
    async with box(tmp_path) as b:
        await b.are_at(campaign.id, "done", "waiting")
        b.later(minutes=61)
        await b.answered()
        await b.is_in(campaign.id, "done")
        assert b.line.dialled == ["0307654321"]
        found = await b.participant(campaign.id, place=1)
        assert [each.outcome for each in found.communications[0].attempts] == ["unknown", "answered"]


async def test_it_is_told_that_a_campaign_changed(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        with b.events.listening() as events:
            campaign = await b.running(ONE)
            async for event in events:
                if event == verbs.Event(kind=verbs.EventKind.CAMPAIGN, id=campaign.id):
                    break


async def test_that_nobody_is_left_is_told_from_the_loop_whose_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the thread of the database, which may not wake anybody: on a slow disk, whoever tells waits by then."""
    monkeypatch.setattr("firmware.campaigns.service._TOLD_EVERY_S", 0)
    async with box(tmp_path, running=False) as b:
        campaign = await b.running(ONE)
        await b.is_in(campaign.id, "running", "the agent “Reception” is not running")
        await b.quiet()
        await trio.sleep(1)  # what came before was told by now
        (left,) = await b.everybody(campaign.id)
        with b.events.listening() as told:
            gone = asked.GetParticipant(campaign_id=campaign.id, id=left.id)
            assert isinstance(await b.participants.delete_participant(gone), views.Nothing)
            await b.is_in(campaign.id, "done")
            with trio.fail_after(PATIENCE_S):
                while (await told.receive()).kind is not verbs.EventKind.CAMPAIGN:
                    pass
    assert "a round failed" not in caplog.text


async def test_a_call_is_not_wanted_any_more_when_something_changed_since_it_was_decided(tmp_path: Path) -> None:
    async with box(tmp_path, running=False) as b:
        campaign = await b.running(ONE)
        await b.until(lambda: _is_next(b, campaign.id))
        one = await b.participant(campaign.id)
        claim = AttemptClaim(campaign.id, one.id, one.version, one.step, b.now())
        assert await b.store.transact(claim.is_wanted)
        await b.campaigns.pause_campaign(verbs.ById(id=campaign.id))
        assert not await b.store.transact(claim.is_wanted), "somebody paused it"
        await b.campaigns.resume_campaign(verbs.ById(id=campaign.id))
        assert await b.store.transact(claim.is_wanted)
        await b.do_not_call.add_do_not_call(asked.AddDoNotCall(numbers=("+49 30 1234567",)))
        assert not await b.store.transact(claim.is_wanted), "the number came on the list"
        [entry] = (await b.do_not_call.list_do_not_call(asked.ListDoNotCall())).items
        await b.do_not_call.remove_do_not_call(asked.ByNumber(id=entry.id))
        edit = {"campaign_id": campaign.id, "id": one.id, "if_version": one.version, "values": {"number": OTHER}}
        await b.participants.update_participant(asked.UpdateParticipant.model_validate(edit))
        assert not await b.store.transact(claim.is_wanted), "the participant has another number"
        gone = asked.GetParticipant(campaign_id=campaign.id, id=one.id)
        await b.participants.delete_participant(gone)
        assert not await b.store.transact(claim.is_wanted), "there is no participant"


async def _is_next(b: CampaignBox, campaign_id: str) -> bool:
    [one] = await b.everybody(campaign_id)
    return (one.place, one.step) == ("ready", "call")
