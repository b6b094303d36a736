"""The steps of `just setup`, in order. Each asks first whether there is anything to do: a second run takes a second."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from image.setup import debian, environment
from image.setup.paths import BUILD, VENV_PYTHON
from image.setup.running import SetupFailed, run

CHECK_TIMEOUT_S = 60  # hashes a few megabytes
FETCH_TIMEOUT_S = 3600  # above the time-outs of what it calls


@dataclass(frozen=True)
class Step:
    """`done` is quick and changes nothing; `do` raises SetupFailed."""

    name: str
    usual: str
    done: Callable[[], bool]
    do: Callable[[], None]


def program(name: str, usual: str, module: str) -> Step:
    """A step that a program of the tree does: with --check it says by its status whether all is there."""

    def done() -> bool:
        try:
            run([VENV_PYTHON, "-m", module, "--check"], timeout_s=CHECK_TIMEOUT_S)
        except SetupFailed:
            return False
        return True

    def do() -> None:
        try:
            run([VENV_PYTHON, "-m", module], timeout_s=FETCH_TIMEOUT_S, quiet=False)
        except SetupFailed as fault:
            raise SetupFailed(f"{module}: {fault}; the reason is above") from fault

    return Step(name, usual, done, do)


STEPS = [
    Step("Debian packages", "about 2 min", lambda: not debian.missing(), lambda: debian.install(debian.missing())),
    Step("Python packages", "about 1 min", environment.has_locked_packages, environment.install_locked_packages),
    Step("pjsua2", "built from source, about 3 min", environment.has_pjsua2, environment.install_pjsua2),
    program("models", "seconds", "models.fetch_packs"),
    program("office PBX", "Asterisk and llama.cpp in a folder, about 1 min", "tests.office.pbx_folder"),
    program("recorded callers", "Asterisk's prompts, seconds", "tests.office.sounds"),
]


@contextmanager
def alone() -> Iterator[None]:
    """Two setups at once would build into the same places: the second waits for the first."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: another setup is running, waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up() -> None:
    """Raises: SetupFailed."""
    began = time.monotonic()
    for number, step in enumerate(STEPS, start=1):
        if step.done():
            continue
        print(f"[{number}/{len(STEPS)}] {step.name}: {step.usual} ...", flush=True)
        try:
            step.do()
        except SetupFailed as fault:
            raise SetupFailed(f"[{number}/{len(STEPS)}] {step.name}: {fault}") from fault
    print(f"setup: everything is in place ({time.monotonic() - began:.1f} s)", flush=True)


def main() -> int:
    if sys.version_info[:2] != (3, 11):
        print("setup needs Python 3.11 (Debian 12: sudo apt-get install python3.11)", file=sys.stderr)
        return 1
    try:
        with alone():
            set_up()
    except SetupFailed as fault:
        print(fault, file=sys.stderr)
        return 1
    except PermissionError as fault:
        print(
            f"setup may not use {fault.filename}: it belongs to another user, who set this tree up.\n"
            "Run as that user, or remove .venv and build as them and start again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; the next one goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
