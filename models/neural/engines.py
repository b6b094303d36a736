"""The engines of neural packs: packages of their own, each in a folder of its own, which nothing but the engine's own
program reads. Their versions and hashes stand in ENGINE.lock beside this file.

They are code, so they come with the system, never with a pack: `just models --with NAME` puts them into build/engines,
`just image BOARD --with ENGINE` into the image.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from models.packs import PackProblem

HERE: Final = Path(__file__).parent
PROGRAM: Final = HERE / "programs" / "run.py"
_PIP_TIMEOUT_S = 1800  # 60 MB on a slow line


class EngineFailed(PackProblem):
    """An engine's packages cannot be had. The text says why, and what to do."""


def lock_of(engine: str) -> Path:
    return HERE / f"{engine}.lock"


def folder_of(engine: str) -> Path:
    """Where its packages are, or belong: below $DESKBELL_ENGINES, else build/engines beside the models. For each state
    of the lock another one, so that an update of Deskbell never meets packages that it was not made for."""
    digest = hashlib.sha256(lock_of(engine).read_bytes()).hexdigest()[:12]
    parent = os.environ.get("DESKBELL_ENGINES") or HERE.parent.parent / "build" / "engines"
    return Path(parent) / f"{engine}-{digest}"


def is_installed(engine: str) -> bool:
    return folder_of(engine).is_dir()


def command(engine: str, pack: Path, socket: Path) -> list[str]:
    """Its program, which sees the standard library, its own packages, and itself: -I and -S leave out all others."""
    return [sys.executable, "-I", "-S", str(PROGRAM), engine, str(folder_of(engine)), str(pack), str(socket)]


def install(engine: str) -> None:
    """For this machine. Does nothing where they are there. Raises: EngineFailed."""
    folder = folder_of(engine)
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-compile"]
    what = ["--only-binary=:all:", "--no-deps", "--require-hashes", "--requirement", str(lock_of(engine))]
    done = subprocess.run(
        [*pip, "--target", str(part), *what], capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
    )
    if done.returncode:
        shutil.rmtree(part)
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EngineFailed(
            f"the packages of the engine {engine} cannot be installed: {last}. Check that pip reaches a package index "
            f"that has what {lock_of(engine).name} lists for this machine, then try again"
        )
    part.chmod(0o755)
    try:
        part.rename(folder)
    except OSError:  # somebody else was faster
        shutil.rmtree(part)
