"""A secret, sealed: one record for one place. Pure.

    magic "DBS" | format 1 B | algorithm 1 B | key id 4 B | nonce 12 B | ciphertext and tag

The associated data has everything before the nonce, and the place: a record that was moved to another field, row, table
or device, or was replaced by an older one of the same field, does not open.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEY_BYTES = 32
KEY_ID_BYTES = 4
# Drawn at random for each record. One key would have to seal 2**32 records before two of the same became likely.
NONCE_BYTES = 12
TAG_BYTES = 16

# The cores of a Pi 3 and 4 have no AES instructions: this is the faster one there, and takes the same time for any key.
CHACHA20_POLY1305: Final = 1

_MAGIC = b"DBS"
_FORMAT = 1
_HEADER = struct.Struct(f"3sBB{KEY_ID_BYTES}s")
_NONCE_END = _HEADER.size + NONCE_BYTES


class Unreadable(Enum):
    """Why a secret cannot be had. The value is for the user."""

    WRONG_KEY = (
        "It was sealed with a key that this box does not have: the data came from another box, or the box's own key "
        "was lost. Enter it again."
    )
    DAMAGED = "What was stored is damaged, or belongs to another place in the database. Enter it again."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret belongs. `revision` grows with each change of the record."""

    device_id: str
    table: str
    record: str
    field: str
    revision: int
    product: str = "deskbell"


def seal(key: bytes, key_id: bytes, place: Place, plain: bytes, nonce: bytes) -> bytes:
    """The record of `plain` for `place`. A nonce may never be used twice with one key."""
    header = _HEADER.pack(_MAGIC, _FORMAT, CHACHA20_POLY1305, key_id)
    return header + nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, associated_data(header, place))


def unseal(keys: Mapping[bytes, bytes], place: Place, sealed: bytes) -> bytes | Unreadable:
    """What was sealed for `place`. `keys` maps key ids to keys."""
    key_id = key_id_of(sealed)
    if key_id is None:
        return Unreadable.DAMAGED
    if key_id not in keys:
        return Unreadable.WRONG_KEY
    header, nonce = sealed[: _HEADER.size], sealed[_HEADER.size : _NONCE_END]
    try:
        return ChaCha20Poly1305(keys[key_id]).decrypt(nonce, sealed[_NONCE_END:], associated_data(header, place))
    except InvalidTag:
        return Unreadable.DAMAGED


def key_id_of(sealed: bytes) -> bytes | None:
    """The id of the key that opens a record; None: it is no record of a format that we know."""
    if len(sealed) < _NONCE_END + TAG_BYTES:
        return None
    magic, version, algorithm, key_id = _HEADER.unpack_from(sealed)
    return key_id if (magic, version, algorithm) == (_MAGIC, _FORMAT, CHACHA20_POLY1305) else None


def associated_data(header: bytes, place: Place) -> bytes:
    names = (place.product, place.device_id, place.table, place.record, place.field, str(place.revision))
    return framed(header, *(name.encode() for name in names))


def framed(*parts: bytes) -> bytes:
    """The parts, each after its length in four bytes: no two lists of parts give the same bytes."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
