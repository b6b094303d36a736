"""The small tasks beside the calls."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import soundfile
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from firmware.audio import recording
from firmware.audio.call_audio import RECORDER_FRAMES, CallAudio
from firmware.audio.mouth import SILENCE
from firmware.compose import write_stats
from firmware.recorder import copy_line
from firmware.telephony import Account, Durations, Endpoint

pytestmark = pytest.mark.unit

WORD = b"\x00\x20" * (len(SILENCE) // 2)
SAMPLES_PER_MS = 16


def tick(audio: CallAudio, frames: int, caller: bytes = SILENCE) -> None:
    for _ in range(frames):
        audio.take()
        audio.tick(caller)


def words_ms(path: Path) -> list[int]:
    """Where in the recording the caller's words begin."""
    sound, _ = soundfile.read(path, dtype="int16")
    loud = np.concatenate(([False], sound[:, 0] != 0))
    return [int(at) // SAMPLES_PER_MS for at in np.flatnonzero(loud[1:] & ~loud[:-1])]


async def test_a_word_lies_in_the_recording_where_the_transcript_has_it(tmp_path: Path) -> None:
    audio, path = CallAudio(), tmp_path / "a.flac"
    tick(audio, 25)  # the media started half a second before the recording
    async with recording(path) as file:
        pairs = audio.both()
        spoken_ms = [audio.mouth.clock_ms]
        tick(audio, 10, WORD)
        tick(audio, 10)
        audio.close()
        await copy_line(pairs, file)
    assert words_ms(path) == spoken_ms == [500]
    assert soundfile.info(path).frames == audio.mouth.clock_ms * SAMPLES_PER_MS


async def test_frames_that_the_recorder_lost_move_nothing(tmp_path: Path) -> None:
    audio, path = CallAudio(), tmp_path / "a.flac"
    lost = 30
    async with recording(path) as file, trio.open_nursery() as copying:
        copying.start_soon(copy_line, audio.both(), file)
        tick(audio, 10)
        await wait_all_tasks_blocked()
        tick(audio, lost)  # the clock goes on, and nobody gets to read
        spoken_ms = audio.mouth.clock_ms
        tick(audio, 10, WORD)
        tick(audio, RECORDER_FRAMES - 10)
        audio.close()
    assert audio.stats.recorder_lost_frames == lost
    assert words_ms(path) == [spoken_ms]


async def test_counters_that_cannot_be_written_are_told_once_and_tried_again(
    tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = cast("Endpoint", SimpleNamespace(gaps=Durations(), taps=SimpleNamespace(delays=Durations())))
    account = cast("Account", SimpleNamespace(calls=frozenset()))
    file = tmp_path / "later" / "stats.json"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write_stats, endpoint, account, file)
        await trio.sleep(3.5)
        [told] = caplog.records
        assert "--stats" in told.message
        file.parent.mkdir()
        await trio.sleep(1)
        assert json.loads(file.read_text())["calls"] == 0
        nursery.cancel_scope.cancel()
    assert len(caplog.records) == 1
