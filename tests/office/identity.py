"""Certificates, as PBXs make them for themselves, and authorities that sign them."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key, as PEM."""

    certificate: str
    key: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate)).digest().hex(":").upper()


def identity(
    *names: str, signed_by: Identity | None = None, is_authority: bool = False, expired: bool = False
) -> Identity:
    """For these DNS names and addresses; signed by itself unless somebody else does."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority" if is_authority else "pbx")])
    issuer = x509.load_pem_x509_certificate(signed_by.certificate.encode()).subject if signed_by else subject
    ends = datetime.now(UTC) + timedelta(days=-1 if expired else 30)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=60))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(_key(signed_by) if signed_by else key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key(owner: Identity) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(owner.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
