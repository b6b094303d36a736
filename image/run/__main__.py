"""`python -m image.run [--show]`: the box's two processes on a development machine, each started again when it dies.

On the image systemd does this (`Restart=always`); here it is the same in a few lines. Ctrl-C ends both.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from types import FrameType

PROCESSES = ("firmware", "provisioning")
RETRY_S = 1.0
"""Long enough that a process that dies at once does not keep a core busy; a caller hardly waits longer."""

STOP_S = 30.0
"""Calls say good-bye and unregister within 4 s, recognisers end within 5; then systemd's patience, shortened."""

STARTING_S = 10.0
"""A process that gives up with an error of its own within this could not start here: trying again does not help."""

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked us to stop."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="just run", description="Run one Deskbell box with its page.")
    parser.add_argument("--show", action="store_true", help="show conversations, as they happen, on this terminal")
    arguments = {"firmware": ["--show"] if parser.parse_args().show else []}
    for number in _STOPPING:
        signal.signal(number, _stop)
    running: dict[str, subprocess.Popen[bytes]] = {}
    began = time.monotonic()
    status = 0
    try:
        for name in PROCESSES:
            running[name] = _start(name, arguments.get(name, []))
        status = _mind(running, arguments, began)
    except Stopped:
        status = 0
    finally:
        ended_well = _end(running)
    return status if ended_well else status or 1


def _mind(running: dict[str, subprocess.Popen[bytes]], arguments: dict[str, list[str]], began: float) -> int:
    """Until one says that it cannot work here."""
    while True:
        for name, process in running.items():
            try:
                status = process.wait(timeout=RETRY_S / len(PROCESSES))
            except subprocess.TimeoutExpired:
                continue
            if status > 0 and time.monotonic() - began < STARTING_S:
                return status
            print(f"{name} ended ({status}); it is started again", file=sys.stderr, flush=True)
            running[name] = _start(name, arguments.get(name, []))


def _start(name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches us alone, and we pass it on once.
    return subprocess.Popen([sys.executable, "-m", name, *arguments], start_new_session=True)


def _end(running: dict[str, subprocess.Popen[bytes]]) -> bool:
    """Whether all ended by themselves, without an error."""
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    for process in running.values():
        process.terminate()
    until = time.monotonic() + STOP_S
    ended_well = [_ended_well(name, process, until) for name, process in running.items()]
    return all(ended_well)


def _ended_well(name: str, process: subprocess.Popen[bytes], until: float) -> bool:
    """Whoever is stopped while it starts dies of the signal, which is no error."""
    try:
        status = process.wait(timeout=max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        print(f"{name} did not end within {STOP_S:g} s; it was killed", file=sys.stderr, flush=True)
        return False
    if status not in (0, -signal.SIGTERM):
        print(f"{name} ended ({status}) when it was stopped", file=sys.stderr, flush=True)
    return status in (0, -signal.SIGTERM)


def _stop(_: int, __: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
