"""What an e-mail after a call says. Pure.

Much of it came by telephone or over the network, so nothing of that can add a header or a line: whatever is no
printable character becomes a blank.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.outcomes import in_words
from app.settings import Box
from firmware.storage.letter_records import Letter, Words

_LONGEST_SUBJECT = 120
"""What a list of e-mails shows, and then some."""

_LONGEST_VALUE = 4000
"""A message of several minutes."""

_POLICY = SMTP.clone(cte_type="7bit")  # not every server takes 8-bit text


def words_of(session: dict[str, Any], box: Box) -> Words:
    """Of a session that ended: its row."""
    results = {_one_line(name): _one_line(value) for name, value in json.loads(session["results"]).items() if value}
    return Words(_subject(session, results), "\n".join(_lines(session, results, box)) + "\n")


def test_words(box: Box) -> Words:
    body = f"The box “{box.name}” can send e-mail.\n\nThis is the test that somebody asked for on its page.\n"
    return Words(f"Test of the mail server, from {box.name}", body)


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """Ready to be sent. The Message-ID stays the same however often that is tried, so that mailboxes can tell."""
    message = EmailMessage(_POLICY)
    message["From"] = sender
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.created_at)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office answer comes back
    message.set_content(letter.body)
    return message


def _subject(session: dict[str, Any], results: dict[str, str]) -> str:
    who = results.get("name") or _one_line(session["remote"]) or "a withheld number"
    if session["direction"] == "outbound":
        what = f"call to {who}"
    else:
        what = f"{'message' if _brings_message(session, results) else 'call'} from {who}"
    return _one_line(f"{session['agent']}: {what}", _LONGEST_SUBJECT)


def _brings_message(session: dict[str, Any], results: dict[str, str]) -> bool:
    return session["conclusion"] == "message taken" or "message" in results


def _lines(session: dict[str, Any], results: dict[str, str], box: Box) -> Iterator[str]:
    outbound = session["direction"] == "outbound"
    yield f"{_one_line(session['agent'])} {'placed' if outbound else 'took'} a call."
    yield ""
    yield f"{'To' if outbound else 'From'}: {_one_line(session['remote']) or 'number withheld'}"
    yield f"When: {_moment(session['started_at'], box)}"
    yield f"How long: {_length(session['talk_ms'])}"
    outcome = in_words(session["outcome"], session["sip_code"], session["sip_reason"], session["ring_ms"])
    yield f"What became of it: {_one_line(outcome)}"
    if session["conclusion"]:
        yield f"What it came to: {_one_line(session['conclusion'])}"
    if results:
        yield ""
        yield from (f"{name[:1].upper()}{name[1:]}: {value}" for name, value in results.items())
    yield ""
    yield "The whole call, with its recording (whoever opens it has to sign in to the box):"
    yield f"https://{box.name}.local/sessions/{session['id']}"


def _moment(instant: str, box: Box) -> str:
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(box.time_zone))
    return f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M} ({box.time_zone})"


def _length(talk_ms: int | None) -> str:
    if not talk_ms:
        return "nobody talked"
    minutes, seconds = divmod(round(talk_ms / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _one_line(text: str, longest: int = _LONGEST_VALUE) -> str:
    plain = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
