"""Whether a PBX that shows a certificate is the one that was meant."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import ValidationError

from app.settings import Account
from firmware.telephony.trust import Certificate

pytestmark = pytest.mark.unit

DER = b"a certificate"
PIN = hashlib.sha256(DER).digest().hex(":").upper()
OTHER = hashlib.sha256(b"another").digest().hex(":").upper()
HOSTS = frozenset({"pbx.office.lan", ""})


def certificate(*names: str, is_vouched_for: bool = True) -> Certificate:
    return Certificate("192.0.2.1", 5061, DER, names, is_vouched_for)


@pytest.mark.parametrize(
    ("shown", "pin", "why_not"),
    [
        (certificate("pbx.office.lan"), "", ""),
        (certificate("elsewhere", "PBX.Office.LAN"), "", ""),
        (certificate(is_vouched_for=False), PIN, ""),
        (certificate("elsewhere", is_vouched_for=False), PIN, ""),
        (certificate("pbx.office.lan"), OTHER, "another one was expected"),
        (certificate("pbx.office.lan"), PIN[:-2] + OTHER[-2:], "another one was expected"),
        (certificate("pbx.office.lan"), OTHER[:2] + PIN[2:], "another one was expected"),
        (certificate("pbx.office.lan", is_vouched_for=False), "", "no authority that this box knows"),
        (certificate("*.office.lan"), "", "does not name this domain"),
        (certificate("pbx.office.lan\0.evil.example"), "", "does not name this domain"),
        (certificate(), "", "does not name this domain"),
    ],
)
def test_trust(shown: Certificate, pin: str, why_not: str) -> None:
    distrust = shown.distrust(pin, HOSTS)
    assert bool(distrust) == bool(why_not)
    assert why_not in distrust
    assert (PIN in distrust) == bool(why_not)


def test_a_name_that_is_empty_is_nobody_s() -> None:
    assert certificate("").distrust("", HOSTS)


@pytest.mark.parametrize("typed", [PIN, PIN.lower(), PIN.replace(":", ""), PIN.replace(":", " ")])
def test_a_fingerprint_is_taken_as_people_copy_it(typed: str) -> None:
    assert Account(name="Office", domain="pbx", user="200", tls_fingerprint=typed).tls_fingerprint == PIN


@pytest.mark.parametrize("typed", [PIN[:-1], f"{PIN}:AA", "SHA256 " + PIN, "no fingerprint"])
def test_what_is_no_fingerprint_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="SHA-256"):
        Account(name="Office", domain="pbx", user="200", tls_fingerprint=typed)
