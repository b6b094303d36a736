"""The page of the mail server: a password that is written and never read, a test message, and letters with their
reasons; and the addresses on an agent's page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.control import views
from app.control.mail import Letters, LetterView, MailServer, MailServerView
from app.control.refusals import Refusal, Why
from app.control.webhook import Attempt
from app.settings import Settings
from provisioning.web.agent_form import named
from provisioning.web.rendering import MASK
from tests.unit.test_provisioning_pages import hidden, signed_in

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
SERVER = MailServer(host="smtp.example.com", port=465, security="tls", user="box", sender="box@example.com")
REFUSED = Attempt(at=AT, status=550, problem="the mail server does not take it. It said: 550 <nobody>", took_ms=12)
STUCK = LetterView(
    id="l1",
    session_id="s1",
    recipient="owner@example.com",
    created_at=AT,
    state="given up",
    next_at=None,
    attempts=(REFUSED,),
)
VIEW = MailServerView(version=3, settings=SERVER, has_password=True, unreadable=False, waiting=2, given_up=1)
ANSWERS: dict[str, list[Settings]] = {
    "get_mail_server": [VIEW],
    "list_letters": [Letters(items=(STUCK,), before=None)],
}
TYPED = {"host": "smtp.example.com", "port": "465", "security": "tls", "user": "box", "sender": "box@example.com"}


async def test_it_shows_why_and_no_password(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = dict(ANSWERS)
        text = (await client.get("/box/mail")).text
    assert f'name="password" type="password" value="{MASK}"' in text
    assert "It said: 550 &lt;nobody&gt;." in text
    assert 'action="/box/mail/l1/resend"' in text
    assert "1 given up" in text
    assert "2 waiting" in text
    assert 'name="to" type="email" value="box@example.com"' in text


async def test_the_mask_changes_nothing_and_a_new_password_does(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"update_mail_server": [VIEW]}
        for password in (MASK, "another one"):
            form = TYPED | {"csrf": csrf, "password": password, "version": "3"}
            assert (await client.post("/box/mail", data=form)).status_code == 303
    drafts = [asked.model_dump()["draft"] for asked in box.questions("update_mail_server")]
    assert [draft["password"] is None for draft in drafts] == [True, False]
    assert {name: str(drafts[0][name]) for name in TYPED} == TYPED


async def test_what_was_typed_wrongly_stays_but_not_the_password(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(ANSWERS)
        wrong = {"host": "https://smtp.example.com", "sender": "Anna", "port": "99999"}
        form = TYPED | wrong | {"csrf": csrf, "password": "canary", "version": "3"}
        told = await client.post("/box/mail", data=form)
    assert told.status_code == 422
    assert 'value="https://smtp.example.com"' in told.text
    assert "canary" not in told.text
    for words in ("name or address of a mail server", "Must be an e-mail address", "Must be 65535 or less"):
        assert words in told.text, words


async def test_the_later_of_two_tabs_can_save_after_it_was_told(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        overtaken = Refusal(why=Why.CHANGED_MEANWHILE, text="Somebody changed it.")
        box.answers = ANSWERS | {"update_mail_server": [overtaken]}
        told = await client.post("/box/mail", data=TYPED | {"csrf": csrf, "password": MASK, "version": "2"})
    assert told.status_code == 409
    assert hidden(told.text, "version") == "3"


@pytest.mark.parametrize(
    ("attempt", "words"),
    [(REFUSED, "Not sent"), (Attempt(at=AT, status=0, problem="", took_ms=8), "took it for me@example.com")],
)
async def test_a_test_message_says_how_it_went(tmp_path: Path, attempt: Attempt, words: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"try_mail_server": [attempt]}
        told = await client.post("/box/mail/test", data={"csrf": csrf, "to": " me@example.com "})
        wrong = await client.post("/box/mail/test", data={"csrf": csrf, "to": "nobody"})
    assert words in told.text
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.text
    assert "Must be an e-mail address" in wrong.text


async def test_sent_again_by_hand(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = ANSWERS | {"resend_letter": [views.Nothing()]}
        answer = await client.post("/box/mail/l1/resend", data={"csrf": csrf})
    assert answer.headers["location"] == "/box/mail"
    (asked,) = box.questions("resend_letter")
    assert asked.model_dump()["id"] == "l1"


def test_a_wrong_address_is_told_at_its_field() -> None:
    assert named({"mail_to.1": "Must be an e-mail address", "mail_to.2": "Another"}) == {
        "mail_to": "Must be an e-mail address"
    }
