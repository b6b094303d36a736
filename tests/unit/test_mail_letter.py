"""What an e-mail after a call says, and that nothing from a caller adds a header; which addresses there may be."""

from __future__ import annotations

import email
import email.policy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.control.mail import MailServer, MailServerDraft, TryMailServer
from app.settings import Agent, Box
from firmware.mail.letter import message_of, words_of
from firmware.mail.troubles import Cause, Trouble
from firmware.storage.letter_records import Letter

pytestmark = pytest.mark.unit

BERLIN = Box(name="front-desk", time_zone="Europe/Berlin")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": "20261126T130500-abcd",
    "agent": "Reception",
    "direction": "inbound",
    "remote": "+49 30 1234",
    "started_at": "2026-11-26T13:05:00.000+00:00",
    "talk_ms": 92_400,
    "outcome": "answered",
    "conclusion": "message taken",
    "sip_code": 200,
    "sip_reason": "OK",
    "ring_ms": 0,
    "results": json.dumps({"name": "Anna Smith", "number": "0301234", "message": "Please call back.", "wanted": ""}),
}
HOSTILE = "x\r\nBcc: all@office.example\r\n\r\nbody\x00\x1b[31m\u2028\u202e\ud800"


def written(row: dict[str, Any], box: Box = BERLIN) -> tuple[str, list[str]]:
    words = words_of(row, box)
    return words.subject, words.body.splitlines()


def test_a_message() -> None:
    subject, lines = written(ROW)
    assert subject == "Reception: message from Anna Smith"
    assert lines == [
        "Reception took a call.",
        "",
        "From: +49 30 1234",
        "When: Thursday, 26 November 2026, 14:05 (Europe/Berlin)",
        "How long: 1 min 32 s",
        "What became of it: Answered",
        "What it came to: message taken",
        "",
        "Name: Anna Smith",
        "Number: 0301234",
        "Message: Please call back.",
        "",
        "The whole call, with its recording (whoever opens it has to sign in to the box):",
        "https://front-desk.local/sessions/20261126T130500-abcd",
    ]


def test_a_call_of_ours_that_nobody_took() -> None:
    busy = {"direction": "outbound", "outcome": "busy", "sip_code": 486, "sip_reason": "Busy Here", "talk_ms": 0}
    subject, lines = written(ROW | busy | {"results": "{}", "conclusion": ""})
    assert subject == "Reception: call to +49 30 1234"
    assert lines[0] == "Reception placed a call."
    assert lines[2] == "To: +49 30 1234"
    assert "How long: nobody talked" in lines
    assert not any(line.startswith("What it came to") for line in lines)


def test_a_withheld_number_and_a_power_cut() -> None:
    lost = {"remote": "", "outcome": "unknown", "talk_ms": None, "sip_code": None, "ring_ms": None, "results": "{}"}
    subject, lines = written(ROW | lost | {"conclusion": ""})
    assert subject == "Reception: call from a withheld number"
    assert "From: number withheld" in lines


@given(st.one_of(st.just(HOSTILE), st.text(max_size=300)), st.sampled_from(["remote", "agent", "name", "value"]))
def test_nothing_from_a_caller_adds_a_header_or_a_line(text: str, place: str) -> None:
    results = {"name": text} if place == "name" else {text: text} if place == "value" else {}
    row = ROW | {"results": json.dumps(results)} | ({place: text} if place in ("remote", "agent") else {})
    words = words_of(row, BERLIN)
    letter = Letter("ab12", "owner@office.example", words.subject, words.body, NOON, 0, NOON)
    sent = message_of(letter, "box@office.example").as_bytes()
    assert sent.isascii()
    got = email.message_from_bytes(sent, policy=email.policy.default)
    names = "From To Subject Date Message-ID Auto-Submitted Content-Type Content-Transfer-Encoding MIME-Version"
    assert got.keys() == names.split()
    assert got["Message-ID"] == "<ab12@office.example>"
    assert len(words.subject) <= 120
    assert len(words.body.splitlines()) <= 12


@pytest.mark.parametrize(
    "address", ["a@b", "office@example.com", "first.last+tag@sub.example.co.uk", "o'neil@x-y.example"]
)
def test_addresses_that_may_be(address: str) -> None:
    assert Agent(name="a", mail_to=(address,)).mail_to == (address,)
    assert TryMailServer(to=address).to == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "office",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@example.com, b@example.com",
        "Anna <a@example.com>",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\n",
        "a..b@example.com",
        "zoë@example.com",
        "a@exämple.com",
        "a@-example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_addresses_that_may_not_be(address: str) -> None:
    with pytest.raises(ValidationError):
        Agent(name="a", mail_to=(address,))
    with pytest.raises(ValidationError):
        MailServer(host="mail.example.com", sender=address)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"host": "smtp.example.com"}, "mail servers take nothing without a sender"),
        ({"host": "https://smtp.example.com", "sender": "a@b"}, "name or address of a mail server"),
        ({"host": "smtp.example.com:587", "sender": "a@b"}, "name or address of a mail server"),
        ({"host": "93.184.216.34", "sender": "a@b", "security": "none"}, "in your own network only"),
        ({"host": "smtp.example.com", "sender": "a@b", "user": "zoë"}, "unaccented letters"),
        ({"host": "smtp.example.com", "sender": "a@b", "password": "zoë"}, "unaccented letters"),
    ],
)
def test_mail_servers_that_may_not_be(server: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MailServerDraft.model_validate(server)


def test_mail_servers_that_may_be() -> None:
    for host in ("smtp.example.com", "192.168.1.5", "fd00::25", "mail"):
        assert MailServer(host=host, sender="a@b", security="none").host == host
    assert MailServer().host == ""


@pytest.mark.parametrize("cause", Cause)
def test_every_trouble_says_what_it_is(cause: Cause) -> None:
    trouble = Trouble(cause, 550, "5.1.1 Nobody <a@b>")
    assert len(trouble.text) > 30
    assert ("Nobody" in trouble.text) == (cause is not Cause.PASSWORD), "that might hold it"
    assert "Nobody" not in repr(trouble)


def test_what_is_tried_again() -> None:
    assert Trouble(Cause.RECIPIENT, 550, "5.1.1 unknown").is_final
    assert Trouble(Cause.MESSAGE, 554, "spam").is_final
    assert not Trouble(Cause.RECIPIENT, 554, "5.7.1 Relay access denied").is_final
    assert not Trouble(Cause.LATER, 450, "later").is_final
    assert not Trouble(Cause.PASSWORD, 535).is_final
    assert [cause for cause in Cause if not Trouble(cause).is_the_servers] == [
        Cause.RECIPIENT,
        Cause.LATER,
        Cause.MESSAGE,
    ]
