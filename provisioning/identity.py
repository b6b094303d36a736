"""Who this box is on the network: a certificate of its own, whose fingerprint the console and the page show.

People accept it once, so it stays as it is until somebody asks for another one: neither a new name nor a new address of
the box changes it. What browsers make of it:

- It is valid for 20 years. Apple's limit of 825 days is for certificates that begin after June 2019, and this one
  begins in 1970; Chrome's limits are for public authorities. An exception that a person made has no limit either way.
- It is no authority (CA:FALSE): whoever steals the key of a box must not be able to speak for other sites to those who
  trust it. So iPhones, iPads and Android, which let people trust authorities only, keep asking; they take exceptions.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.files import replace_file
from provisioning.settings import CERTIFICATE

# As long as the hardware may live: nobody renews a certificate of a box on a shelf.
_VALID = timedelta(days=365 * 20)
# From long ago: a box without a battery clock may believe in 1970 when it makes this. Apple's limits count from here.
_BEGIN = datetime(1970, 1, 2, tzinfo=UTC)
_CLOCK_SANE = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class Identity:
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Facts:
    """What people compare, and what the certificate is good for. `names`: host names and addresses."""

    fingerprint: str
    names: tuple[str, ...]
    until: datetime


def identity(folder: Path, names: Iterable[str], addresses: Iterable[str]) -> Identity:
    """The one in `folder`, made if missing. A renewal that a power cut stopped is finished. Raises: OSError."""
    ours = identity_in(folder)
    with _locked(folder):
        if not (ours.certificate.exists() and ours.key.exists()):
            _make(ours, names, addresses)
        elif _next(ours).exists():
            _finish(ours)
    return ours


def identity_in(folder: Path) -> Identity:
    """Where it lies, whether it is there or not."""
    return Identity(folder / CERTIFICATE, folder / "certificate-key.pem")


def renew(folder: Path, names: Iterable[str], addresses: Iterable[str]) -> None:
    """Another key and certificate. A process that serves with those before goes on with them. Raises: OSError."""
    with _locked(folder):
        _make(identity_in(folder), names, addresses)


def _make(ours: Identity, names: Iterable[str], addresses: Iterable[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(private, list(names), list(addresses))
    replace_file(_next(ours), made.public_bytes(Encoding.PEM))
    replace_file(ours.key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _next(ours).replace(ours.certificate)


def facts(ours: Identity) -> Facts:
    """Raises: OSError, ValueError for a file that is no certificate."""
    certificate = x509.load_pem_x509_certificate(ours.certificate.read_bytes())
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = alternatives.get_values_for_type(x509.DNSName)
    addresses = [str(each) for each in alternatives.get_values_for_type(x509.IPAddress)]
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    return Facts(fingerprint, (*names, *addresses), certificate.not_valid_after_utc)


@contextmanager
def _locked(folder: Path) -> Generator[None, None, None]:
    """One worker may start while another one makes a new certificate. Raises: OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _next(ours: Identity) -> Path:
    return ours.certificate.with_suffix(".next")


def _finish(ours: Identity) -> None:
    """The next certificate is there: with its key already, and it takes its place, or the key was not replaced yet,
    and it goes. Raises: OSError."""
    try:
        key = load_pem_private_key(ours.key.read_bytes(), None).public_key()
        fits = _bytes_of(x509.load_pem_x509_certificate(_next(ours).read_bytes()).public_key()) == _bytes_of(key)
    except ValueError:  # a damaged key: TLS will say so
        fits = False
    if fits:
        _next(ours).replace(ours.certificate)
    else:
        _next(ours).unlink()


def _certificate(private: ec.EllipticCurvePrivateKey, names: list[str], addresses: list[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_LONGEST_COMMON_NAME])])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names if name.isascii()]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(max(datetime.now(UTC), _CLOCK_SANE) + _VALID)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _bytes_of(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
