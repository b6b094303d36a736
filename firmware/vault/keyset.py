"""The keys that seal secrets, each wrapped: the keyset file, and what may become of it. Pure but for load and save.

A rotation adds a key, makes it the primary one, has everything sealed anew, and then destroys the others. Each step is
one replaced file, and doing it twice is doing it once. A key that none of our keys unwraps (the card is in another box,
or a credential is missing today) sleeps: it stays in the file, and works again as soon as the right key is back.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from firmware.vault.files import overwrite, replace_file
from firmware.vault.kek import Kek
from firmware.vault.seal import CHACHA20_POLY1305, KEY_BYTES, KEY_ID_BYTES, NONCE_BYTES, framed

VERSION: Literal[1] = 1


class WrappedKey(BaseModel):
    """One key as the file has it. `wrapped`: nonce, ciphertext and tag."""

    model_config = ConfigDict(frozen=True)
    id: str = Field(pattern=f"^[0-9a-f]{{{2 * KEY_ID_BYTES}}}$")
    alg: Literal[1] = CHACHA20_POLY1305
    created: datetime
    status: Literal["active", "retiring"]
    wrapped: Base64Bytes


class KeysetFile(BaseModel):
    """keyset.json."""

    model_config = ConfigDict(frozen=True)
    version: Literal[1] = VERSION
    keys: tuple[WrappedKey, ...] = Field(min_length=1)
    primary: str

    @model_validator(mode="after")
    def _the_primary_is_one_of_the_keys(self) -> KeysetFile:
        if self.primary not in {key.id for key in self.keys}:
            raise ValueError("the primary key is missing")
        return self


@dataclass(frozen=True, slots=True)
class Keyset:
    """The file, and the keys of it that could be unwrapped, by id."""

    file: KeysetFile
    keys: dict[bytes, bytes] = field(repr=False)
    needs_rewrapping: bool  # some key was unwrapped with another key than the first

    @property
    def primary(self) -> bytes:
        return bytes.fromhex(self.file.primary)

    @property
    def is_usable(self) -> bool:
        return self.primary in self.keys

    @property
    def is_rotating(self) -> bool:
        return bool(self.keys.keys() - {self.primary})

    def sleeping(self) -> tuple[WrappedKey, ...]:
        return tuple(key for key in self.file.keys if bytes.fromhex(key.id) not in self.keys)


def load(path: Path, device_id: str, keks: Iterable[Kek]) -> Keyset:
    """Raises: FileNotFoundError, OSError; ValueError if it is no keyset, or one of a newer version."""
    return unwrapped(KeysetFile.model_validate_json(path.read_bytes()), device_id, keks)


def save(path: Path, keyset: Keyset) -> None:
    """Replace the file, and write over what was there before: it may have keys that are destroyed. Raises: OSError."""
    data = keyset.file.model_dump_json(indent=1).encode()
    if not path.exists():
        replace_file(path, data)
        return
    old = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        replace_file(path, data)
    except BaseException:
        os.close(old)
        raise
    overwrite(old)


def unwrapped(file: KeysetFile, device_id: str, keks: Iterable[Kek]) -> Keyset:
    keys: dict[bytes, bytes] = {}
    needs_rewrapping = False
    for number, kek in enumerate(keks):
        opened = {bytes.fromhex(key.id): plain for key in file.keys if (plain := _unwrap(kek, device_id, key))}
        needs_rewrapping |= bool(number and opened.keys() - keys.keys())
        keys = opened | keys
    return Keyset(file, keys, needs_rewrapping)


def fresh(device_id: str, kek: Kek, now: datetime) -> Keyset:
    key, plain = _new_key(device_id, kek, now)
    return Keyset(KeysetFile(keys=(key,), primary=key.id), {bytes.fromhex(key.id): plain}, needs_rewrapping=False)


def with_new_primary(keyset: Keyset, device_id: str, kek: Kek, now: datetime) -> Keyset:
    """A new key seals from now on; the others only unseal."""
    key, plain = _new_key(device_id, kek, now)
    retiring = tuple(old.model_copy(update={"status": "retiring"}) for old in keyset.file.keys)
    file = KeysetFile(keys=(*retiring, key), primary=key.id)
    return Keyset(file, keyset.keys | {bytes.fromhex(key.id): plain}, keyset.needs_rewrapping)


def with_primary_only(keyset: Keyset) -> Keyset:
    """Without the keys that retire. Those asleep stay: nothing that they sealed could be sealed anew."""
    kept = (*keyset.sleeping(), *(key for key in keyset.file.keys if key.id == keyset.file.primary))
    file = keyset.file.model_copy(update={"keys": kept})
    return Keyset(file, {keyset.primary: keyset.keys[keyset.primary]}, keyset.needs_rewrapping)


def rewrapped(keyset: Keyset, device_id: str, kek: Kek) -> Keyset:
    """The same keys, all of them that we have wrapped by `kek`."""
    keys = tuple(
        key.model_copy(update={"wrapped": _wrap(kek, device_id, key.id, plain)})
        if (plain := keyset.keys.get(bytes.fromhex(key.id)))
        else key
        for key in keyset.file.keys
    )
    return Keyset(keyset.file.model_copy(update={"keys": keys}), keyset.keys, needs_rewrapping=False)


def _new_key(device_id: str, kek: Kek, now: datetime) -> tuple[WrappedKey, bytes]:
    key_id, plain = os.urandom(KEY_ID_BYTES).hex(), os.urandom(KEY_BYTES)
    wrapped = base64.b64encode(_wrap(kek, device_id, key_id, plain))
    return WrappedKey(id=key_id, created=now, status="active", wrapped=wrapped), plain


def _wrap(kek: Kek, device_id: str, key_id: str, plain: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(kek.key).encrypt(nonce, plain, _associated_data(device_id, key_id))


def _unwrap(kek: Kek, device_id: str, key: WrappedKey) -> bytes | None:
    nonce, sealed = key.wrapped[:NONCE_BYTES], key.wrapped[NONCE_BYTES:]
    try:
        return ChaCha20Poly1305(kek.key).decrypt(nonce, sealed, _associated_data(device_id, key.id))
    except (InvalidTag, ValueError):  # ValueError: the nonce is too short
        return None


def _associated_data(device_id: str, key_id: str) -> bytes:
    return framed(b"keyset", device_id.encode(), key_id.encode(), str(CHACHA20_POLY1305).encode())
