"""Recordings whose writer died: made into proper files at the next start.

They are found by their header (libFLAC writes the MD5 when it finishes), decoded as far as they go, written anew
beside the old file, and put in its place in one step. Power may go at any point of this: the next start does it again.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import soundfile

from firmware.audio import flac_header
from firmware.audio.flac_encoder import CHANNELS, RATE_HZ, encoder_errors, open_encoder
from firmware.audio.recording import why_and_remedy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_FULL_SCALE = 32_768  # libsndfile's float samples are the 16-bit ones divided by this

_log = logging.getLogger(__name__)


class _State(Enum):
    FINISHED = auto()
    UNFINISHED = auto()
    EMPTY = auto()  # the writer died before it had written anything at all
    DAMAGED = auto()


@dataclass(frozen=True, slots=True)
class Finished:
    """What `finish_unfinished` did: files made whole, and a message for each that could not be."""

    files: tuple[Path, ...]
    problems: tuple[str, ...]


def finish_unfinished(folder: Path) -> Finished:
    """Make every unfinished recording under `folder` a proper file. Only while nothing is being recorded there.

    Blocks (about 1 s for each 10 min of sound): run it in a thread. A file that cannot be finished now, because the
    disk is full, stays as it is until the next start. One that holds no recording is renamed.
    """
    files, problems = [], []
    for path in sorted(path for path in folder.rglob("*.flac") if path.is_file()):
        try:
            match _state(path):
                case _State.UNFINISHED:
                    _finish(path)
                    files.append(path)
                case _State.EMPTY:
                    path.unlink()
                case _State.DAMAGED:
                    problems.append(_set_aside(path))
                case _State.FINISHED:
                    continue
        except OSError as fault:
            problems.append(_explain(fault, path))
            _log.error("an unfinished recording stays as it is", extra={"problem": problems[-1]})
    return Finished(tuple(files), tuple(problems))


def _state(path: Path) -> _State:
    """Raises: OSError."""
    header = _header(path)
    if not header.strip(b"\0"):
        return _State.EMPTY
    if flac_header.is_flac(header) and flac_header.is_finished(header):
        return _State.FINISHED
    return _State.UNFINISHED if _is_recording(path, header) else _State.DAMAGED


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(flac_header.HEADER_BYTES)


def _is_recording(path: Path, header: bytes) -> bool:
    if not flac_header.is_flac(header) or not flac_header.block_size(header):
        return False
    try:
        with _WithoutLength(path) as file, soundfile.SoundFile(file) as decoder:
            return (decoder.channels, decoder.samplerate) == (CHANNELS, RATE_HZ)
    except soundfile.LibsndfileError:
        return False


def _finish(path: Path) -> None:
    """Raises: OSError."""
    claimed = flac_header.samples(_header(path))
    part = path.with_name(f".{path.name}.part")
    if _rewrite(path, part) < claimed:
        # What lies behind a damaged place is not readable for us, but may be for somebody else.
        path.replace(_damaged(path))
    part.replace(path)
    _sync_folder(path.parent)


def _set_aside(path: Path) -> str:
    """Rename what is no recording any more, so that it is met only once; what to tell. Raises: OSError."""
    damaged = _damaged(path)
    path.replace(damaged)
    problem = (
        f"The recording {path} is damaged, and no sound can be got out of it. It was kept as {damaged.name}. "
        "Other recordings are not affected. If this repeats, check the disk or SD card."
    )
    _log.error("a damaged recording was set aside", extra={"problem": problem})
    return problem


def _damaged(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def _explain(fault: OSError, path: Path) -> str:
    why, remedy = why_and_remedy(fault)
    return (
        f"The recording {path}, whose call was cut off when Deskbell stopped, cannot be made whole because {why}. "
        f"It is left as it is, and the next start tries again. {remedy}."
    )


def _rewrite(path: Path, part: Path) -> int:
    """Encode what can be decoded of `path` into `part`; return the samples per channel."""
    written = 0
    fd = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        with encoder_errors(fd), open_encoder(fd) as encoder:
            for block in _decodable(path):
                encoder.write(block)
                written += len(block)
        os.fsync(fd)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return written


def _decodable(path: Path) -> Iterator[npt.NDArray[np.int16]]:
    """FLAC block by FLAC block, up to the end or the first damaged place; the last block is often cut.

    A read that meets the end of a file of unknown length delivers its samples and raises nevertheless, because
    soundfile then seeks. So what was delivered is told by what is no longer NaN.
    """
    with _WithoutLength(path) as file, soundfile.SoundFile(file) as decoder:
        size = flac_header.block_size(file.header)
        complete = True
        while complete:
            block = np.full((size, decoder.channels), np.nan)
            with suppress(soundfile.LibsndfileError):
                decoder.read(size, out=block)
            samples = block[np.isfinite(block[:, 0])]
            complete = len(samples) == size
            yield (samples * _FULL_SCALE).astype(np.int16)


class _WithoutLength(io.FileIO):
    """The file with the number of samples hidden from the decoder, which would stop there: more may follow."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.header = flac_header.without_samples(os.pread(self.fileno(), flac_header.HEADER_BYTES, 0))

    def readinto(self, buffer: WriteableBuffer) -> int:
        at = self.tell()
        read = super().readinto(buffer) or 0
        hidden = self.header[at : at + read]
        memoryview(buffer)[: len(hidden)] = hidden
        return read


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
