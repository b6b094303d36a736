"""The two fields of a FLAC file's STREAMINFO block that libFLAC leaves empty until a file is finished.

A FLAC file begins with "fLaC", a block header of 4 bytes and STREAMINFO of 34 (RFC 9639, 8.2): bytes 18 to 25 of the
file end with the number of samples (36 bits), bytes 26 to 41 are the MD5 of the audio. A number of 0 means "unknown":
players then show no length and libsndfile refuses to seek. An MD5 of 0 means "not computed".
"""

from __future__ import annotations

import os

HEADER_BYTES = 42
_SAMPLES_AT, _SAMPLES_BYTES, _SAMPLES_BITS = 18, 8, 36
_BLOCK_SIZE_AT = 8
_MD5_AT, _MD5_BYTES = 26, 16


def is_flac(header: bytes) -> bool:
    """Whether `header`, the first `HEADER_BYTES` of a file, begins a FLAC file."""
    return len(header) >= HEADER_BYTES and header.startswith(b"fLaC")


def is_finished(header: bytes) -> bool:
    """Whether the encoder came to its end: only then it writes the MD5."""
    return any(header[_MD5_AT : _MD5_AT + _MD5_BYTES])


def samples(header: bytes) -> int:
    """Samples per channel that the file claims; 0: unknown."""
    return _samples_field(header) & (1 << _SAMPLES_BITS) - 1


def block_size(header: bytes) -> int:
    """Samples per channel in each FLAC frame but the last."""
    return int.from_bytes(header[_BLOCK_SIZE_AT : _BLOCK_SIZE_AT + 2], "big")


def claim_samples(fd: int, number: int) -> None:
    """Write the number of samples into the header of an open file, and no MD5: this file is not finished.

    Raises: OSError.
    """
    header = os.pread(fd, HEADER_BYTES, 0)
    field = _samples_field(header) >> _SAMPLES_BITS << _SAMPLES_BITS | number
    os.pwrite(fd, field.to_bytes(_SAMPLES_BYTES, "big") + bytes(_MD5_BYTES), _SAMPLES_AT)


def without_samples(header: bytes) -> bytes:
    """`header` with an unknown number of samples."""
    field = _samples_field(header) >> _SAMPLES_BITS << _SAMPLES_BITS
    return header[:_SAMPLES_AT] + field.to_bytes(_SAMPLES_BYTES, "big") + header[_MD5_AT:]


def _samples_field(header: bytes) -> int:
    return int.from_bytes(header[_SAMPLES_AT : _SAMPLES_AT + _SAMPLES_BYTES], "big")
