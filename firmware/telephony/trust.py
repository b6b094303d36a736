"""Whether a PBX that shows this certificate is the one that was meant. Pure, but for reading pj's own objects."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field

import pjsua2 as pj

_NAMES = (pj.PJ_SSL_CERT_NAME_DNS, pj.PJ_SSL_CERT_NAME_IP)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a PBX showed, at `remote` and `port`. `names`: DNS names and addresses that it stands for. `is_vouched_for`:
    an authority that this system knows signed it, and it has not expired."""

    remote: str
    port: int
    der: bytes = field(repr=False)
    names: tuple[str, ...]
    is_vouched_for: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256, as people compare it: "12:AB:..."."""
        return hashlib.sha256(self.der).digest().hex(":").upper()

    def distrust(self, fingerprint: str, hosts: frozenset[str]) -> str:
        """Why it is not trusted; empty if it is. `fingerprint`: the one to expect, empty for any that an authority
        vouched for and that names one of `hosts`."""
        shown = f"its certificate has the SHA-256 fingerprint {self.fingerprint}"
        if fingerprint:
            return "" if fingerprint == self.fingerprint else f"{shown}, and another one was expected"
        if not self.is_vouched_for:
            return f"{shown}, and no authority that this box knows has signed it, or it has expired"
        if not {name.casefold() for name in self.names if name} & {host.casefold() for host in hosts}:
            return f"{shown}, and it does not name this domain"
        return ""


def certificate_of(info: pj.TlsInfo) -> Certificate | None:
    """None where none was shown, or pj did not keep it."""
    shown = info.remoteCertInfo  # bound first: its parts live in it
    if info.isEmpty() or shown.isEmpty() or not shown.raw:
        return None
    alternatives = shown.subjectAltName
    host, _, port = str(info.remoteAddr).rpartition(":")
    problems = info.verifyStatus & ~pj.PJ_SSL_CERT_EIDENTITY_NOT_MATCH  # pj compares with an address, we with names
    return Certificate(
        remote=host.strip("[]"),
        port=int(port),
        der=ssl.PEM_cert_to_DER_cert(str(shown.raw)),
        names=tuple(str(each.name) for each in alternatives if each.type in _NAMES),
        is_vouched_for=problems == 0,
    )
