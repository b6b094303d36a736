"""The mail server, over real SMTP: refusing, slow, broken, killed, away for long, or none at all; and the queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import trio

from app.control import verbs
from app.control.mail import LetterView
from app.control.refusals import Refusal, Why
from firmware.storage import letter_records, outbox
from tests.contract.mail_box import OWNER, QUICK_S, Box, box
from tests.contract.webhook_box import eventually
from tests.fakes.mail_server import PASSWORD, TAKEN, Certificates, certificates, mail_server, talker

pytestmark = pytest.mark.contract

DEPUTY = "deputy@office.example"


@pytest.fixture(autouse=True)
def results_are_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No language model writes them down in these calls, so nobody waits for it."""
    monkeypatch.setattr(letter_records, "RESULTS_S", -1.0)


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return certificates(tmp_path / "tls")


# -- encryption and log-in -------------------------------------------------------------------------------------


async def test_tls_from_the_first_byte_on(tmp_path: Path, made: Certificates) -> None:
    async with mail_server(tls=made.served) as post, box(tmp_path, trust=made.trusted) as b:
        await b.has_agent(OWNER)
        await b.logs_in(post.port, security="tls")
        b.ended()
        await b.becomes("delivered")
    assert (post.log_ins, post.encrypted) == ([True], [True])


async def test_a_certificate_that_is_not_trusted(tmp_path: Path, made: Certificates) -> None:
    for security in ("starttls", "tls"):
        served = mail_server(tls=made.served) if security == "tls" else mail_server(starttls=made.served)
        async with served as post, box(tmp_path / security) as b:
            await b.has_agent(OWNER)
            await b.logs_in(post.port, security=security)
            b.ended()
            assert "certificate is not trusted" in (await given_up(b)).attempts[0].problem
            assert (post.log_ins, post.got) == ([], [])


async def test_a_certificate_for_another_name(tmp_path: Path, made: Certificates) -> None:
    async with mail_server(starttls=made.served) as post, box(tmp_path, trust=made.trusted) as b:
        await b.has_agent(OWNER)
        await b.sends_by(post.port, host="localhost.localdomain", security="starttls", user="u", password=PASSWORD)
        b.ended()
        problem = (await given_up(b)).attempts[0].problem
    assert "not trusted" in problem or "name cannot be found" in problem
    assert post.log_ins == []


async def test_no_encryption_is_offered_then_nothing_is_told(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        await b.has_agent(OWNER)
        await b.logs_in(post.port)
        b.ended()
        assert "offers no STARTTLS" in (await given_up(b)).attempts[0].problem
        await b.logs_in(post.port, security="none")
        assert "does not ask for user and password" in (await _again(b)).attempts[-1].problem
        await b.logs_in(post.port, security="tls")
        assert "does not begin with TLS" in (await _again(b)).attempts[-1].problem
    assert (post.log_ins, post.got) == ([], [])


async def test_a_wrong_password_is_tried_once_for_all_letters(tmp_path: Path, made: Certificates) -> None:
    async with (
        mail_server(starttls=made.served, wants_log_in=True) as post,
        box(tmp_path, trust=made.trusted, delays_s=(3600.0,)) as b,
    ):
        await b.has_agent(OWNER, DEPUTY)
        await b.logs_in(post.port, password="canary wrong")
        b.ended()
        await eventually(lambda: _all_tried(b, 2))
        once = len(post.log_ins)
        b.ended()
        await eventually(lambda: _count(b, 4))
        await trio.sleep(0.1)
        assert len(post.log_ins) == once, "mailboxes get locked"
        for letter in (await b.found())[2:]:
            assert "does not accept user and password" in letter.attempts[0].problem
            assert letter.attempts[0].status == 535
        await b.logs_in(post.port)
        await b.becomes(*["delivered"] * 4)


async def test_it_wants_a_log_in(tmp_path: Path, made: Certificates) -> None:
    async with mail_server(starttls=made.served, wants_log_in=True) as post, box(tmp_path, trust=made.trusted) as b:
        await b.has_agent(OWNER)
        await b.sends_by(post.port, host="localhost", security="starttls")
        b.ended()
        assert "takes nothing without user and password" in (await given_up(b)).attempts[0].problem


# -- what it answers -------------------------------------------------------------------------------------------


async def test_one_address_is_refused_and_the_others_are_told(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        post.of_recipient = lambda to: "550 5.1.1 No such user here" if to == DEPUTY else TAKEN
        await b.has_agent(DEPUTY, OWNER)
        await b.sends_by(post.port)
        b.ended()
        await b.becomes("delivered", "given up")
        refused = (await b.found())[1]
        assert len(refused.attempts) == 1, "trying again would not help"
        assert "does not take e-mails to this address" in refused.attempts[0].problem
        assert "It said: 550 5.1.1 No such user here" in refused.attempts[0].problem
        assert (await b.verbs.get_mail_server(verbs.Empty())).given_up == 1
        post.of_recipient = lambda _: TAKEN
        await b.verbs.resend_letter(verbs.ById(id=refused.id))
        await b.becomes("delivered", "delivered")
        again = await b.verbs.resend_letter(verbs.ById(id=refused.id))
        assert isinstance(again, Refusal)
        assert again.why is Why.NOT_FOUND


async def test_put_off_then_taken_under_the_same_name(tmp_path: Path) -> None:
    seen: list[str] = []

    def later(message: EmailMessage) -> str:
        seen.append(message["Message-ID"])
        return TAKEN if len(seen) > 2 else "451 4.7.1 greylisted"

    async with mail_server() as post, box(tmp_path) as b:
        post.of_message = later
        await b.has_agent(OWNER)
        await b.sends_by(post.port)
        b.ended()
        letter = await b.becomes("delivered")
    assert [bool(each.problem) for each in letter.attempts] == [True, True, False]
    assert "puts it off" in letter.attempts[0].problem
    assert len(set(seen)) == 1


async def test_what_a_server_says_is_shown_as_text(tmp_path: Path) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        post.of_message = lambda _: "554 5.7.0 <script>\x07 spam \udcff" + "x" * 400
        await b.has_agent(OWNER)
        await b.sends_by(post.port)
        b.ended()
        letter = await given_up(b)
    assert "does not take the message" in letter.attempts[0].problem
    assert letter.attempts[0].problem.isprintable()
    assert len(letter.attempts[0].problem) < 500
    assert len(letter.attempts) == 1 + len(QUICK_S), "what a policy forbids, its owner may allow"


# -- broken, slow, none ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["recipient", "message"])
async def test_killed_in_the_middle_then_told_once(tmp_path: Path, when: str) -> None:
    async with mail_server() as post, box(tmp_path) as b:
        setattr(post, f"of_{when}", lambda _: None)
        await b.has_agent(OWNER)
        await b.sends_by(post.port)
        b.ended()
        await eventually(lambda: _all_tried(b, 1))
        setattr(post, f"of_{when}", lambda _: TAKEN)
        letter = await b.becomes("delivered")
    assert "broke off" in letter.attempts[0].problem
    assert len(post.got) == 1


@pytest.mark.parametrize(
    ("says", "closes", "words"),
    [
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), False, "not a mail server"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), True, "not a mail server"),
        ((b"\x00\xff" * 100,), True, "not a mail server"),
        ((), True, "broke off"),
        ((b"554 5.7.1 go away\r\n",), False, "takes nothing at the moment. It said: 554 5.7.1 go away"),
        ((b"220 hello\r\n",), True, "broke off"),
        ((b"220-" + b"x" * 500 + b"\r\n",) * 4000, False, "broke off"),
        ((b"220 " + b"x" * 100_000,), False, "takes nothing at the moment"),
    ],
    ids=["ssh", "http", "bytes", "nothing", "goes away", "half", "endless", "long line"],
)
async def test_what_answers_there(tmp_path: Path, says: tuple[bytes, ...], closes: bool, words: str) -> None:
    async with talker(*says, then_closes=closes) as port, box(tmp_path) as b:
        await b.has_agent(OWNER)
        await b.sends_by(port)
        b.ended()
        assert words in (await given_up(b)).attempts[0].problem


async def test_one_byte_now_and_then_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.mail.client.ALL_S", 0.3)
    async with talker(*[b"2"] * 10_000, every_s=0.05) as port, box(tmp_path, delays_s=(0.01,)) as b:
        await b.has_agent(OWNER)
        await b.sends_by(port)
        b.ended()
        letter = await given_up(b)
    assert "did not answer" in letter.attempts[0].problem
    assert 300 <= letter.attempts[0].took_ms < 15_000


async def test_a_silent_one_is_left_by_smtplib_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.mail.line.ANSWER_S", 0.2)
    async with talker() as port, box(tmp_path, delays_s=(0.01,)) as b:
        await b.has_agent(OWNER)
        await b.sends_by(port)
        b.ended()
        assert "did not answer" in (await given_up(b)).attempts[0].problem


async def test_nobody_there_for_long_then_it_is_told(tmp_path: Path) -> None:
    async with mail_server() as gone:
        pass
    async with box(tmp_path, delays_s=(0.05,) * 100) as b:
        await b.has_agent(OWNER)
        await b.sends_by(gone.port)
        b.ended()
        await eventually(lambda: _all_tried(b, 1))
        async with mail_server(port=gone.port) as post:
            letter = await b.becomes("delivered")
            assert len(post.got) == 1
    assert "nothing answers at the mail server's address" in letter.attempts[0].problem


async def test_names_that_lead_nowhere_and_out_of_the_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        await trio.lowlevel.checkpoint()
        return [(None, None, None, "", ("93.184.216.34", 25))]

    async with box(tmp_path) as b:
        await b.has_agent(OWNER)
        await b.sends_by(25, host="mail.invalid")
        b.ended()
        assert "name cannot be found" in (await given_up(b)).attempts[0].problem
        monkeypatch.setattr("firmware.private_network.trio.socket.getaddrinfo", looked_up)
        await b.sends_by(25, host="mail.example.com")
        assert "not in your own network" in (await _again(b)).attempts[-1].problem


# -- the queue -------------------------------------------------------------------------------------------------


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    async with mail_server() as post:
        post.of_recipient = lambda _: "450 4.2.0 later"
        async with box(tmp_path, delays_s=(3600.0,)) as b:
            await b.has_agent(OWNER)
            await b.sends_by(post.port)
            b.ended("first")
            await eventually(lambda: _all_tried(b, 1))
            b.store.open_session(call_id="c", agent="Reception", direction="inbound", remote="cut off")
            ahead = (datetime.now(UTC) + timedelta(days=365)).isoformat()  # by a clock that was wrong
            await b.store.transact(lambda db: db.execute("UPDATE letters SET next_at = ?", (ahead,)))
        post.of_recipient = lambda _: TAKEN
        async with box(tmp_path) as b:
            await b.becomes("delivered", "delivered")
    assert sorted(each["Subject"] for each in post.got) == [
        "Reception: call from cut off",
        "Reception: call from first",
    ]


async def test_the_queue_is_bounded_and_nothing_of_what_waits_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    monkeypatch.setattr(letter_records, "_AT_ONCE", 2)
    async with mail_server() as post, box(tmp_path, delays_s=(0.02,) * 1000) as b:
        post.of_recipient = lambda _: "450 4.2.0 later"
        await b.has_agent(OWNER)
        await b.sends_by(post.port)
        for number in range(12):
            b.ended(str(number))
        await eventually(lambda: _count(b, 4))
        await trio.sleep(0.1)
        assert len(await b.found()) == 4
        post.of_recipient = lambda _: TAKEN
        await post.has(12)
        monkeypatch.setattr(outbox, "KEPT", 3)
        await eventually(lambda: _none_waits(b))
        b.letters.wake()
        await b.becomes(*["delivered"] * 3)
    assert len({each["Subject"] for each in post.got}) == 12


async def given_up(b: Box) -> LetterView:
    return await b.becomes("given up")


async def _again(b: Box) -> LetterView:
    """The only letter, once the mail server that was saved last has been tried with it as often as the one before."""
    [letter] = await b.found()
    tried = len(letter.attempts)
    await b.verbs.resend_letter(verbs.ById(id=letter.id))
    await eventually(lambda: _tried_more(b, tried))
    return await given_up(b)


async def _tried_more(b: Box, before: int) -> bool:
    return len((await b.found())[0].attempts) > before


async def _all_tried(b: Box, count: int) -> bool:
    found = await b.found()
    return len(found) == count and all(each.attempts for each in found)


async def _count(b: Box, count: int) -> bool:
    return len(await b.found()) >= count


async def _none_waits(b: Box) -> bool:
    return "waiting" not in await b.states()
