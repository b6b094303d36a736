"""The real box with a disk that fills up during a call."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import trio

from firmware.storage import SessionDetail, read_session, read_sessions
from tests.office.box import Box, office_box
from tests.office.calling import make_call
from tests.office.pbx import Pbx
from tests.office.script import HangUp, Listen, Pause, Say, Script
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.wire

PBX_RTP, BOX_RTP, CALLER_RTP = (22_800, 22_849), (22_850, 22_899), 22_900


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Room for the database (its empty tables and their journal take 568 kB) and for some seconds of sound."""
    folder = tmp_path / "data"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_the_call_goes_on_and_what_was_recorded_is_kept(pbx: Pbx, small_disk: Path) -> None:
    question = await say(SPEAKERS["slt-hts"], "Where can I park?")
    asks = (Pause(ms=300), Say(wav=question, name="parking"), Listen())
    async with office_box(pbx, small_disk.parent, rtp_ports=BOX_RTP) as box:
        script = Script(
            pbx=pbx.address,
            user="101",
            dial="200",
            steps=(Listen(), *asks, HangUp()),
            codecs=("PCMU",),
            rtp_port=CALLER_RTP,
        )
        made = await make_call(script, pbx.accounts["101"].password, limit_s=90)
        assert made.failure == ""
        await trio.to_thread.run_sync(make_room, small_disk)
        session = await closed_session(box)
    assert [line.speaker for line in session.lines] == ["agent", "caller", "agent"]
    assert session.summary.recording is not None
    assert soundfile.info(session.summary.recording).duration > 2
    [message] = [line for line in log_of(small_disk) if "recording stopped" in line]
    assert "the disk is full" in message
    assert "old recordings" in message


async def closed_session(box: Box) -> SessionDetail:
    """The session, once the box has written it: it tries again every few seconds."""
    with trio.fail_after(PATIENCE_S):
        while True:
            [*latest] = await trio.to_thread.run_sync(read_sessions, box.sessions, 1)
            if latest and latest[0].outcome and (session := read_session(box.sessions, latest[0].id)):
                return session
            await trio.sleep(0.1)


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)


def log_of(disk: Path) -> list[str]:
    return (disk.parent / "box.log").read_text().splitlines()
