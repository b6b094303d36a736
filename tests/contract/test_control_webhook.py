"""The webhook: its settings, and what it is told, over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
import trio.testing

from app.control import verbs
from app.control.refusals import Refusal, Why
from app.control.webhook import Attempt, UpdateWebhook, WebhookDraft
from firmware.keeping.copying import copied, replaced
from firmware.storage import records, webhook_records
from tests.contract.webhook_box import SECRET, box, holding, is_signed
from tests.fakes.ledger import TALKED
from tests.fakes.webhook_receiver import FAILED, TAKEN, receiver

pytestmark = pytest.mark.contract


# -- what is told ----------------------------------------------------------------------------------------------


async def test_a_call_that_ended_is_told_once_signed_and_whole(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        await b.points_to(there.url)
        session_id = await b.ended()
        delivery = await b.becomes("delivered")
        [told] = there.told
        assert is_signed(told.body, told.headers["deskbell-signature"])
        assert not is_signed(told.body + b" ", told.headers["deskbell-signature"])
        assert told.headers["deskbell-event"] == "call.ended"
        assert told.headers["deskbell-delivery"] == delivery.id
        assert told.headers["host"] == there.url.split("/")[2]
        body = json.loads(told.body)
        assert (body["event"], body["delivery"]) == ("call.ended", delivery.id)
        call = body["call"]
        assert (call["id"], call["session_id"], call["outcome"]) == ("c1", session_id, "network error")
        assert (call["remote"], call["dialled"], call["variables"]) == ("+49 30 1234", "00301234", {"n": "Zoë"})
        assert [attempt.status for attempt in delivery.attempts] == [200]
        assert b.told == ["changed"]
    assert holding(tmp_path, SECRET.encode()) == []


async def test_what_is_no_session_is_told_as_well(tmp_path: Path) -> None:
    def add(db: records.Db) -> None:
        webhook_records.add_delivery(db, "campaign.step", {"step": {"id": "tell"}}, datetime.now(UTC))

    async with receiver() as there, box(tmp_path) as b:
        await b.store.transact(add)
        assert await b.deliveries() == (), "nobody wanted to be told then"
        await b.points_to(there.url)
        await b.store.transact(add)
        b.webhooks.wake()
        delivery = await b.becomes("delivered")
        [told] = there.told
        assert is_signed(told.body, told.headers["deskbell-signature"])
        assert told.headers["deskbell-event"] == delivery.event == "campaign.step"
        assert json.loads(told.body) == {"event": "campaign.step", "delivery": delivery.id, "step": {"id": "tell"}}
        assert delivery.session_id == ""


async def test_what_was_taken_keeps_nothing_personal_in_the_queue(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        await b.points_to(there.url)
        await b.ended()
        await b.becomes("delivered")
        rows = await b.store.transact(lambda db: db.execute("SELECT body FROM deliveries").fetchall())
        assert rows == [("",)]


async def test_only_calls_that_were_asked_for_unless_wanted_otherwise(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        await b.points_to(there.url)
        inbound = b.store.open_session(call_id="in-1", agent="R", direction="inbound", remote="101")
        inbound.close(TALKED, "message taken", {"message": "hello"})
        await b.ended("echo", "echo test")
        await b.ended("out-1")
        await there.is_told(1)
        await b.points_to(there.url, inbound=True)
        b.store.open_session(call_id="in-2", agent="R", direction="inbound", remote="102").close(TALKED, "", {})
        b.webhooks.wake()
        await there.is_told(2)
        await b.store.settled()
        ids = [json.loads(each.body)["call"]["id"] for each in there.told]
    assert ids == ["out-1", "in-2"]


async def test_nothing_is_told_of_the_time_without_a_webhook(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        await b.ended("before")
        await b.points_to(there.url)
        await b.ended("after")
        await there.is_told(1)
        await b.points_to("")
        await b.ended("without")
        await b.points_to(there.url)
        await b.ended("again")
        await there.is_told(2)
        assert [json.loads(each.body)["call"]["id"] for each in there.told] == ["after", "again"]


async def test_an_open_call_is_told_when_it_ends_and_as_unknown_after_a_power_cut(tmp_path: Path) -> None:
    async with receiver() as there:
        async with box(tmp_path) as b:
            await b.points_to(there.url)
            await b.call("cut")
            b.webhooks.wake()
            await trio.testing.wait_all_tasks_blocked()
        async with box(tmp_path) as b:
            await there.is_told(1)
            call = json.loads(there.told[0].body)["call"]
    assert (call["id"], call["outcome"], call["ended_at"]) == ("cut", "unknown", None)


# -- settings --------------------------------------------------------------------------------------------------


async def test_it_needs_a_secret_which_is_never_told(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        ask = UpdateWebhook(if_version=0, draft=WebhookDraft(url="https://crm.example.com"))
        refusal = await b.verbs.update_webhook(ask)
        assert isinstance(refusal, Refusal)
        assert "secret" in refusal.fields
        made = await b.points_to("https://crm.example.com")
        assert made.has_secret
        assert SECRET not in made.model_dump_json()
        kept = await b.points_to("https://crm.example.com/other", secret=None)
        assert kept.has_secret
        overtaken = await b.verbs.update_webhook(ask)
        assert isinstance(overtaken, Refusal)
        assert overtaken.why is Why.CHANGED_MEANWHILE


async def test_a_lost_key_waits_for_the_secret_to_be_entered_again(tmp_path: Path) -> None:
    async with receiver() as there:
        async with box(tmp_path) as b:
            await b.points_to(there.url)
        (tmp_path / "vault" / "kek").unlink()
        async with box(tmp_path) as b:
            await b.ended()
            view = await b.verbs.get_webhook(verbs.Empty())
            assert view.unreadable
            await b.points_to(there.url)
            await b.becomes("delivered")
            assert is_signed(there.told[0].body, there.told[0].headers["deskbell-signature"])


async def test_a_test_says_how_it_went_and_leaves_nothing(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        refusal = await b.verbs.try_webhook(verbs.Empty())
        assert isinstance(refusal, Refusal)
        there.answers(FAILED, TAKEN)
        await b.points_to(there.url)
        answers = [await b.verbs.try_webhook(verbs.Empty()) for _ in range(2)]
        assert [each.status for each in answers if isinstance(each, Attempt)] == [500, 200]
        assert await b.deliveries() == ()
        assert json.loads(there.told[0].body)["event"] == "test"


async def test_a_backup_brings_it_to_another_box_and_one_from_before_brings_none(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with receiver() as there:
        async with box(tmp_path / "old") as old:
            before = await old.store.transact(lambda db: copied(db, old.vault, "0.1", now))
            await old.points_to(there.url, inbound=True)
            content = await old.store.transact(lambda db: copied(db, old.vault, "0.1", now))
        async with box(tmp_path / "new") as new:
            await new.store.transact(lambda db: replaced(db, new.vault, content, now))
            assert (await new.verbs.get_webhook(verbs.Empty())).settings.inbound
            await new.ended()
            await new.becomes("delivered")
            assert is_signed(there.told[0].body, there.told[0].headers["deskbell-signature"])
            await new.store.transact(lambda db: replaced(db, new.vault, before, now))
            view = await new.verbs.get_webhook(verbs.Empty())
            assert (view.settings.url, view.has_secret) == ("", False)
