"""The real box, killed in the middle of a call: what the next start finds."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest
import soundfile
import trio

from firmware.storage import read_session, read_sessions
from tests.bench.processes import tree_of
from tests.office.box import office_box
from tests.office.calling import CallerEvent, make_call
from tests.office.pbx import Pbx, office_pbx
from tests.office.program import BoxFailed
from tests.office.script import Pause, Script
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.wire

PBX_RTP, BOX_RTP, CALLER_RTP = (22_800, 22_849), (22_850, 22_899), 22_900
IN_CALL_S = 4.0  # the greeting takes three


async def with_recognisers(pid: int) -> list[int]:
    """Of the box: they are loaded behind."""
    with trio.fail_after(PATIENCE_S):
        while len(children := tree_of(pid)) < 3:  # noqa: ASYNC110 - no process announces itself
            await trio.sleep(0.05)
    return children


async def test_session_and_recording_survive_and_no_process_stays(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx:
        with pytest.raises(BoxFailed, match="status -9"):  # noqa: PT012 - leaving the box is what raises
            async with office_box(pbx, tmp_path, rtp_ports=BOX_RTP) as box:
                children = await with_recognisers(box.pid)
                length_s = await killed_in_a_call(pbx, box.pid)
        await all_gone(children)
        async with office_box(pbx, tmp_path, rtp_ports=BOX_RTP) as box:
            [call] = await trio.to_thread.run_sync(read_sessions, box.sessions)
            detail = read_session(box.sessions, call.id)
    assert call.outcome == "unknown"
    assert call.codec == "PCMU"
    assert call.recording is not None
    assert abs(soundfile.info(call.recording).duration - length_s) <= 1.0
    assert detail is not None
    assert [line.speaker for line in detail.lines] == ["agent"]


async def killed_in_a_call(pbx: Pbx, pid: int) -> float:
    """Let a caller be connected for a while, then kill the box; how long the call was."""
    script = Script(
        pbx=pbx.address, user="101", dial="200", steps=(Pause(ms=60_000),), codecs=("PCMU",), rtp_port=CALLER_RTP
    )
    connected = trio.Event()

    def note(event: CallerEvent) -> None:
        if event.kind == "connected":
            connected.set()

    async with trio.open_nursery() as callers:
        callers.start_soon(partial(make_call, script, pbx.accounts["101"].password, limit_s=60, on_event=note))
        with trio.fail_after(PATIENCE_S):
            await connected.wait()
        began_s = trio.current_time()
        await trio.sleep(IN_CALL_S)
        os.kill(pid, signal.SIGKILL)
        length_s = trio.current_time() - began_s
        callers.cancel_scope.cancel()
    return length_s


async def all_gone(pids: list[int]) -> None:
    with trio.fail_after(PATIENCE_S):
        while any(map(is_running, pids)):  # noqa: ASYNC110 - nobody tells when somebody else's process ends
            await trio.sleep(0.05)


def is_running(pid: int) -> bool:
    """A zombie is not: it waits for its new parent, which is not ours."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
