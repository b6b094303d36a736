"""Campaigns at work on a real database: where the flow takes participants."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control import campaigns as asked
from app.outcomes import not_placed
from app.ports import Result
from firmware.storage import records
from tests.contract.campaign_box import box, flow

pytestmark = pytest.mark.contract

ONE, OTHER = "030 1234567", "030 7654321"


async def test_what_was_said_decides_where_the_flow_goes_on(tmp_path: Path) -> None:
    steps = flow(
        {"id": "ask", "do": "call", "then": "look"},
        {"id": "look", "do": "check", "of": "result confirmed", "value": "yes", "match": "note", "otherwise": "later"},
        {"id": "note", "do": "set", "field": "name", "value": "{name} ({result:confirmed})", "then": "end"},
        {"id": "later", "do": "wait", "minutes": 30, "then": "ask"},
    )
    async with box(tmp_path, results={"confirmed": "no"}) as b:
        campaign = await b.campaign(flow=steps)
        await b.add(campaign.id, number=ONE, name="Zoë")
        await b.start(campaign.id)
        await b.answered()
        await b.are_at(campaign.id, "waiting")
        assert (await b.everybody(campaign.id))[0].step == "later"
        b.brain.results["confirmed"] = "yes"
        b.later(minutes=31)
        await b.answered(2)
        await b.are_at(campaign.id, "done")
        found = await b.participant(campaign.id)
        assert found.values["name"] == "Zoë (yes)"
        assert [each.status for each in found.communications] == ["Completed", "Completed"]


async def test_a_participant_goes_to_another_campaign(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        target = await b.campaign("Target", fields=[{"name": "number", "type": "phone"}])
        hands_over = flow({"id": "away", "do": "other flow", "campaign": "target"})
        campaign = await b.campaign("Source", flow=hands_over)
        await b.add(campaign.id, number=ONE, name="Zoë")
        await b.start(target.id)
        await b.start(campaign.id)
        await b.answered()
        await b.is_in(target.id, "done")
        [there] = await b.everybody(target.id)
        assert (there.values, there.status) == ({"number": ONE}, "Completed")
        assert await b.places(campaign.id) == ["done"]


async def test_a_participant_who_calls_is_recognised(tmp_path: Path) -> None:
    steps = flow({"id": "thank", "do": "set", "field": "name", "value": "called: {result:wants}", "then": "end"},
                 incoming_session="thank")  # fmt: skip
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, OTHER, flow=steps)
        await b.is_in(campaign.id, "done")
        log = b.store.open_session(call_id="x", agent="Reception", direction="inbound", remote="0301234567")
        log.connected("PCMU")
        log.close(not_placed(Result.ANSWERED), "", {})
        await b.quiet()
        assert "name" not in (await b.everybody(campaign.id))[0].values, "a language model may be writing yet"
        log.found({"wants": "parking"})
        b.later(seconds=11)

        async def noted() -> bool:
            return (await b.everybody(campaign.id))[0].values.get("name") == "called: parking"

        await b.until(noted)
        assert "name" not in (await b.everybody(campaign.id))[1].values


async def test_a_trigger_that_comes_while_they_talk_waits_for_the_end(tmp_path: Path) -> None:
    steps = flow(
        {"id": "call", "do": "call", "then": "end"},
        {"id": "again", "do": "call", "then": "end"},
        participant_created="call",
        participant_updated="again",
    )
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, flow=steps)
        await b.phone()
        one = await b.participant(campaign.id)
        edit = asked.UpdateParticipant(campaign_id=campaign.id, id=one.id, if_version=1, values={"name": "Zoë"})
        assert isinstance(await b.participants.update_participant(edit), asked.ParticipantDetail)
        await b.quiet()
        assert len(b.line.phones) == 1
        await b.answered()
        await b.answered(2)
        await b.are_at(campaign.id, "done")
        assert [each.step for each in (await b.participant(campaign.id)).communications] == ["call", "again"]


async def test_a_trigger_between_two_attempts_ends_what_had_begun(tmp_path: Path) -> None:
    steps = flow(
        {"id": "call", "do": "call", "then": "end"},
        {"id": "out", "do": "set", "field": "name", "value": "out", "then": "end"},
        participant_created="call",
        participant_updated="out",
    )
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, flow=steps)
        (await b.phone()).refuse(486)
        await b.are_at(campaign.id, "waiting")
        one = await b.participant(campaign.id)
        edit = asked.UpdateParticipant(campaign_id=campaign.id, id=one.id, if_version=1, values={"name": "x"})
        await b.participants.update_participant(edit)
        await b.are_at(campaign.id, "done")
        found = await b.participant(campaign.id)
        assert (found.values["name"], found.status) == ("out", "Canceled")
        assert found.communications[0].reason == "a trigger of the flow came first"


async def test_a_flow_that_leads_nowhere_stands_still_and_loses_nobody(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE)
        await b.phone()
        await b.store.transact(
            lambda db: db.execute('UPDATE campaigns SET settings = replace(settings, \'"then":"end"\', \'"then":"x"\')')
        )
        await b.answered()
        broken = await b.is_in(campaign.id, "error", "has no step")
        assert await b.places(campaign.id) == ["waiting"]
        mended = broken.settings.model_dump() | {"flow": campaign.settings.flow.model_dump()}
        ask = asked.UpdateCampaign.model_validate({"id": campaign.id, "if_version": broken.version, "settings": mended})
        assert isinstance(await b.campaigns.update_campaign(ask), asked.CampaignView)
        await b.start(campaign.id)
        await b.is_in(campaign.id, "done")
        assert len(b.line.phones) == 1


async def test_a_webhook_step_is_told(tmp_path: Path) -> None:
    steps = flow({"id": "tell", "do": "webhook", "event": "dunning.begun", "then": "end"})
    async with box(tmp_path) as b:
        await b.store.transact(_has_webhook)
        campaign = await b.campaign(flow=steps)
        await b.add(campaign.id, number=ONE, name="Zoë")
        await b.start(campaign.id)
        await b.is_in(campaign.id, "done")
        asked_for = "SELECT event, session_id, body, state FROM deliveries"
        [told] = await b.store.transact(lambda db: records.rows(db, asked_for))
        assert (told["event"], told["session_id"], told["state"]) == ("campaign.step", None, "waiting")
        assert '"values": {"number": "030 1234567", "name": "Zoë"}' in told["body"]
        assert '"step": {"id": "tell", "event": "dunning.begun"}' in told["body"]
        assert b.webhooks_woken


def _has_webhook(db: records.Db) -> None:
    db.execute(
        "INSERT INTO webhook (id, version, settings) VALUES ('call.ended', 1, '{\"url\": \"https://crm.example/\"}')"
    )
