"""What an image for another processor is built with, and what its machines start with: headers and libraries for the
compiler, programs for the boot partition. Debian packages, unpacked and not configured: nothing of them runs here."""

from __future__ import annotations

import shutil
from pathlib import Path

from image.make.board import IMAGE_BUILD, Board
from image.make.debian import RELEASE, RELEASES, explained
from image.setup.debian import wanted
from image.setup.mirror import repositories
from image.setup.paths import TREE
from image.setup.running import digest, run

MAKING_TIMEOUT_S = 1800  # 90 MB of packages on a slow line


def packages(board: Board) -> Path:
    return TREE / "image" / f"kit-packages-{board.name}.txt"


def starters_at(board: Board) -> Path:
    """Below which the packages lie whose files are on the boot partition: this machine's own for a PC.

    Raises: SetupFailed."""
    return kit(board) if board.raspberry else Path("/")


def kit(board: Board) -> Path:
    """The folder, made unless it is there. Raises: SetupFailed."""
    folder = IMAGE_BUILD / f"kit-{board.name}-{digest(packages(board))[:12]}"
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    names = wanted(packages(board).read_text())
    sources = [each.line for each in repositories(*RELEASES, components="main non-free-firmware")]
    command: list[str | Path] = [
        "mmdebstrap", "--mode=root", "--variant=extract", "--format=directory", f"--architectures={board.name}",
        f"--include={','.join(names)}", RELEASE, part, *sources,
    ]  # fmt: skip
    with explained("what the image is built with"):
        run(command, timeout_s=MAKING_TIMEOUT_S)
    part.rename(folder)
    return folder
