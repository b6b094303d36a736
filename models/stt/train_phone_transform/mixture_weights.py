"""Turns the compressed mixture weights of a PocketSphinx model (sendump) into those that sphinxtrain reads.

    python mixture_weights.py MODEL/sendump MODEL/mixture_weights

A sendump holds one byte for each weight: its logarithm to the base 1.0001, negated and shifted right by mixw_shift.
"""

from __future__ import annotations

import math
import struct
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]

_LOG_BASE = 1.0001
_SHIFT_UNLESS_TOLD = 10
_BYTE_ORDER_MARK = 0x11223344


def main(sendump: str, mixture_weights: str) -> None:
    Path(mixture_weights).write_bytes(sphinx3_file(weights_of(Path(sendump).read_bytes())))


def weights_of(sendump: bytes) -> Weights:
    """Weights [senone, feature stream, Gaussian], each mixture adding up to 1."""
    header, at = _header(sendump)
    gaussians, senones = struct.unpack_from("<ii", sendump, at)
    shape = (header["feature_count"], gaussians, senones)
    packed = np.frombuffer(sendump, np.uint8, math.prod(shape), at + 8).reshape(shape)
    logarithms = packed.astype(np.int64) << header.get("mixw_shift", _SHIFT_UNLESS_TOLD)
    weights = np.transpose(np.power(_LOG_BASE, -logarithms.astype(float)), (2, 0, 1))
    return np.asarray(weights / weights.sum(axis=2, keepdims=True), "<f4")


def _header(sendump: bytes) -> tuple[dict[str, int], int]:
    """Numbers by name from the strings at the beginning, each after its length, and where the data begins."""
    found: dict[str, int] = {}
    at = 0
    while length := struct.unpack_from("<i", sendump, at)[0]:
        name, _, value = sendump[at + 4 : at + 4 + length - 1].decode("latin-1").partition(" ")
        if value.strip().isdigit():
            found[name] = int(value)
        at += 4 + length
    return found, at + 4


def sphinx3_file(weights: Weights) -> bytes:
    senones, streams, gaussians = weights.shape
    body = struct.pack("<4i", senones, streams, gaussians, weights.size) + weights.tobytes()
    head = b"s3\nversion 1.0\nchksum0 yes\n      endhdr\n" + struct.pack("<I", _BYTE_ORDER_MARK)
    return head + body + struct.pack("<I", _checksum(body))


def _checksum(body: bytes) -> int:
    total = 0
    for word in np.frombuffer(body, "<u4").tolist():
        total = (((total << 20) | (total >> 12)) + word) & 0xFFFFFFFF
    return total


if __name__ == "__main__":
    main(*sys.argv[1:])
