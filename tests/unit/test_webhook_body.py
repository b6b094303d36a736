"""What a webhook says, how a receiver checks it, and which addresses it may have."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from app.control.webhook import Webhook, WebhookDraft
from firmware.webhooks.body import call_ended, signature

pytestmark = pytest.mark.unit

ROW: dict[str, Any] = {
    "id": "20261126T120000-abcd",
    "call_id": "c1",
    "agent": "Reception",
    "agent_id": "a1",
    "direction": "outbound",
    "remote": "+49 30 1234",
    "dialled": "00301234",
    "started_at": "2026-11-26T12:00:00.000+00:00",
    "connected_at": None,
    "ended_at": "2026-11-26T12:00:45.000+00:00",
    "outcome": "no answer",
    "conclusion": "",
    "sip_code": 487,
    "sip_reason": "Request Terminated",
    "ring_ms": 44_100,
    "talk_ms": 0,
    "ended_by": "agent",
    "results": "{}",
    "variables": '{"name": "Zoë"}',
    "recording": "/never/told",
}


def test_a_call_that_was_asked_for() -> None:
    told = json.loads(call_ended("d1", ROW))
    assert (told["event"], told["delivery"]) == ("call.ended", "d1")
    call = told["call"]
    assert (call["id"], call["session_id"], call["agent_id"]) == ("c1", ROW["id"], "a1")
    assert (call["outcome"], call["outcome_text"]) == ("no answer", "No answer: it rang for 44 s")
    assert call["variables"] == {"name": "Zoë"}
    assert call["started_at"] == ROW["started_at"]
    assert "recording" not in call


def test_a_call_that_came_in_and_was_cut_off_by_a_power_cut() -> None:
    lost = {"agent_id": None, "dialled": None, "variables": None, "ended_at": None, "sip_code": None, "ring_ms": None}
    call = json.loads(call_ended("d1", ROW | lost | {"outcome": "unknown", "direction": "inbound"}))["call"]
    assert call["variables"] == {}
    assert call["outcome_text"] == "Unknown: the box lost power or was restarted during the call"


def test_a_receiver_checks_the_instant_and_the_body() -> None:
    body = call_ended("d1", ROW).encode()
    header = signature("a secret of ours", 1_800_000_000, body)
    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(b"a secret of ours", b"1800000000." + body, sha256).hexdigest()
    assert fields == {"t": "1800000000", "v1": expected}
    assert signature("a secret of ours", 1_800_000_001, body) != header
    assert signature("another secret", 1_800_000_000, body) != header
    assert signature("a secret of ours", 1_800_000_000, body + b" ") != header


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://crm.example.com",
        "https://crm.example.com:8443/calls?tenant=7",
        "https://93.184.216.34/calls",
        "http://192.168.1.20:3000/calls",
        "http://10.0.0.1",
        "http://[fd00::1]/calls",
        "http://127.0.0.1:9",
        "http://crm.office.lan/calls",
    ],
)
def test_addresses_that_may_be(url: str) -> None:
    assert Webhook(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "crm.example.com",
        "ftp://crm.example.com",
        "file:///etc/passwd",
        "http://93.184.216.34/calls",
        "http://[2606:2800:220:1::1]/",
        "https://user:password@crm.example.com",
        "https://crm.example.com/#part",
        "https://crm.example.com/a b",
        "https://crm.example.com:99999",
        "https://",
        "https://crm.example.com/\r\nx: y",
        "https://" + "x" * 500,
        "http://0.0.0.0/",
    ],
)
def test_addresses_that_may_not_be(url: str) -> None:
    with pytest.raises(ValidationError):
        Webhook(url=url)


def test_a_secret_that_can_be_guessed_is_none() -> None:
    with pytest.raises(ValidationError, match="at least 16 characters"):
        WebhookDraft.model_validate({"url": "https://crm.example.com", "secret": "short"})
