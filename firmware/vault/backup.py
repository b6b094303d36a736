"""A backup: bytes that whoever knows the passphrase can read, on any box. No key of this box is in it. Pure.

    header: magic 8 B | version 1 B | scrypt: log2(n) 1 B, r 1 B, p 1 B | salt 16 B | payload's length 8 B
            | proof of the passphrase 16 B | CRC-32 of all that 4 B
    then the payload in chunks of 64 KiB (the last one may be shorter, or empty), each with its tag

The nonce of a chunk is its number, and whether it is the last one; the associated data is the whole header. So no chunk
can be changed, moved, dropped or taken from another backup. The key is never used again: each backup has its own salt.
The CRC protects from nobody. It tells a damaged header from a mistyped passphrase, and the length tells a file that was
cut short from a damaged one: the remedies differ.
"""

from __future__ import annotations

import hmac
import os
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import SecretStr

from firmware.vault.seal import KEY_BYTES, TAG_BYTES

SALT_BYTES = 16
# Small enough that no chunk holds the GIL for a millisecond.
CHUNK_BYTES = 64 * 1024

_MAGIC = b"DBBACKUP"
_VERSION = 1
_PROOF_BYTES = 16
_VERSION_AT = len(_MAGIC)
_PREAMBLE = struct.Struct(f">{len(_MAGIC)}sBBBB{SALT_BYTES}sQ")
_CHECKED = struct.Struct(f">{_PREAMBLE.size}s{_PROOF_BYTES}s")
_CRC = struct.Struct(">I")
_HEADER_BYTES = _CHECKED.size + _CRC.size


class BackupRefusal(Enum):
    """Why a backup cannot be read. The value is for the user."""

    NOT_A_BACKUP = "This file is not a Deskbell backup. Choose the file that was downloaded when the backup was made."
    NEWER_VERSION = (
        "This backup was made by a newer version of Deskbell than the one on this box. Update this box, then restore "
        "the backup."
    )
    WRONG_PASSPHRASE = "This passphrase does not open the backup. Type the one that was chosen for it."  # noqa: S105
    CUT_SHORT = (
        "The end of this backup is missing: it was probably copied or uploaded only in part. Copy the file again, or "
        "use another backup."
    )
    DAMAGED = "This backup was changed or damaged after it was made. Copy the file again, or use another backup."


class Cost(NamedTuple):
    """scrypt's parameters: it takes 128 * r * 2**log2_n bytes of memory."""

    log2_n: int
    r: int
    p: int


COST = Cost(log2_n=15, r=8, p=1)  # 32 MiB: what a Pi can spare while calls go on
# What this version will spend. A later one adds to it and still reads older files; no file may ask for more memory.
_COSTS = (COST,)


@dataclass(frozen=True, slots=True)
class _Header:
    cost: Cost
    salt: bytes
    payload_bytes: int
    proof: bytes

    @property
    def file_bytes(self) -> int:
        return _HEADER_BYTES + self.payload_bytes + TAG_BYTES * _chunk_count(self.payload_bytes)


@dataclass(frozen=True, slots=True)
class _Keys:
    chunks: bytes = field(repr=False)
    proof: bytes = field(repr=False)


def write_backup(passphrase: SecretStr, payload: bytes) -> bytes:
    """The backup file of `payload`. Takes 0.1 s and more for scrypt, without the GIL: call it in a thread."""
    return _written(passphrase, payload, os.urandom(SALT_BYTES))


def read_backup(passphrase: SecretStr, data: bytes) -> bytes | BackupRefusal:
    """The payload of a backup file, whole, or why not. Takes as long as `write_backup`, and calls for a thread too.

    A wrong passphrase is found before any of the payload is looked at; a file that cannot be good, before scrypt.
    """
    header = _header(data)
    if isinstance(header, BackupRefusal):
        return header
    if len(data) != header.file_bytes:
        return BackupRefusal.CUT_SHORT if len(data) < header.file_bytes else BackupRefusal.DAMAGED
    keys = _keys(passphrase, header.cost, header.salt)
    if not hmac.compare_digest(keys.proof, header.proof):
        return BackupRefusal.WRONG_PASSPHRASE
    try:
        return b"".join(_opened(keys.chunks, data, header.payload_bytes))
    except InvalidTag:
        return BackupRefusal.DAMAGED


def _written(passphrase: SecretStr, payload: bytes, salt: bytes) -> bytes:
    keys = _keys(passphrase, COST, salt)
    checked = _PREAMBLE.pack(_MAGIC, _VERSION, *COST, salt, len(payload)) + keys.proof
    header = checked + _CRC.pack(zlib.crc32(checked))
    cipher, chunks = ChaCha20Poly1305(keys.chunks), _chunk_count(len(payload))
    plain = memoryview(payload)
    sealed = (
        cipher.encrypt(_nonce(number, chunks), plain[number * CHUNK_BYTES :][:CHUNK_BYTES], header)
        for number in range(chunks)
    )
    return b"".join((header, *sealed))


def _header(data: bytes) -> _Header | BackupRefusal:
    """The order matters: a newer version may have another header."""
    if not data.startswith(_MAGIC):
        return BackupRefusal.NOT_A_BACKUP
    if data[_VERSION_AT : _VERSION_AT + 1] > bytes([_VERSION]):
        return BackupRefusal.NEWER_VERSION
    if len(data) < _HEADER_BYTES:
        return BackupRefusal.CUT_SHORT
    (crc,) = _CRC.unpack_from(data, _CHECKED.size)
    if crc != zlib.crc32(data[: _CHECKED.size]) or data[_VERSION_AT] != _VERSION:
        return BackupRefusal.DAMAGED
    preamble, proof = _CHECKED.unpack_from(data)
    _, _, log2_n, r, p, salt, payload_bytes = _PREAMBLE.unpack(preamble)
    cost = Cost(log2_n, r, p)
    return _Header(cost, salt, payload_bytes, proof) if cost in _COSTS else BackupRefusal.NEWER_VERSION


def _keys(passphrase: SecretStr, cost: Cost, salt: bytes) -> _Keys:
    """Of scrypt's output, one part seals and another is published: neither says anything about the other."""
    # The same letters, whichever keyboard typed them: an "é" is one code point on some and two on others.
    typed = unicodedata.normalize("NFC", passphrase.get_secret_value()).encode(errors="surrogatepass")
    scrypt = Scrypt(salt=salt, length=KEY_BYTES + _PROOF_BYTES, n=1 << cost.log2_n, r=cost.r, p=cost.p)
    made = scrypt.derive(typed)
    return _Keys(made[:KEY_BYTES], made[KEY_BYTES:])


def _opened(key: bytes, data: bytes, payload_bytes: int) -> Iterator[bytes]:
    """Raises: InvalidTag."""
    cipher, chunks = ChaCha20Poly1305(key), _chunk_count(payload_bytes)
    header, sealed = data[:_HEADER_BYTES], memoryview(data)[_HEADER_BYTES:]
    step = CHUNK_BYTES + TAG_BYTES
    for number in range(chunks):
        yield cipher.decrypt(_nonce(number, chunks), sealed[number * step :][:step], header)


def _chunk_count(payload_bytes: int) -> int:
    return max(1, -(-payload_bytes // CHUNK_BYTES))


def _nonce(number: int, chunks: int) -> bytes:
    return number.to_bytes(11, "big") + bytes([number == chunks - 1])
