"""A backup opens with its passphrase, whole, on any box; everything else is refused with the right reason."""

from __future__ import annotations

import functools
import zlib

import pytest
from pydantic import SecretStr

from firmware.vault import BackupRefusal, backup, read_backup, write_backup
from firmware.vault.backup import CHUNK_BYTES, SALT_BYTES
from firmware.vault.seal import TAG_BYTES

pytestmark = pytest.mark.unit

PASSPHRASE = SecretStr("correct horse")
PAYLOAD = b"Reception"
SALT = bytes(range(SALT_BYTES))
# Version 1, made once with hashlib's scrypt: a backup of any version must open in every later one.
KNOWN = bytes.fromhex(
    "44424241434b5550010f0801000102030405060708090a0b0c0d0e0f0000000000000009879780ead1f4d3afdf1a437d280319f7bd31961d"
    "1e969e5cfc9761201bcf8b8e012aca1a6b68280dad3d19e841"
)
MAGIC_BYTES, HEADER_BYTES = 8, 56
VERSION_AT, LOG2_N_AT, LENGTH_AT, CRC_AT = 8, 9, 28, 52


@pytest.fixture(autouse=True)
def each_key_is_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real scrypt, but a tenth of a second once for each passphrase and salt, not once for each flipped bit."""
    monkeypatch.setattr(backup, "_keys", functools.cache(backup._keys))


@pytest.fixture
def no_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        pytest.fail("scrypt was asked for")

    monkeypatch.setattr(backup, "_keys", called)


def written(payload: bytes) -> bytes:
    return backup._written(PASSPHRASE, payload, SALT)


def with_header(data: bytes, at: int, new: bytes) -> bytes:
    """A header that was changed by somebody who knows how to make its checksum right again."""
    checked = data[:at] + new + data[at + len(new) : CRC_AT]
    return checked + zlib.crc32(checked).to_bytes(4, "big") + data[HEADER_BYTES:]


def test_the_format_is_the_known_one() -> None:
    assert written(PAYLOAD) == KNOWN
    assert read_backup(PASSPHRASE, KNOWN) == PAYLOAD


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_what_went_in_comes_out(size: int) -> None:
    payload = (bytes(range(256)) * (size // 256 + 1))[:size]
    assert read_backup(PASSPHRASE, written(payload)) == payload


def test_each_backup_has_a_salt_of_its_own_and_shows_nothing() -> None:
    one, other = (write_backup(PASSPHRASE, PAYLOAD) for _ in range(2))
    assert read_backup(PASSPHRASE, one) == read_backup(PASSPHRASE, other) == PAYLOAD
    assert one[LENGTH_AT + 8 : CRC_AT] != other[LENGTH_AT + 8 : CRC_AT]
    assert one[HEADER_BYTES:] != other[HEADER_BYTES:]
    assert PAYLOAD not in one
    assert repr(backup._keys(PASSPHRASE, backup.COST, SALT)) == "_Keys()"


def test_every_flipped_bit_is_refused() -> None:
    for bit in range(len(KNOWN) * 8):
        flipped = bytearray(KNOWN)
        flipped[bit // 8] ^= 1 << bit % 8
        assert read_backup(PASSPHRASE, bytes(flipped)) is reason_for_a_flip_at(bit // 8, bytes(flipped)), bit


def reason_for_a_flip_at(at: int, flipped: bytes) -> BackupRefusal:
    if at < MAGIC_BYTES:
        return BackupRefusal.NOT_A_BACKUP
    if at == VERSION_AT and flipped[VERSION_AT] > 1:
        return BackupRefusal.NEWER_VERSION
    return BackupRefusal.DAMAGED


@pytest.mark.usefixtures("no_scrypt")
def test_every_cut_is_told_from_damage_and_before_scrypt() -> None:
    for length in range(MAGIC_BYTES, len(KNOWN)):
        assert read_backup(PASSPHRASE, KNOWN[:length]) is BackupRefusal.CUT_SHORT, length


@pytest.mark.usefixtures("no_scrypt")
@pytest.mark.parametrize(
    "data",
    [b"", KNOWN[: MAGIC_BYTES - 1], b"PK\x03\x04" + bytes(100), bytes(100)],
    ids=["empty", "cut", "zip", "zeros"],
)
def test_another_file_is_no_backup(data: bytes) -> None:
    assert read_backup(PASSPHRASE, data) is BackupRefusal.NOT_A_BACKUP


@pytest.mark.usefixtures("no_scrypt")
@pytest.mark.parametrize(
    "data",
    [
        KNOWN[:VERSION_AT] + b"\x02",
        KNOWN[:VERSION_AT] + b"\x02" + b"another header",
        with_header(KNOWN, LOG2_N_AT, b"\x10"),  # 64 MiB
        with_header(KNOWN, LOG2_N_AT, b"\xff\xff\xff"),  # more memory than there is
        with_header(KNOWN, LOG2_N_AT, b"\x00\x00\x00"),
    ],
    ids=["short", "another header", "dear", "huge", "nothing"],
)
def test_what_a_newer_version_made_is_refused_before_it_costs_anything(data: bytes) -> None:
    assert read_backup(PASSPHRASE, data) is BackupRefusal.NEWER_VERSION


@pytest.mark.usefixtures("no_scrypt")
def test_a_version_that_never_was_is_damage() -> None:
    assert read_backup(PASSPHRASE, with_header(KNOWN, VERSION_AT, b"\x00")) is BackupRefusal.DAMAGED


@pytest.mark.usefixtures("no_scrypt")
def test_a_length_that_no_file_has_is_a_cut() -> None:
    huge = with_header(KNOWN, LENGTH_AT, b"\xff" * 8)
    assert read_backup(PASSPHRASE, huge) is BackupRefusal.CUT_SHORT


@pytest.mark.parametrize("typed", ["", "correct horse ", "Correct horse", "battery staple"])
def test_a_wrong_passphrase_is_found_before_the_payload_is_looked_at(typed: str) -> None:
    spoilt = KNOWN[:HEADER_BYTES] + bytes(len(KNOWN) - HEADER_BYTES)
    assert read_backup(SecretStr(typed), spoilt) is BackupRefusal.WRONG_PASSPHRASE
    assert read_backup(PASSPHRASE, spoilt) is BackupRefusal.DAMAGED


def test_a_letter_is_the_same_from_every_keyboard() -> None:
    data = write_backup(SecretStr("Zo\u00e9"), PAYLOAD)
    assert read_backup(SecretStr("Zoe\u0301"), data) == PAYLOAD
    assert read_backup(SecretStr("Zoe"), data) is BackupRefusal.WRONG_PASSPHRASE


def test_bytes_that_were_added_are_damage() -> None:
    assert read_backup(PASSPHRASE, KNOWN + b"\n") is BackupRefusal.DAMAGED


def test_chunks_stay_in_order_and_in_their_backup() -> None:
    data = written(b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c" * CHUNK_BYTES)
    header, sealed = data[:HEADER_BYTES], data[HEADER_BYTES:]
    step = CHUNK_BYTES + TAG_BYTES
    first, second, third = sealed[:step], sealed[step : 2 * step], sealed[2 * step :]
    assert read_backup(PASSPHRASE, header + second + first + third) is BackupRefusal.DAMAGED
    assert read_backup(PASSPHRASE, header + first + first + third) is BackupRefusal.DAMAGED
    # The same key, number and place in the file, but the header of a longer backup.
    longer = written(b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c" * CHUNK_BYTES + b"d")
    mixed = header + longer[HEADER_BYTES : HEADER_BYTES + step] + second + third
    assert read_backup(PASSPHRASE, mixed) is BackupRefusal.DAMAGED


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_cut_with_a_length_to_match_is_damage(chunks: int) -> None:
    data = written(bytes(3 * CHUNK_BYTES))
    kept = data[: HEADER_BYTES + chunks * (CHUNK_BYTES + TAG_BYTES)]
    forged = with_header(kept, LENGTH_AT, (chunks * CHUNK_BYTES).to_bytes(8, "big"))
    assert read_backup(PASSPHRASE, forged) is BackupRefusal.DAMAGED


def test_the_last_chunk_is_sealed_as_the_last_one() -> None:
    """What the header says is not what proves the end: a nonce that was used for a middle chunk is another one."""
    assert backup._nonce(1, 2) != backup._nonce(1, 3)
    assert len({backup._nonce(number, chunks) for chunks in (1, 2, 3) for number in range(chunks)}) == 5


def test_every_refusal_says_what_to_do_next() -> None:
    for refusal in BackupRefusal:
        happened, _, next_step = refusal.value.partition(". ")
        assert "backup" in happened.lower()
        assert next_step.endswith(".")
