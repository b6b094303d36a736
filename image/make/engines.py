"""Engines of neural packs (docs/speech-packs.md), for an image that is to have them: `just image BOARD --with ENGINE`.

They are programs, so they lie on the read-only, signed part of the box; a pack that is uploaded is data alone, and
/data holds no program (noexec). Each has packages of its own, which nothing but its own program reads.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from image.make.application import HOME, compiled, platforms, slim
from image.make.board import IMAGE_BUILD, Board
from image.make.wheels import PIP, PIP_TIMEOUT_S
from image.setup.environment import explain_pip
from image.setup.paths import TREE
from image.setup.running import SetupFailed, run

_IDLE: Final = {
    "moonshine": ("moonshine_voice/assets", "moonshine_voice/lora"),
    "piper": ("piper/hebrew/*.onnx", "piper/tashkeel/*.onnx", "piper/train", "piper/templates", "piper/img"),
}
"""What no pack for an English box asks for: samples, and networks for other languages. A slot has 1 GiB."""

ENGINES: Final = tuple(_IDLE)


def put_engines(root: Path, board: Board, names: Sequence[str]) -> None:
    """Raises: SetupFailed."""
    for name in names:
        folder = f"{HOME}/engines/{folder_name(name)}"
        shutil.copytree(engine_packages(board, name), root / folder, symlinks=True)
        compiled(root / folder, f"/{folder}")


def folder_name(name: str) -> str:
    """As models/neural/engines.py looks for it."""
    return f"{name}-{hashlib.sha256(_lock(name).read_bytes()).hexdigest()[:12]}"


def engine_packages(board: Board, name: str) -> Path:
    """Once for each state of its lock. Raises: SetupFailed."""
    folder = IMAGE_BUILD / f"engine-{board.name}-{folder_name(name)}"
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        run(
            [
                *PIP, "install", "--no-compile", "--target", part,
                *(f"--platform={each}" for each in platforms(board)),
                "--python-version=3.11", "--only-binary=:all:", "--require-hashes", "--no-deps",
                "--requirement", _lock(name),
            ],
            timeout_s=PIP_TIMEOUT_S,
        )  # fmt: skip
    except SetupFailed as fault:
        raise SetupFailed(explain_pip(str(fault))) from fault
    slim(part)
    for idle in _IDLE[name]:
        for found in part.glob(idle):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
    part.rename(folder)
    return folder


def _lock(name: str) -> Path:
    return TREE / "models" / "neural" / f"{name}.lock"
