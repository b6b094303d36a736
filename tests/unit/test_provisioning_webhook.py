"""The page of the webhook: a secret that is written and never read, a test, and deliveries with their reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.control import views
from app.control.refusals import Refusal, Why
from app.control.webhook import Attempt, Deliveries, DeliveryView, Webhook, WebhookView
from app.settings import Settings
from provisioning.web.rendering import MASK
from tests.unit.test_provisioning_pages import hidden, signed_in

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
URL = "https://crm.example.com/calls"
FAILED = Attempt(at=AT, status=500, problem="it answered 500: it did not take it", took_ms=12)
STUCK = DeliveryView(
    id="d1", event="call.ended", session_id="s1", created_at=AT, state="given up", next_at=None, attempts=(FAILED,)
)
OF_A_STEP = DeliveryView(
    id="d2", event="campaign.step", session_id="", created_at=AT, state="delivered", next_at=None, attempts=()
)
OVERTAKEN = Refusal(why=Why.CHANGED_MEANWHILE, text="Somebody changed it.")


def webhook(version: int = 3, **changes: object) -> WebhookView:
    values = {
        "version": version,
        "settings": Webhook(url=URL),
        "has_secret": True,
        "unreadable": False,
        "waiting": 0,
        "given_up": 1,
    }
    return WebhookView.model_validate(values | changes)


ANSWERS: dict[str, list[Settings]] = {
    "get_webhook": [webhook()],
    "list_deliveries": [Deliveries(items=(STUCK, OF_A_STEP), before=None)],
}


async def test_it_shows_why_and_no_secret(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = dict(ANSWERS)
        text = (await client.get("/box/webhook")).text
    assert f'value="{URL}"' in text
    assert f'name="secret" type="password" value="{MASK}"' in text
    assert "It answered 500: it did not take it." in text
    assert 'action="/box/webhook/d1/resend"' in text
    assert "1 given up" in text
    assert "Step of a campaign" in text
    assert 'href="/sessions/"' not in text


async def test_the_mask_changes_nothing_and_a_new_secret_does(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"update_webhook": [webhook(4)]}
        for secret in (MASK, "a secret of 20 signs"):
            form = {"csrf": csrf, "url": URL, "secret": secret, "version": "3", "inbound": "yes"}
            assert (await client.post("/box/webhook", data=form)).status_code == 303
    drafts = [asked.model_dump()["draft"] for asked in box.questions("update_webhook")]
    assert [draft["secret"] is None for draft in drafts] == [True, False]
    assert all(draft["inbound"] for draft in drafts)


async def test_what_was_typed_wrongly_stays_but_not_the_secret(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(ANSWERS)
        form = {"csrf": csrf, "url": "http://93.184.216.34/", "secret": "canary", "version": "3"}
        told = await client.post("/box/webhook", data=form)
    assert told.status_code == 422
    assert 'value="http://93.184.216.34/"' in told.text
    assert "canary" not in told.text
    assert "Must have at least 16 characters" in told.text
    assert "https://" in told.text


async def test_the_later_of_two_tabs_can_save_after_it_was_told(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"update_webhook": [OVERTAKEN]}
        form = {"csrf": csrf, "url": URL, "secret": MASK, "version": "2"}
        told = await client.post("/box/webhook", data=form)
    assert told.status_code == 409
    assert hidden(told.text, "version") == "3"


@pytest.mark.parametrize(
    ("attempt", "words"),
    [(FAILED, "Not taken"), (Attempt(at=AT, status=204, problem="", took_ms=8), "It works")],
)
async def test_a_test_says_how_it_went(tmp_path: Path, attempt: Attempt, words: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"try_webhook": [attempt]}
        assert words in (await client.post("/box/webhook/test", data={"csrf": csrf})).text


async def test_sent_again_by_hand(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"resend_delivery": [views.Nothing()]}
        answer = await client.post("/box/webhook/d1/resend", data={"csrf": csrf})
    assert answer.headers["location"] == "/box/webhook"
    (asked,) = box.questions("resend_delivery")
    assert asked.model_dump()["id"] == "d1"
