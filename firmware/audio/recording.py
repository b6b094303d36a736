"""A call's recording: stereo FLAC (caller left, agent right), written as the call goes.

The problem: power goes, the process is killed, the disk fills up, and what was recorded until then must open. A FLAC
file whose writer died has no length in its header: most players show none, and libsndfile cannot seek in it. What we
do: every `BATCH_S` a thread encodes what came, syncs it to the disk, and only then writes into the header how much is
safely there, so the file is a whole and valid one at every moment and under its final name. `finish_unfinished`
(unfinished.py) turns it into a proper one at the next start, with the little that lay behind the header's number.

May not happen here: a wait for the disk on the audio clock or on the Trio thread, and a call that fails because its
recording does.
"""

from __future__ import annotations

import errno
import logging
import os
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile
import trio

from firmware.audio import flac_header
from firmware.audio.flac_encoder import encoder_errors, open_encoder
from firmware.lifetimes import serving

_FRAME_BYTES = 640  # 20 ms of one side
_FRAMES_PER_S = 50
_SILENCE = (bytes(_FRAME_BYTES), bytes(_FRAME_BYTES))

# How much of a call a crash may cost: this, plus one FLAC block (4096 samples, 256 ms), plus the sync itself; below
# a second. Shorter would wear the SD card: each sync writes some 30 kB of journal.
BATCH_S = 0.6
# 10 s. SD cards stop for a second or two when they tidy up; a card that does not take 64 kB in 10 s is broken.
_WAITING_FRAMES = 10 * _FRAMES_PER_S
# The end of a call waits this long for the card, then leaves the rest to the thread and to the next start.
_CLOSING_S = 5.0

_log = logging.getLogger(__name__)


class Recording:
    """What the call may do with its recording: add to it, and ask what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost_frames = 0
        self._problem: str | None = None
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._silenced_frames = 0

    @property
    def problem(self) -> str | None:
        """Why the recording stopped, and what to do about it; None while all is well."""
        return self._problem

    def add(self, caller_pcm: bytes, agent_pcm: bytes) -> None:
        """The next 20 ms of both sides, 640 bytes each. Never waits, never raises; safe from any thread."""
        if len(self._waiting) < _WAITING_FRAMES:
            self._waiting.append((caller_pcm, agent_pcm))
        else:
            self.lost_frames += 1

    def take(self) -> list[tuple[bytes, bytes]]:
        """For the writer: what came since the last time, with silence where frames were lost: times stay right."""
        frames = [self._waiting.popleft() for _ in range(len(self._waiting))]
        gap = self.lost_frames - self._silenced_frames
        self._silenced_frames += gap
        return frames + [_SILENCE] * gap

    def fail(self, fault: OSError) -> None:
        """For the writer: nothing more will be recorded."""
        self._problem = explain(fault, self.path.parent)
        _log.error("recording stopped, the call goes on", extra={"problem": self._problem})


@asynccontextmanager
async def recording(path: Path) -> AsyncGenerator[Recording, None]:
    """Record into the new file `path` (mode 0600) until the block is left, however it is left.

    The file is made with the first sound; a call that never had any leaves none.
    A file that cannot be made or written is a `problem` of the recording, not an exception.
    """
    rec = Recording(path)
    async with serving(_write_as_it_comes, rec):
        yield rec


async def _write_as_it_comes(rec: Recording, *, task_status: trio.TaskStatus[None]) -> None:
    # One thread at a time touches the file, also when the one before was left behind in a sync.
    one_thread = trio.CapacityLimiter(1)
    file = _File(rec)
    try:
        task_status.started()
        while True:
            await trio.sleep(BATCH_S)
            await trio.to_thread.run_sync(file.write, rec.take(), abandon_on_cancel=True, limiter=one_thread)
    finally:
        with trio.move_on_after(_CLOSING_S, shield=True) as closing:
            await trio.to_thread.run_sync(file.finish, rec.take(), abandon_on_cancel=True, limiter=one_thread)
        if closing.cancelled_caught:
            _log.error("the disk did not take the end of a recording in time; the next start finishes the file")


class _File:
    """The file itself, in the hands of one thread at a time."""

    def __init__(self, rec: Recording) -> None:
        self._rec = rec
        self._fd = -1
        self._encoder: soundfile.SoundFile | None = None
        self._samples = self._safe_samples = 0

    def write(self, frames: list[tuple[bytes, bytes]]) -> None:
        if not frames or self._rec.problem:
            return
        try:
            self._open()
            self._encode(frames)
            os.fdatasync(self._fd)
            self._claim_what_is_safe()
        except OSError as fault:
            self._give_up(fault)

    def finish(self, frames: list[tuple[bytes, bytes]]) -> None:
        self.write(frames)
        if self._encoder is None or self._rec.problem:
            return
        try:
            self._close_encoder()
            os.fsync(self._fd)
        except OSError as fault:
            self._give_up(fault)
        else:
            os.close(self._fd)

    def _open(self) -> None:
        if self._encoder is not None:
            return
        path = self._rec.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        with encoder_errors(self._fd):
            self._encoder = open_encoder(self._fd)

    def _encode(self, frames: list[tuple[bytes, bytes]]) -> None:
        assert self._encoder is not None  # noqa: S101 - opened before
        caller, agent = (np.frombuffer(b"".join(side), dtype="<i2") for side in zip(*frames, strict=True))
        with encoder_errors(self._fd):
            self._encoder.write(np.column_stack((caller, agent)))
        self._samples += len(caller)

    def _claim_what_is_safe(self) -> None:
        """The encoder holds back the block under way, and writes a full one only once the next has begun."""
        block = flac_header.block_size(os.pread(self._fd, flac_header.HEADER_BYTES, 0))
        self._safe_samples = max(self._samples - 1, 0) // block * block
        flac_header.claim_samples(self._fd, self._safe_samples)

    def _close_encoder(self) -> None:
        assert self._encoder is not None  # noqa: S101 - opened before
        with encoder_errors(self._fd):
            self._encoder.close()

    def _give_up(self, fault: OSError) -> None:
        """Keep what is safely written, and stop."""
        self._rec.fail(fault)
        if self._fd < 0:
            return
        with suppress(OSError):  # the fault that matters is told already
            if self._encoder is not None:
                self._close_encoder()
        with suppress(OSError):
            flac_header.claim_samples(self._fd, self._safe_samples)
        os.close(self._fd)


def explain(fault: OSError, folder: Path) -> str:
    """What happened to the file of a call that goes on, why, and what to do, for the user."""
    why, remedy = why_and_remedy(fault)
    return (
        f"Recording into {folder} stopped because {why}. What was recorded before is kept, and the call goes on. "
        f"{remedy}; the next call is recorded again."
    )


def why_and_remedy(fault: OSError) -> tuple[str, str]:
    """Why a file in a folder of recordings could not be written, and what to do."""
    match fault.errno:
        case errno.ENOSPC | errno.EDQUOT:
            why, remedy = "the disk is full", "Delete what is not needed there, old recordings first"
        case errno.EACCES | errno.EPERM | errno.EROFS | errno.ENOENT | errno.ENOTDIR:
            why, remedy = (
                "the folder cannot be written to",
                "Make it a folder that belongs to the user Deskbell runs as",
            )
        case errno.EEXIST:
            why, remedy = "a file stands in its way", "Look what it is, and move it away"
        case _:
            why, remedy = "the disk does not take the data", "Check the disk or SD card, and replace it if this repeats"
    return f"{why} ({os.strerror(fault.errno or errno.EIO)})", remedy
