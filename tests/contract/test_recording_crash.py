"""What a recording keeps when its process is killed or its disk is full: real processes, a real full disk."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from firmware.audio import finish_unfinished

pytestmark = pytest.mark.contract

RATE_HZ = 16_000

WRITER = """
import sys, time
from pathlib import Path
import numpy as np, trio
from firmware.audio import recording

async def main():
    noise = np.random.default_rng(1).normal(0, 2000, 160_000).astype("<i2").tobytes()
    async with recording(Path(sys.argv[1])) as rec:
        began = trio.current_time()
        for number in range(10_000):
            await trio.sleep_until(began + number * 0.02 / SPEED)
            at = number % 250 * 640
            rec.add(noise[at:at + 640], noise[at:at + 640])
            if number == 0:
                print("began", flush=True)
            if rec.problem:
                print(rec.problem, flush=True)
                return

trio.run(main)
"""


def writer(path: Path, speed: float = 1, limit: str = "") -> subprocess.Popen[str]:
    program = limit + WRITER.replace("SPEED", str(speed))
    return subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("killed_after_s", [0.35, 1.1, 2.3])
def test_a_killed_writer_leaves_all_but_the_last_second(tmp_path: Path, killed_after_s: float) -> None:
    path = tmp_path / "a.flac"
    with writer(path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        began = time.monotonic()
        time.sleep(killed_after_s)
        process.kill()
        length_s = time.monotonic() - began
    as_it_is = soundfile.info(path).duration if path.exists() else 0.0
    assert as_it_is <= length_s
    finished = finish_unfinished(tmp_path)
    assert finished.problems == ()
    if length_s > 1:
        assert finished.files == (path,)
        assert length_s - 1.0 <= soundfile.info(path).duration <= length_s + 0.1
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert finish_unfinished(tmp_path).files == ()
    assert [file.name for file in tmp_path.iterdir()] in (["a.flac"], [])


LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
"""


def test_a_file_that_may_not_grow_keeps_what_it_has(tmp_path: Path) -> None:
    """A limit on the file's size fails a write half-way, as a broken disk does."""
    with writer(tmp_path / "a.flac", speed=4, limit=LIMIT) as process:
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 0
    assert "the disk does not take the data" in said
    check_what_was_kept(tmp_path, 1.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_keeps_what_was_recorded(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(tmp_path)], check=True)
    try:
        with writer(tmp_path / "a.flac", speed=4) as process:
            assert process.stdout is not None
            said = process.stdout.read()
        assert process.returncode == 0
        assert "the disk is full" in said
        assert "old recordings" in said
        kept = soundfile.info(tmp_path / "a.flac").frames
        assert finish_unfinished(tmp_path).problems != ()
        assert soundfile.info(tmp_path / "a.flac").frames == kept
        subprocess.run(["mount", "-o", "remount,size=2m", str(tmp_path)], check=True)
        check_what_was_kept(tmp_path, 2.0)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def check_what_was_kept(folder: Path, at_least_s: float) -> None:
    path = folder / "a.flac"
    before, _ = soundfile.read(path, dtype="int16")
    assert len(before) / RATE_HZ >= at_least_s
    assert finish_unfinished(folder).files == (path,)
    after, _ = soundfile.read(path, dtype="int16")
    assert len(after) >= len(before)
    assert np.array_equal(after[: len(before)], before)
