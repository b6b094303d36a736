"""Running other programs, and remembering what was done."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from image.setup.paths import STAMPS, TREE


class SetupFailed(Exception):
    """Setup cannot go on. The text says what failed, why, and what to do next."""


def run(
    command: Sequence[str | Path], *, timeout_s: float, quiet: bool = True, variables: Mapping[str, str] | None = None
) -> str:
    """Run a program in the tree and return what it printed; `quiet=False` lets it print for itself. `variables` of its
    environment, beside those that there are.

    Raises: SetupFailed if it cannot be started, does not end in time, or ends with another status than 0; the text
    is then all it printed to stderr.
    """
    pipe = subprocess.PIPE if quiet else None
    environment = os.environ | {"LC_ALL": "C.UTF-8"} | dict(variables or {})
    try:
        done = subprocess.run(
            command,
            cwd=TREE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        raise SetupFailed(f"the program {command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise SetupFailed(f"{command[0]} did not end within {timeout_s:.0f} s") from None
    if done.returncode:
        raise SetupFailed((done.stderr or "").strip() or f"{Path(command[0]).name} ended with status {done.returncode}")
    return done.stdout or ""


def digest(*paths: Path) -> str:
    """One hash over the contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_done(step: str, inputs: str) -> bool:
    stamp = STAMPS / step
    return stamp.exists() and stamp.read_text() == inputs


def mark_done(step: str, inputs: str) -> None:
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / step).write_text(inputs)


def last_lines(text: str, count: int = 4) -> str:
    return "\n".join(f"  {line.strip()}" for line in text.splitlines()[-count:])
