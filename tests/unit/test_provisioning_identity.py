"""The certificate of this box: made once, kept, its key nobody else's."""

from __future__ import annotations

import hashlib
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.identity import Identity, facts, identity, identity_in, renew

pytestmark = pytest.mark.unit

NAMES, ADDRESSES = ["front-desk", "front-desk.local", "localhost"], ["192.0.2.7", "2001:db8::7"]


def _fingerprint(made: Identity) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(made.certificate.read_text())).hexdigest()


def test_each_box_has_its_own_and_keeps_it(tmp_path: Path) -> None:
    first = identity(tmp_path, NAMES, ADDRESSES)
    again = identity(tmp_path, ["another-name"], [])
    (tmp_path / "other").mkdir()
    other = identity(tmp_path / "other", NAMES, ADDRESSES)
    assert _fingerprint(again) == _fingerprint(first)
    assert _fingerprint(other) != _fingerprint(first)


def test_only_its_owner_may_read_it_and_nothing_half_made_stays(tmp_path: Path) -> None:
    made = identity(tmp_path, NAMES, ADDRESSES)
    assert sorted(tmp_path.iterdir()) == sorted([made.certificate, made.key])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_half_of_it_is_made_anew(tmp_path: Path, missing: str) -> None:
    first = identity(tmp_path, NAMES, ADDRESSES)
    before = _fingerprint(first)
    getattr(first, missing).unlink()
    assert _fingerprint(identity(tmp_path, NAMES, ADDRESSES)) != before


@pytest.mark.parametrize("name", [*NAMES, *ADDRESSES])
def test_who_accepted_it_finds_every_name_of_the_box(tmp_path: Path, name: str) -> None:
    _shake_hands(identity(tmp_path, NAMES, ADDRESSES), name)


def test_another_one_is_made_when_asked_for_and_names_what_is_there_now(tmp_path: Path) -> None:
    first = facts(identity(tmp_path, NAMES, ADDRESSES))
    assert first.names == (*NAMES, *ADDRESSES)
    renew(tmp_path, ["back-desk.local"], [])
    second = facts(identity(tmp_path, NAMES, ADDRESSES))
    assert second.names == ("back-desk.local",)
    assert second.fingerprint != first.fingerprint
    _shake_hands(identity_in(tmp_path), "back-desk.local")


@pytest.mark.parametrize("replaced", [0, 1, 2])
def test_a_power_cut_while_another_one_is_made_leaves_one_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: int
) -> None:
    """The power goes after so many files were put into their places."""
    first = facts(identity(tmp_path, NAMES, ADDRESSES)).fingerprint
    steps, put = iter([None] * replaced), Path.replace

    def put_if_there_is_power(self: Path, target: Path) -> Path:
        if next(steps, "dark") == "dark":
            raise OSError("the power is gone")
        return put(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", put_if_there_is_power)
        with pytest.raises(OSError, match="the power is gone"):
            renew(tmp_path, NAMES, ADDRESSES)
    found = identity(tmp_path, NAMES, ADDRESSES)
    _shake_hands(found, NAMES[0])
    assert (facts(found).fingerprint == first) is (replaced < 2)
    assert not list(tmp_path.glob("*.next"))


def test_what_browsers_look_at(tmp_path: Path) -> None:
    """Apple asks for serverAuth, and for less than 825 days of those that begin after June 2019."""
    made = x509.load_pem_x509_certificate(identity(tmp_path, NAMES, ADDRESSES).certificate.read_bytes())
    assert made.not_valid_before_utc.year == 1970
    assert facts(identity_in(tmp_path)).until == made.not_valid_after_utc
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_another_name_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'evil\.example'"):
        _shake_hands(identity(tmp_path, NAMES, ADDRESSES), "evil.example")


def _shake_hands(made: Identity, name: str) -> None:
    """TLS in memory, with who trusts this one certificate and looks for `name`."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(made.certificate, made.key)
    trusting = ssl.create_default_context(cafile=str(made.certificate))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    browser = trusting.wrap_bio(back, there, server_hostname=name)
    box = serving.wrap_bio(there, back, server_side=True)
    for side in (browser, box, browser, box):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert browser.getpeercert()
