"""Recordings on a real disk. A thread writes them, so these take real time: none more than two batches."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trio

from firmware.audio import Finished, Recording, finish_unfinished, flac_header, recording
from firmware.audio.recording import BATCH_S
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.unit

FRAME_SAMPLES = 320
RATE_HZ = 16_000


def frame(number: int, sign: int = 1) -> bytes:
    """20 ms in which every sample tells the frame's number."""
    return np.full(FRAME_SAMPLES, sign * (number % 30_000), dtype="<i2").tobytes()


def add(rec: Recording, numbers: range) -> None:
    for number in numbers:
        rec.add(frame(number), frame(number, -1))


async def test_the_caller_is_left_and_the_agent_right_and_nothing_is_missing(tmp_path: Path) -> None:
    async with recording(tmp_path / "calls" / "a.flac") as rec:
        add(rec, range(120))
    sound, rate_hz = soundfile.read(rec.path, dtype="int16")
    numbers = np.repeat(np.arange(120), FRAME_SAMPLES)
    assert rate_hz == RATE_HZ
    assert np.array_equal(sound, np.column_stack((numbers, -numbers)))
    assert rec.problem is None
    assert stat.S_IMODE(rec.path.stat().st_mode) == 0o600
    assert finish_unfinished(tmp_path).files == ()


async def test_a_call_without_sound_leaves_no_file(tmp_path: Path) -> None:
    async with recording(tmp_path / "a.flac") as rec:
        pass
    assert not rec.path.exists()
    assert rec.problem is None


async def test_the_file_is_valid_while_the_call_goes_on(tmp_path: Path) -> None:
    async with recording(tmp_path / "a.flac") as rec:
        add(rec, range(100))
        await trio.sleep(BATCH_S * 1.5)
        with trio.fail_after(PATIENCE_S):
            while 2 * RATE_HZ - len(sound := soundfile.read(rec.path, dtype="int16")[0]) > 4096:  # noqa: ASYNC110
                await trio.sleep(0.05)  # a file does not announce itself
        assert np.array_equal(sound[:, 0], np.repeat(np.arange(100), FRAME_SAMPLES)[: len(sound)])


async def test_a_cancelled_call_keeps_all_of_its_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with trio.CancelScope() as scope:
        async with recording(path) as rec:
            add(rec, range(10))
            scope.cancel()
            try:
                await trio.sleep_forever()
            finally:
                add(rec, range(10, 20))
    assert soundfile.info(path).frames == 20 * FRAME_SAMPLES


async def test_a_disk_that_stands_still_costs_silence_not_time(tmp_path: Path) -> None:
    async with recording(tmp_path / "a.flac") as rec:
        add(rec, range(600))
        assert rec.lost_frames == 100
        rec_length = 600 * FRAME_SAMPLES
    sound, _ = soundfile.read(rec.path, dtype="int16")
    assert len(sound) == rec_length
    assert sound[500 * FRAME_SAMPLES - 1, 0] == 499
    assert not sound[500 * FRAME_SAMPLES :].any()


async def test_a_folder_that_cannot_be_is_a_problem_and_not_an_exception(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with recording(tmp_path / "file" / "a.flac") as rec:
        add(rec, range(10))
    assert rec.problem is not None
    assert "a file stands in its way" in rec.problem
    assert "move it away" in rec.problem


async def test_an_existing_recording_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"somebody's")
    async with recording(tmp_path / "a.flac") as rec:
        add(rec, range(10))
    assert rec.problem is not None
    assert (tmp_path / "a.flac").read_bytes() == b"somebody's"


def unfinished(path: Path, seconds: int) -> None:
    """A whole recording that lost its end mark, as after a crash that came late."""
    noise = np.random.default_rng(1).normal(0, 2000, (seconds * RATE_HZ, 2)).astype("<i2")
    soundfile.write(path, noise, RATE_HZ, subtype="PCM_16")
    with path.open("r+b") as file:
        flac_header.claim_samples(file.fileno(), seconds * RATE_HZ)


def test_what_lies_behind_a_damaged_place_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    unfinished(path, 4)
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 100] = bytes(100)
    path.write_bytes(damaged)
    assert finish_unfinished(tmp_path).files == (path,)
    assert 1.5 <= soundfile.info(path).duration <= 2.1
    assert (tmp_path / "a.flac.damaged").read_bytes() == damaged


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:4] + bytes(60),
        lambda whole: whole[:8] + bytes(4) + whole[12:],  # FLAC blocks of no samples
    ],
    ids=["header", "block size"],
)
def test_a_damaged_recording_is_set_aside_once_and_said_to_be_damaged(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.flac"
    unfinished(path, 1)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    first, second = finish_unfinished(tmp_path), finish_unfinished(tmp_path)
    assert first.files == ()
    [problem] = first.problems
    assert "a.flac is damaged" in problem
    assert "kept as a.flac.damaged" in problem
    assert "the call goes on" not in problem
    assert second == Finished((), ())
    assert [file.name for file in tmp_path.iterdir()] == ["a.flac.damaged"]
    assert (tmp_path / "a.flac.damaged").read_bytes() == damaged


def test_a_file_into_which_nothing_came_is_dropped_and_other_files_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "empty.flac").touch()
    (tmp_path / "text.flac").write_text("not a sound")
    assert finish_unfinished(tmp_path).files == ()
    assert [file.name for file in tmp_path.iterdir()] == ["text.flac.damaged"]
