"""libsndfile's FLAC encoder as recordings use it, with its errors as the system's."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager

import soundfile

RATE_HZ = 16_000
CHANNELS = 2
_SUBTYPE = "PCM_16"
# Less than one more block of FLAC: the disk is full.
_FULL_BYTES = 65_536


def open_encoder(fd: int) -> soundfile.SoundFile:
    """An encoder into an open file, which stays open. Raises: soundfile.LibsndfileError."""
    return soundfile.SoundFile(fd, "w", RATE_HZ, CHANNELS, _SUBTYPE, format="FLAC", closefd=False)


@contextmanager
def encoder_errors(fd: int) -> Generator[None, None, None]:
    """libsndfile's errors as OSError. It does not keep the system's errno, so a full disk is asked for."""
    try:
        yield
    # soundfile asserts that all was written: a short write without an error set comes out as that.
    except (soundfile.LibsndfileError, AssertionError) as fault:
        disk = os.fstatvfs(fd)
        full = disk.f_bavail * disk.f_frsize < _FULL_BYTES
        number = errno.ENOSPC if full else errno.EIO
        raise OSError(number, os.strerror(number)) from fault
