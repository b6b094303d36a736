"""E-mails after calls: what they say, to whom they go, and a real mail server that takes them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio.testing

from app.control import verbs
from app.control.mail import MailServerDraft, TryMailServer, UpdateMailServer
from app.control.refusals import Refusal, Why
from app.control.webhook import Attempt
from firmware.control.events import Events
from firmware.control.sessions import SessionVerbs
from firmware.keeping.copying import copied, replaced
from firmware.storage import letter_records
from tests.contract.mail_box import OWNER, SENDER, Box, box
from tests.contract.webhook_box import eventually, holding
from tests.fakes.ledger import TALKED
from tests.fakes.mail_server import PASSWORD, certificates, mail_server

pytestmark = pytest.mark.contract

BROUGHT = {"name": "Zoë Müller", "number": "0301234", "message": "Please call back\r\nBcc: all@office.example"}


@pytest.fixture(autouse=True)
def results_are_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No language model writes them down in these calls, so nobody waits for it."""
    monkeypatch.setattr(letter_records, "RESULTS_S", -1.0)


# -- what is sent ----------------------------------------------------------------------------------------------


async def test_a_call_that_ended_is_mailed_whole_to_everybody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = certificates(tmp_path / "tls")
    caplog.set_level(logging.DEBUG)
    async with mail_server(starttls=made.served, wants_log_in=True) as post, box(tmp_path, trust=made.trusted) as b:
        await b.has_agent(OWNER, "deputy@office.example")
        await b.logs_in(post.port)
        session_id = b.ended(conclusion="message taken", results=BROUGHT)
        await b.becomes("delivered", "delivered")
        assert sorted(post.recipients) == ["deputy@office.example", OWNER]
        assert (post.log_ins, post.encrypted) == ([True], [True, True]), "one connection for both"
        message = post.got[0]
        assert message["From"] == SENDER
        assert message["Subject"] == "Reception: message from Zoë Müller"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Bcc"] is None
        body = message.get_content()
        for line in (
            "From: +49 30 1234",
            "What it came to: message taken",
            "Name: Zoë Müller",
            "Number: 0301234",
            "Message: Please call back Bcc: all@office.example",
            f"https://deskbell.local/sessions/{session_id}",
        ):
            assert line in body.splitlines(), body
        left = await b.store.transact(lambda db: db.execute("SELECT DISTINCT subject, body FROM letters").fetchall())
        assert left == [("", "")], "what was taken keeps nothing personal in the queue"
    assert holding(tmp_path, PASSWORD.encode()) == []
    logged = repr([each.__dict__ for each in caplog.records if each.name != "mail.log"])  # aiosmtpd's
    assert [word for word in (PASSWORD, "Zoë", "1234", OWNER, "office.example") if word in logged] == []


async def test_only_what_is_wanted(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        await b.sends_by(post.port)
        await b.has_agent(OWNER, when="something to tell")
        b.ended("1")
        b.ended("2", results={"name": ""})
        b.ended("3", conclusion="message taken")
        b.ended("4", results={"coming": "yes"})
        await b.placed("echo test")
        await b.placed("handset")
        b.ended("5", agent="Nobody")
        await post.has(2)
        await b.has_agent(OWNER)
        b.ended("6")
        await b.placed()
        await post.has(4)
        await b.has_agent()
        b.ended("7")
        await b.looked_at_all()
        await b.has_agent(OWNER)
        b.ended("8")
        await post.has(5)
    froms = [line for each in post.got for line in each.get_content().splitlines() if line[:5] in ("From:", "To: 1")]
    one_after_the_other = [froms[:2], froms[2:4], froms[4:]]  # those of one millisecond in any order
    assert list(map(sorted, one_after_the_other)) == [["From: 3", "From: 4"], ["From: 6", "To: 101"], ["From: 8"]]


async def test_an_agent_that_was_renamed_while_it_talked(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        await b.sends_by(post.port)
        await b.has_agent(OWNER, name="New name")
        session = b.store.open_session(call_id="c", agent="Reception", direction="inbound", remote="1")
        b.store.belongs(session.id, "a1")
        session.close(TALKED, "", {})
        b.letters.wake()
        await post.has(1)


async def test_nothing_is_sent_of_the_time_without_a_mail_server(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        await b.has_agent(OWNER)
        b.ended("before")
        await b.sends_by(post.port)
        b.ended("after")
        await post.has(1)
        await b.sends_by(587, host="", sender="")
        b.ended("without")
        await b.sends_by(post.port)
        b.ended("again")
        await post.has(2)
    assert ["From: after" in post.got[0].get_content(), "From: again" in post.got[1].get_content()] == [True, True]


async def test_it_waits_for_the_results_of_a_language_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_records, "RESULTS_S", 0.5)
    monkeypatch.setattr("firmware.mail.service.RESULTS_S", 0.5)
    async with mail_server() as post, box(tmp_path) as b:
        await b.has_agent(OWNER)
        await b.sends_by(post.port)
        session = b.store.open_session(call_id="c", agent="Reception", direction="inbound", remote="1")
        session.close(TALKED, "", {})
        b.letters.wake()
        await b.store.settled()
        assert await b.found() == ()
        session.found({"name": "Late"})
        await post.has(1)
        assert post.got[0]["Subject"] == "Reception: call from Late"


async def test_a_session_that_is_deleted_is_not_mailed(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path, delays_s=(3600.0,)) as b:
        post.of_recipient = lambda _: "450 4.2.0 later"
        await b.has_agent(OWNER)
        await b.sends_by(post.port)
        session_id = b.ended()
        await eventually(lambda: _tried(b, 1))
        await SessionVerbs(b.store, tmp_path, Events()).delete_session(verbs.ById(id=session_id))
        assert await b.found() == ()
        left = await b.store.transact(lambda db: db.execute("SELECT count(*) FROM letter_attempts").fetchone())
        assert left == (0,)


# -- settings --------------------------------------------------------------------------------------------------


async def test_a_password_stays_with_the_server_it_was_entered_for(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.logs_in(587)
        assert made.has_password
        assert PASSWORD not in made.model_dump_json()
        assert (await b.sends_by(465, host="localhost", user="reception", security="tls")).has_password
        for other in ({"host": "evil.example", "user": "reception"}, {"host": "localhost", "user": "somebody"}):
            refusal = await b.verbs.update_mail_server(
                UpdateMailServer(if_version=2, draft=MailServerDraft.model_validate(other | {"sender": SENDER}))
            )
            assert isinstance(refusal, Refusal)
            assert "password" in refusal.fields
        assert not (await b.sends_by(587, host="localhost")).has_password, "without a user there is none"
        late = UpdateMailServer(if_version=2, draft=MailServerDraft())
        overtaken = await b.verbs.update_mail_server(late)
        assert isinstance(overtaken, Refusal)
        assert overtaken.why is Why.CHANGED_MEANWHILE


async def test_a_test_message_says_how_it_went_and_leaves_nothing(tmp_path: Path) -> None:
    made = certificates(tmp_path / "tls")
    async with mail_server(starttls=made.served) as post, box(tmp_path, trust=made.trusted) as b:
        ask = TryMailServer(to=OWNER)
        assert isinstance(await b.verbs.try_mail_server(ask), Refusal)
        await b.logs_in(post.port, password="wrong")
        problem = (await _attempt(b, ask)).problem
        assert "does not accept user and password" in problem
        await b.logs_in(post.port)
        assert (await _attempt(b, ask)).problem == ""
        assert post.got[0]["Subject"] == "Test of the mail server, from deskbell"
        assert await b.found() == ()


async def test_a_test_message_ends_before_the_page_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.control.mail._PATIENCE_S", 0.3)
    async with mail_server() as post, box(tmp_path) as b:
        with trio.fail_after(30):
            [silent] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            await b.sends_by(silent.socket.getsockname()[1])
            assert "took longer than" in (await _attempt(b, TryMailServer(to=OWNER))).problem
            await silent.aclose()
        assert post.got == []


async def test_a_lost_key_waits_for_the_password_to_be_entered_again(tmp_path: Path) -> None:
    made = certificates(tmp_path / "tls")
    async with mail_server(starttls=made.served, wants_log_in=True) as post:
        async with box(tmp_path, trust=made.trusted) as b:
            await b.has_agent(OWNER)
            await b.logs_in(post.port)
        (tmp_path / "vault" / "kek").unlink()
        async with box(tmp_path, trust=made.trusted) as b:
            b.ended()
            assert (await b.verbs.get_mail_server(verbs.Empty())).unreadable
            await trio.testing.wait_all_tasks_blocked()
            await b.logs_in(post.port)
            await post.has(1)


async def test_a_backup_brings_it_to_another_box_and_one_from_before_brings_none(tmp_path: Path) -> None:
    now, made = datetime.now(UTC), certificates(tmp_path / "tls")
    async with mail_server(starttls=made.served, wants_log_in=True) as post:
        async with box(tmp_path / "old") as old:
            await old.has_agent(OWNER)
            before = await old.store.transact(lambda db: copied(db, old.vault, "0.1", now))
            await old.logs_in(post.port)
            content = await old.store.transact(lambda db: copied(db, old.vault, "0.1", now))
        async with box(tmp_path / "new", trust=made.trusted) as new:
            await new.store.transact(lambda db: replaced(db, new.vault, content, now))
            new.ended()
            await post.has(1)
            await new.store.transact(lambda db: replaced(db, new.vault, before, now))
            view = await new.verbs.get_mail_server(verbs.Empty())
            assert (view.settings.host, view.has_password) == ("", False)


async def _attempt(b: Box, ask: TryMailServer) -> Attempt:
    answer = await b.verbs.try_mail_server(ask)
    assert isinstance(answer, Attempt), answer
    return answer


async def _tried(b: Box, times: int) -> bool:
    found = await b.found()
    return bool(found) and len(found[0].attempts) >= times
