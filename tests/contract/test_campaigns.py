"""Campaigns at work on a real database: who is called, who is not and why, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from app.control import campaigns as asked
from firmware.telephony import NotConnectedError
from tests.contract.campaign_box import box, flow

pytestmark = pytest.mark.contract

ONE, OTHER = "030 1234567", "030 7654321"


# -- a call and its outcome ----------------------------------------------------------------------------------------


async def test_a_participant_is_called_again_after_a_while_and_then_done(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE)
        phone = await b.phone()
        assert await b.places(campaign.id) == ["calling"]
        phone.refuse(486, "Busy Here")
        await b.are_at(campaign.id, "waiting")
        [one] = await b.everybody(campaign.id)
        assert (one.status, one.outcome, one.attempts) == ("Started", "busy", 1)
        assert one.outcome_text.endswith("(486 Busy Here)")
        b.later(minutes=11)
        await b.answered(2)
        await b.are_at(campaign.id, "done")
        found = await b.participant(campaign.id)
        assert (found.status, found.outcome, found.attempts) == ("Completed", "answered", 2)
        assert [(each.number, each.outcome) for each in found.communications[0].attempts] == [
            (1, "busy"),
            (2, "answered"),
        ]
        done = await b.is_in(campaign.id, "done")
        assert [(each.name, each.count) for each in done.progress.places] == [("done", 1)]
        assert sum(done.progress.by_hour) == 2
        assert b.line.dialled == ["0301234567", "0301234567"]


@pytest.mark.parametrize(
    ("sip_code", "status", "outcome"),
    [(603, "NoResponse", "declined"), (404, "Failed", "unreachable"), (488, "Failed", "failed")],
)
async def test_what_is_not_tried_again_is_over_at_once(
    tmp_path: Path, sip_code: int, status: str, outcome: str
) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE)
        (await b.phone()).refuse(sip_code)
        await b.are_at(campaign.id, "done")
        [one] = await b.everybody(campaign.id)
        assert (one.status, one.outcome) == (status, outcome)


async def test_each_outcome_is_tried_as_often_as_its_rule_says(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE, retries=[{"after": "busy", "attempts": 3, "wait_minutes": 5, "growth": 2}])
        for number, wait in ((1, 5), (2, 10)):
            (await b.phone(number)).refuse(486)
            await b.are_at(campaign.id, "waiting")
            [one] = await b.everybody(campaign.id)
            assert one.due_at
            assert abs((one.due_at - b.now()) - timedelta(minutes=wait)) < timedelta(seconds=5)
            b.later(minutes=wait, seconds=1)
        (await b.phone(3)).refuse(486)
        await b.are_at(campaign.id, "done")
        [one] = await b.everybody(campaign.id)
        assert (one.status, one.attempts) == ("NoResponse", 3)


async def test_a_call_without_a_way_to_the_phone_system_is_tried_again(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        b.line.fault = NotConnectedError("there is no way")
        campaign = await b.running(ONE)
        await b.are_at(campaign.id, "waiting")
        b.line.fault = None
        b.later(minutes=6)
        await b.answered()
        await b.are_at(campaign.id, "done")
        assert [each.outcome for each in (await b.participant(campaign.id)).communications[0].attempts] == [
            "network error",
            "answered",
        ]


async def test_who_was_rung_when_the_agent_stopped_is_called_again(tmp_path: Path) -> None:
    """Nobody decided anything about them."""
    async with box(tmp_path) as b:
        campaign = await b.running(ONE)
        await b.phone()
        b.stop_agent()
        await b.are_at(campaign.id, "waiting")
        await b.is_in(campaign.id, "running", "is not running")
        b.start_agent()
        b.later(minutes=61)
        await b.answered(2)
        await b.are_at(campaign.id, "done")
        found = await b.participant(campaign.id)
        assert [each.outcome for each in found.communications[0].attempts] == ["unknown", "answered"]


async def test_results_that_are_written_down_after_the_call_count(tmp_path: Path) -> None:
    """As those of a language model are: the participant goes on when they are there."""
    steps = flow(
        {"id": "call", "do": "call", "then": "look"},
        {"id": "look", "do": "check", "of": "result wants", "operator": "is set", "match": "yes", "otherwise": "end"},
        {"id": "yes", "do": "set", "field": "name", "value": "wants {result:wants}", "then": "end"},
    )
    async with box(tmp_path) as b:
        written = trio.Event()

        async def conclude() -> dict[str, str]:
            await written.wait()
            return {"wants": "parking"}

        b.brain.conclude = conclude  # type: ignore[method-assign, assignment]
        campaign = await b.running(ONE, flow=steps)
        await b.answered()
        await b.quiet()
        assert await b.places(campaign.id) == ["calling"]
        written.set()
        await b.are_at(campaign.id, "done")
        assert (await b.participant(campaign.id)).values["name"] == "wants parking"


async def test_an_outcome_stays_when_its_session_is_deleted(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running(ONE)
        (await b.phone()).refuse(404)
        await b.are_at(campaign.id, "done")
        await b.store.transact(lambda db: db.execute("DELETE FROM calls"))
        await b.store.transact(lambda db: db.execute("DELETE FROM sessions"))
        found = await b.participant(campaign.id)
        [attempt] = found.communications[0].attempts
        assert (attempt.outcome, attempt.session_id) == ("unreachable", "")
        assert found.outcome_text.startswith("Unreachable")


# -- whom to call ----------------------------------------------------------------------------------------------------


async def test_due_retries_come_first_and_then_the_order_of_the_list(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        campaign = await b.running("0301111111", "0302222222", "0303333333")
        (await b.phone(1)).refuse(486)
        await b.are_at(campaign.id, "waiting", "calling", "ready")
        b.later(minutes=11)
        await b.answered(2)
        await b.answered(3)
        await b.answered(4)
        await b.is_in(campaign.id, "done")
        assert b.line.dialled == ["0301111111", "0302222222", "0301111111", "0303333333"]


async def test_seats_are_kept_for_callers_and_so_many_calls_go_on_at_once(tmp_path: Path) -> None:
    async with box(tmp_path, seats=4) as b:
        campaign = await b.running(*(f"030111111{number}" for number in range(6)), seats_for_inbound=1)
        await b.phone(3)
        await b.is_in(campaign.id, "running", "All seats are taken")
        await b.quiet()
        assert len(b.line.phones) == 3
        await b.answered(1)
        await b.phone(4)
        await b.quiet()
        assert len(b.line.phones) == 4


async def test_campaigns_of_one_agent_share_its_seats(tmp_path: Path) -> None:
    async with box(tmp_path, seats=2) as b:
        first = await b.campaign("First")
        second = await b.campaign("Second")
        for number in range(4):
            await b.add(first.id, number=f"030111111{number}")
            await b.add(second.id, number=f"030222222{number}")
        await b.start(first.id)
        await b.phone(2)
        await b.start(second.id)
        await b.answered(1)
        await b.phone(3)
        assert b.line.dialled[2].startswith("0302"), "who has the fewest calls is next"


async def test_nobody_is_called_outside_of_calling_hours_by_their_own_clock(tmp_path: Path) -> None:
    """It is nine o'clock somewhere: in the zone of one of the two."""
    now = datetime.now(UTC)
    begin, end = f"{now:%H}:00", f"{now:%H}:59"
    fields = [
        {"name": "number", "type": "phone", "required": True},
        {"name": "zone", "type": "time zone"},
    ]
    hours = [{"days": [f"{now:%A}".lower()], "begin": begin, "end": end}]
    async with box(tmp_path) as b:
        campaign = await b.campaign(fields=fields, time_zone_field="zone", time_zone="UTC", hours=hours)
        await b.add(campaign.id, number=OTHER, zone="Pacific/Kiritimati")
        await b.add(campaign.id, number=ONE, zone="")
        await b.start(campaign.id)
        if now.minute == 59:
            pytest.fail("a test that begins in the last minute of an hour cannot know")
        await b.answered()
        assert b.line.dialled == ["0301234567"]
        seen = await b.is_in(campaign.id, "running", "Calling hours begin")
        assert seen.next_at
        assert "Pacific/Kiritimati" in seen.reason


async def test_a_campaign_without_any_hours_ahead_says_so(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    last = today + timedelta(days=7 - today.weekday())
    holidays = [f"{last + timedelta(weeks=week)}" for week in (-1, *range(1, 70))]
    async with box(tmp_path) as b:
        campaign = await b.running(
            ONE, holidays=holidays, hours=[{"days": ["monday"], "begin": "09:00", "end": "09:01"}]
        )
        await b.is_in(campaign.id, "running", "Calling hours begin")
        b.later(days=8)
        await b.is_in(campaign.id, "running", "no calling hours are ahead")
        assert b.line.dialled == []


async def test_who_is_on_the_list_is_skipped_in_whichever_spelling(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        ask = asked.AddDoNotCall(numbers=("+49 (30) 123 45-67", "no number, this", "0049301234567"))
        assert await b.do_not_call.add_do_not_call(ask) == asked.Added(added=1, known=1, bad=(2,))
        campaign = await b.running(ONE, OTHER)
        await b.answered()
        await b.are_at(campaign.id, "done", "done")
        assert b.line.dialled == ["0307654321"]
        found = await b.participant(campaign.id)
        [skipped] = found.communications
        assert (skipped.status, skipped.reason, skipped.attempts) == ("Skipped", "is on the do-not-call list", ())


async def test_who_asks_not_to_be_called_again_is_on_the_list_and_not_called_again(tmp_path: Path) -> None:
    twice = flow({"id": "one", "do": "call", "then": "two"}, {"id": "two", "do": "call", "then": "end"})
    async with box(tmp_path, results={"do not call": "yes", "wants": "peace"}) as b:
        campaign = await b.running(ONE, flow=twice)
        await b.answered()
        await b.are_at(campaign.id, "done")
        [entry] = (await b.do_not_call.list_do_not_call(asked.ListDoNotCall(text="+4930"))).items
        found = await b.participant(campaign.id)
        session_id = found.communications[0].attempts[0].session_id
        assert (entry.number, entry.source, entry.session_id) == (ONE, "caller", session_id)
        assert [each.status for each in found.communications] == ["Completed", "Skipped"]
        assert found.results == {"do not call": "yes", "wants": "peace"}
        assert len(b.line.dialled) == 1


@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [
        ({"name": "Zoë"}, "Skipped", "has no number to call"),
        ({"number": "#", "name": "Zoë"}, "Skipped", "has no number to call"),
        ({"number": "sip:a b@c", "name": "Zoë"}, "Skipped", "cannot be dialled"),
        ({"number": ONE}, "Failed", "the greeting says {name}: give a variable of that name"),
    ],
)
async def test_who_cannot_be_called_is_passed_over_with_a_reason(
    tmp_path: Path, values: dict[str, str], status: str, reason: str
) -> None:
    fields = [{"name": "number", "type": "phone"}, {"name": "name"}]
    greets = flow({"id": "call", "do": "call", "greeting": "Good day, {name}.", "then": "end"})
    async with box(tmp_path) as b:
        campaign = await b.campaign(fields=fields, flow=greets)
        await b.add(campaign.id, **values)
        await b.start(campaign.id)
        await b.are_at(campaign.id, "done")
        [communication] = (await b.participant(campaign.id)).communications
        assert communication.status == status
        assert reason in communication.reason
        assert b.line.dialled == []
