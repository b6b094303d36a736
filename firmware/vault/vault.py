"""The vault: secrets sealed for one field of one record of this device, and opened for nobody else."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from firmware.vault import keyset as keysets
from firmware.vault.files import replace_file, set_aside, wipe, wipe_all
from firmware.vault.kek import KEY_FILE, Binder, Kek, keks
from firmware.vault.keyset import Keyset
from firmware.vault.seal import NONCE_BYTES, Place, Unreadable, key_id_of, seal, unseal

_DEVICE_ID_FILE = "device-id"
_KEYSET_FILE = "keyset.json"
_DEVICE_ID = re.compile(r"[0-9a-f]{32}")

_log = logging.getLogger(__name__)


class VaultProblem(Exception):
    """The vault's folder cannot be used, or its keys were destroyed. The text says why, and what to do."""


def open_vault(folder: Path, credentials: Path | None = None) -> Vault:
    """The vault in `folder` (made if missing, mode 0700); `credentials` is where systemd put the service's.

    Keys that are damaged or that this box cannot unwrap are no fault: they are kept, fresh ones seal from now on, and
    what the others sealed is `Unreadable.WRONG_KEY`. One process at a time has a folder open (see data_folder).
    Raises: VaultProblem.
    """
    with _explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        device_id = _device_id(folder / _DEVICE_ID_FILE)
        ours = keks(folder, credentials)
        keyset = _usable(folder / _KEYSET_FILE, device_id, ours)
        if ours[0].binder is not Binder.KEY_FILE:
            wipe(folder / KEY_FILE)  # whatever it wrapped is bound to something better now
        return Vault(folder, device_id, ours[0], keyset)


def destroy_keys(folder: Path) -> None:
    """Every key on the disk is gone for good, also of a vault that nobody opened. Raises: VaultProblem."""
    with _explained(folder):
        if folder.exists():
            wipe_all(folder / KEY_FILE)
            wipe_all(folder / _KEYSET_FILE)


class Vault:
    """Seals and unseals; from any thread. No call but those that write files takes a millisecond."""

    def __init__(self, folder: Path, device_id: str, kek: Kek, keyset: Keyset) -> None:
        self.device_id = device_id
        self.binder = kek.binder
        self._folder, self._kek = folder, kek
        self._keyset: Keyset | None = keyset

    @property
    def is_rotating(self) -> bool:
        """There are keys that `finish_rotation` would destroy: a rotation, maybe of a killed process, is not over."""
        return self._keyset is not None and self._keyset.is_rotating

    def seal(self, table: str, record: str, field: str, revision: int, secret: SecretStr) -> bytes:
        """Raises: VaultProblem after `destroy`."""
        keyset, place = self._present(), Place(self.device_id, table, record, field, revision)
        plain = secret.get_secret_value().encode(errors="surrogatepass")
        return seal(keyset.keys[keyset.primary], keyset.primary, place, plain, os.urandom(NONCE_BYTES))

    def unseal(self, table: str, record: str, field: str, revision: int, sealed: bytes) -> SecretStr | Unreadable:
        keys = self._keyset.keys if self._keyset else {}
        match unseal(keys, Place(self.device_id, table, record, field, revision), sealed):
            case bytes(plain):
                return SecretStr(plain.decode(errors="surrogatepass"))
            case Unreadable() as why:
                return why

    def needs_resealing(self, sealed: bytes) -> bool:
        """A key that retires sealed it. False for what no key of ours opens: that has to be entered again."""
        keyset = self._present()
        key_id = key_id_of(sealed)
        return key_id in keyset.keys and key_id != keyset.primary

    def begin_rotation(self) -> None:
        """A new key seals from now on. While a rotation is not over, this goes on with that one.

        Then unseal and seal anew whatever `needs_resealing`, and once it is stored `finish_rotation`.
        Raises: VaultProblem.
        """
        keyset = self._present()
        if keyset.is_rotating:
            return
        with _explained(self._folder):
            now = datetime.now(UTC)
            self._replace(keysets.with_new_primary(keyset, self.device_id, self._kek, now))

    def finish_rotation(self) -> None:
        """Destroy the keys that retire: what still `needs_resealing` is lost with them. Raises: VaultProblem."""
        if not self._present().is_rotating:
            return
        with _explained(self._folder):
            self._replace(keysets.with_primary_only(self._read_back()))

    def destroy(self) -> None:
        """Forget every key, here and on the disk: what was sealed is gone for good. Raises: VaultProblem."""
        self._keyset = None
        destroy_keys(self._folder)

    def _present(self) -> Keyset:
        if self._keyset is None:
            raise VaultProblem("the keys of this box were destroyed by a factory reset. Start the box again")
        return self._keyset

    def _read_back(self) -> Keyset:
        """As the disk has it, not as we remember it: the old keys are the last way back from a bad disk.

        Raises: OSError, VaultProblem.
        """
        try:
            stored = keysets.load(self._folder / _KEYSET_FILE, self.device_id, [self._kek])
        except ValueError:
            stored = None
        if stored and stored.is_usable and stored.primary == self._present().primary:
            return stored
        raise VaultProblem(
            f"the new keys in {self._folder} cannot be read back, so the old ones are kept. Check the disk or SD card, "
            "and replace it if this repeats"
        )

    def _replace(self, keyset: Keyset) -> None:
        keysets.save(self._folder / _KEYSET_FILE, keyset)
        self._keyset = keyset


def _usable(path: Path, device_id: str, ours: list[Kek]) -> Keyset:
    """The stored keyset, with a fresh primary key where none of ours opens the old one. Raises: OSError."""
    now = datetime.now(UTC)
    try:
        stored = keysets.load(path, device_id, ours)
    except FileNotFoundError:
        return _saved(path, keysets.fresh(device_id, ours[0], now))
    except ValueError:
        _log.error("the keys are damaged: they were set aside. Enter the secrets again", extra={"file": path.name})
        set_aside(path)
        return _saved(path, keysets.fresh(device_id, ours[0], now))
    if not stored.is_usable:
        _log.error("the keys were wrapped by another box or credential. Enter the secrets again")
        stored = _saved(path, keysets.with_new_primary(stored, device_id, ours[0], now))
    return _saved(path, keysets.rewrapped(stored, device_id, ours[0])) if stored.needs_rewrapping else stored


def _saved(path: Path, keyset: Keyset) -> Keyset:
    keysets.save(path, keyset)
    return keyset


def _device_id(path: Path) -> str:
    """Made once, random: it says nothing about the machine. Raises: OSError."""
    if path.exists():
        known = path.read_text(errors="replace")
        if _DEVICE_ID.fullmatch(known):
            return known
        _log.error(
            "the id of this device is damaged: it was set aside. Enter the secrets again",
            extra={"file": set_aside(path).name},
        )
    made = os.urandom(16).hex()
    replace_file(path, made.encode())
    return made


@contextmanager
def _explained(folder: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as fault:
        raise VaultProblem(
            f"the keys in {folder} cannot be kept there ({os.strerror(fault.errno or errno.EIO)}). Make it a folder "
            "that belongs to the user Deskbell runs as, on a disk that can be written to and has room"
        ) from fault
