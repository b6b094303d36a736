"""Keys that sign update bundles. A box installs what somebody signed whom its keyring names, and nothing else.

A development key is made here, once, and stays on this machine: it signs what this machine builds. The release key
comes from outside, by the names of its files in the environment, and is never copied.

    DESKBELL_KEYRING      the authority's certificates, as PEM: what goes into the image. Two in one file while a key
                          is being rolled over
    DESKBELL_SIGNING_CERT, DESKBELL_SIGNING_KEY    who signs the bundle; files, or a PKCS#11 address for the key
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from image.setup.paths import BUILD
from image.setup.running import SetupFailed, run

FOLDER = BUILD / "keys"
_YEARS = 30
"""Longer than the hardware lives: a box without a battery clock cannot judge a short one, and nobody renews a keyring
that lies in a drawer. A key is replaced by bundles with a new keyring (docs/flash.md), while it still signs."""

_STEP_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Signer:
    """`key` is a name of a file or an address, never a key."""

    certificate: Path
    key: str
    keyring: Path


def keyring() -> Path:
    """Whom boxes of this image trust. Raises: SetupFailed."""
    if given := os.environ.get("DESKBELL_KEYRING"):
        return _existing(Path(given), "DESKBELL_KEYRING")
    return development_signer(FOLDER).keyring


def signer() -> Signer:
    """Who signs bundles made here. Raises: SetupFailed."""
    named = {name: os.environ.get(name, "") for name in ("DESKBELL_SIGNING_CERT", "DESKBELL_SIGNING_KEY")}
    if not any(named.values()):
        return development_signer(FOLDER)
    if missing := [name for name, value in named.items() if not value]:
        raise SetupFailed(f"a release key has two parts: set {missing[0]} as well, or neither for the development key")
    certificate = _existing(Path(named["DESKBELL_SIGNING_CERT"]), "DESKBELL_SIGNING_CERT")
    return Signer(certificate, named["DESKBELL_SIGNING_KEY"], keyring())


def development_signer(folder: Path, days: int = _YEARS * 365) -> Signer:
    """An authority and a key that it signed, in `folder`, made unless they are there. `days`: how long the key may
    sign. Raises: SetupFailed."""
    made = Signer(folder / "signing.pem", str(folder / "signing-key.pem"), folder / "authority.pem")
    if made.certificate.exists():
        return made
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_authority(folder)
    _make_signer(folder, made, days)
    return made


def _make_authority(folder: Path) -> None:
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256",
        "-days", str(_YEARS * 365), "-subj", "/O=Deskbell development/CN=Deskbell development authority",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout", folder / "authority-key.pem", "-out", folder / "authority.pem",
    )  # fmt: skip


def _make_signer(folder: Path, made: Signer, days: int) -> None:
    request, extensions, part = folder / "request.pem", folder / "extensions", folder / "signing.part"
    extensions.write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,codeSigning\n"
    )
    _openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256",
        "-subj", "/O=Deskbell development/CN=Deskbell development signer", "-keyout", made.key, "-out", request,
    )  # fmt: skip
    _openssl(
        "x509", "-req", "-sha256", "-days", str(days), "-in", request, "-extfile", extensions,
        "-CA", folder / "authority.pem", "-CAkey", folder / "authority-key.pem", "-CAcreateserial", "-out", part,
    )  # fmt: skip
    part.rename(made.certificate)


def _existing(file: Path, name: str) -> Path:
    if not file.is_file():
        raise SetupFailed(f"{name} names {file}, and there is no such file")
    return file


def _openssl(*arguments: str | Path) -> None:
    run(["openssl", *arguments], timeout_s=_STEP_TIMEOUT_S)
