"""The whole box as a process, against the real PBX: calls, Ctrl-C at any moment, power cuts, bad input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import soundfile
import trio

from firmware.data_folder import data_folder
from firmware.storage import SessionDetail, read_session, read_sessions
from tests.office.box import Box, office_box
from tests.office.pbx import OfficeAccount, Pbx, office_accounts, office_pbx
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.wire

QUESTION = "Where can I park?"
RTP = (20_000, 20_099)
Process = subprocess.Popen[bytes]


async def until(true: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
    """Poll what only a file or another process knows."""
    with trio.move_on_after(within_s):
        while not true():  # noqa: ASYNC110 - a file of another process does not announce itself
            await trio.sleep(0.1)
        return
    pytest.fail(f"{what} did not come within {within_s} s")


async def ask(pbx: Pbx, tmp_path: Path) -> None:
    """A caller who waits for the greeting to end, asks, and stays on the line."""
    question = await say(SPEAKERS["rms"], QUESTION)
    padded = tmp_path / "question.wav"
    sound, rate_hz = soundfile.read(question, dtype="int16")
    soundfile.write(padded, np.pad(sound, (5 * rate_hz, 10 * rate_hz)), rate_hz, subtype="PCM_16")
    await pbx.originate("200", "Playback", pbx.add_sound(padded))


def latest(box: Box) -> SessionDetail:
    found = read_session(box.sessions, read_sessions(box.sessions, 1)[0].id)
    assert found
    return found


def lines_of(box: Box, speaker: str) -> list[str]:
    return [line.text for line in latest(box).lines if line.speaker == speaker]


async def test_ctrl_c_in_a_call_says_goodbye_and_leaves_everything_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")  # a terminal without the dash that an interrupted line ends with
    async with office_pbx(rtp_ports=RTP) as pbx:
        await pbx.log_sip(True)
        async with office_box(pbx, tmp_path) as box:
            await ask(pbx, tmp_path)
            await until(lambda: read_sessions(box.sessions, 1) and latest(box).turns, "the answer")
            await trio.sleep(1.5)  # into it
        session = latest(box)
        assert "park" in lines_of(box, "caller")[0]
        assert (session.summary.outcome, session.summary.ended_by) == ("answered", "agent")
        assert session.summary.conclusion == "the agent was stopped"
        assert session.lines[-1].interrupted
        assert session.summary.recording
        assert soundfile.info(session.summary.recording).duration >= session.lines[-1].end_ms / 1000 - 0.1
        sip = pbx.log.read_text()
        assert "BYE sip:" in sip
        assert "Expires: 0" in sip or "expires=0" in sip
        assert await pbx.contacts() == {}
        assert "Traceback" not in (tmp_path / "box.log").read_text()


async def test_over_g711_the_box_still_understands(tmp_path: Path) -> None:
    accounts = office_accounts(u200=OfficeAccount("200", codecs=("ulaw",)))
    async with office_pbx(rtp_ports=RTP, accounts=accounts) as pbx, office_box(pbx, tmp_path) as box:
        await ask(pbx, tmp_path)
        await until(lambda: read_sessions(box.sessions, 1) and len(lines_of(box, "agent")) > 1, "the answer")
        assert latest(box).summary.codec == "PCMU"
        assert lines_of(box, "agent")[1].startswith("There is a car park behind the building.")


async def test_a_caller_who_never_speaks_is_asked_then_told_goodbye(pbx: Pbx, tmp_path: Path) -> None:
    async with office_box(pbx, tmp_path, silence_s=6) as box:
        await pbx.originate("200", "Wait", "60")
        await until(lambda: read_sessions(box.sessions, 1) and latest(box).summary.outcome, "the end of the call")
        _, check_in, goodbye = lines_of(box, "agent")
        assert check_in == "Are you still there?"
        assert goodbye.endswith("Good-bye.")
        assert latest(box).summary.outcome == "answered"
        assert latest(box).summary.conclusion == "silence"
        assert latest(box).summary.ended_by == "agent"


@asynccontextmanager
async def box_process(
    tmp_path: Path, pbx: Pbx, *, local_port: int = 0, start: str = "", terminal: int = subprocess.PIPE
) -> AsyncIterator[Process]:
    """The bare process, for what happens before it is registered. `start`: Python to run before the box's own;
    `terminal`: its standard output, in a session of its own."""
    config = tmp_path / "box.toml"
    config.write_text(f"""
        [connection]
        name = "PBX"
        domain = "{pbx.address}"
        user = "200"
        local_port = {local_port}
        [agent]
        name = "Test"
        max_opened_sessions = 1
    """)
    program = f"import sys\nsys.argv[1:] = ['--config', {str(config)!r}]\n{start}\n"
    program += "import runpy\nrunpy.run_module('firmware', run_name='__main__')"
    process = subprocess.Popen(  # noqa: ASYNC220 - milliseconds
        [sys.executable, "-c", program],
        stdout=terminal,
        stderr=subprocess.PIPE,
        start_new_session=terminal != subprocess.PIPE,
        env={
            **os.environ,
            "DESKBELL_SIP_PASSWORD": pbx.accounts["200"].password,
            "DESKBELL_DATA": str(tmp_path / "data"),
        },
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def outcome(process: Process) -> tuple[int, str]:
    with trio.fail_after(PATIENCE_S):
        out, err = await trio.to_thread.run_sync(process.communicate, abandon_on_cancel=True)
    return process.returncode, ((out or b"") + err).decode()


async def says(process: Process, word: bytes) -> None:
    assert process.stdout
    await reads(process.stdout, word)


async def reads(output: IO[bytes], word: bytes) -> None:
    """Read a box's output up to the line with `word`."""
    with trio.fail_after(PATIENCE_S):
        while word not in (line := await trio.to_thread.run_sync(output.readline, abandon_on_cancel=True)):
            assert line, f"it ended without saying {word.decode()}"


@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.8, 1.2, 1.8, 2.5])
async def test_ctrl_c_while_starting_leaves_no_traceback(pbx: Pbx, tmp_path: Path, after_s: float) -> None:
    async with box_process(tmp_path, pbx) as process:
        await trio.sleep(after_s)
        process.send_signal(signal.SIGINT)
        status, said = await outcome(process)
        assert status in (0, -signal.SIGINT)
        assert "Traceback" not in said
        assert await pbx.contacts() == {}


async def test_a_second_ctrl_c_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=RTP) as pbx, box_process(tmp_path, pbx) as process:
        await says(process, b"registered")
        await pbx.die()  # the stop takes two seconds where nobody answers
        process.send_signal(signal.SIGINT)
        await says(process, b"stopping: hanging up")
        process.send_signal(signal.SIGINT)
        status, said = await outcome(process)
    assert status == 0
    assert said.startswith("still stopping\n")
    assert "Traceback" not in said


async def test_a_closed_terminal_stops_the_box_in_order(pbx: Pbx, tmp_path: Path) -> None:
    outer, terminal = os.openpty()
    take_it = "import fcntl, termios\nfcntl.ioctl(1, termios.TIOCSCTTY, 0)"
    async with (
        box_process(tmp_path, pbx, start=take_it, terminal=terminal) as process,
    ):
        os.close(terminal)
        with os.fdopen(outer, "rb", buffering=0) as screen:
            await reads(screen, b"registered")
        status, said = await outcome(process)
        assert status == 0
        assert not [word for word in ("Traceback", "ERROR", "WARNING") if word in said]
        assert await pbx.contacts() == {}


async def test_without_a_terminal_on_purpose_the_box_goes_on(pbx: Pbx, tmp_path: Path) -> None:
    nohup = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)"
    async with box_process(tmp_path, pbx, start=nohup) as process:
        await says(process, b"registered")
        process.send_signal(signal.SIGHUP)
        await trio.sleep(2)  # several times what the stop takes
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        status, _ = await outcome(process)
    assert status == 0


async def test_a_second_box_in_the_same_folder_is_one_message_with_its_remedy(pbx: Pbx, tmp_path: Path) -> None:
    with data_folder(tmp_path / "data"):
        async with box_process(tmp_path, pbx) as process:
            status, said = await outcome(process)
    assert status == 1
    assert "Deskbell can't start: another Deskbell that is running uses the data folder" in said
    assert "DESKBELL_DATA" in said
    assert "Traceback" not in said


async def test_a_missing_model_is_one_message_with_its_remedy(pbx: Pbx, tmp_path: Path) -> None:
    no_models = f"import pathlib\nimport models.packs\nmodels.packs.HERE = pathlib.Path({str(tmp_path)!r})"
    async with box_process(tmp_path, pbx, start=no_models) as process:
        status, said = await outcome(process)
    assert status == 1
    assert "Deskbell can't start: the model file" in said
    assert "is missing" in said
    assert "Traceback" not in said


async def test_a_port_that_is_taken_is_one_message_with_its_remedy(pbx: Pbx, tmp_path: Path) -> None:
    async with box_process(tmp_path, pbx, local_port=pbx.sip_port) as process:
        status, said = await outcome(process)
    assert status == 1
    assert "taken by another program" in said
    assert "local_port" in said
    assert "Traceback" not in said
