"""The key that wraps the keys: whoever has it and the data partition has the secrets. What it is bound to, we say."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from firmware.vault.files import replace_file, set_aside
from firmware.vault.seal import KEY_BYTES

CREDENTIAL = "deskbell-kek"
KEY_FILE = "kek"

_log = logging.getLogger(__name__)


class Binder(Enum):
    """What the secrets are bound to. The value is for the page."""

    SYSTEMD = "bound to this machine by systemd"
    KEY_FILE = "a key file on the data partition: protects copies of the database and backups, not a stolen card"


@dataclass(frozen=True, slots=True)
class Kek:
    """A key-encryption key."""

    binder: Binder
    key: bytes = field(repr=False)


def credentials_folder(environment: Mapping[str, str]) -> Path | None:
    """Where systemd puts this service's credentials, if it has any."""
    named = environment.get("CREDENTIALS_DIRECTORY")
    return Path(named) if named else None


def keks(folder: Path, credentials: Path | None) -> list[Kek]:
    """The keys that this box has, the one to use first. A key file is made if there is nothing else.

    There are two when a box whose secrets were bound to the key file has got a credential. Raises: OSError.
    """
    found = [*_credential(credentials), *_key_file(folder / KEY_FILE)]
    return found or [_new_key_file(folder / KEY_FILE)]


def _credential(credentials: Path | None) -> Iterator[Kek]:
    path = credentials / CREDENTIAL if credentials else None
    if not (path and path.exists()):
        return
    key = path.read_bytes() if os.access(path, os.R_OK) else b""
    if len(key) == KEY_BYTES:
        yield Kek(Binder.SYSTEMD, key)
    else:
        _log.error(
            "the systemd credential for the key cannot be read or is not 32 bytes long, and is not used. Secrets are "
            "bound to a key file meanwhile. Make the credential anew as the documentation says",
            extra={"file": CREDENTIAL},
        )


def _key_file(path: Path) -> Iterator[Kek]:
    if not path.exists():
        return
    key = path.read_bytes()
    if len(key) == KEY_BYTES:
        yield Kek(Binder.KEY_FILE, key)
    else:
        _log.error("the key file is damaged: it was set aside", extra={"file": set_aside(path).name})


def _new_key_file(path: Path) -> Kek:
    key = os.urandom(KEY_BYTES)
    replace_file(path, key)
    return Kek(Binder.KEY_FILE, key)
