"""`python -m image.run` starts again what ended, and gives up only where trying again does not help."""

from __future__ import annotations

import subprocess
import sys

import pytest

from image.run import __main__ as launcher

pytestmark = pytest.mark.unit


def test_what_ended_well_or_was_killed_is_started_again_and_an_error_at_the_start_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The phone process ends well after a factory reset, also one that comes at once."""
    lives = iter(["pass", "import os; os.kill(os.getpid(), 9)", "raise SystemExit(3)"])
    started: list[str] = []

    def start(name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        started.append(" ".join([name, *arguments]))
        return subprocess.Popen([sys.executable, "-c", next(lives)])

    monkeypatch.setattr(launcher, "PROCESSES", ("firmware",))
    monkeypatch.setattr(launcher, "RETRY_S", 0.1)
    monkeypatch.setattr(launcher, "_start", start)
    monkeypatch.setattr(sys, "argv", ["just run", "--show"])
    monkeypatch.setattr(launcher, "_STOPPING", ())  # these tests keep their own
    assert launcher.main() == 3
    assert started == ["firmware --show"] * 3


@pytest.mark.parametrize(
    ("life", "told"),
    [
        ("pass", ""),
        ("import time; print(flush=True); time.sleep(60)", ""),
        ("raise SystemExit(3)", "firmware ended (3) when it was stopped\n"),
        (
            "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)",
            "firmware did not end within 0.2 s; it was killed\n",
        ),
    ],
)
def test_whoever_does_not_end_well_is_said_and_counts(
    life: str, told: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "STOP_S", 0.2 if "IGN" in life else 30.0)
    monkeypatch.setattr(launcher, "_STOPPING", ())
    with subprocess.Popen([sys.executable, "-c", life], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it is what it is, or has ended
        if "sleep" not in life:
            process.wait()
        assert launcher._end({"firmware": process}) is (told == "")
    assert capfd.readouterr().err == told
