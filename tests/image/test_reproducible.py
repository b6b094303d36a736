"""Whoever makes the image again from the same packages gets the same one, byte for byte: what is given away can be
compared with what was published."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from image.make import root as making
from image.make.__main__ import _epoch
from image.make.board import IMAGE_BUILD
from tests.image.subject import BOARD

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

VERSION = "0.1.0"


def _made(folder: Path, debian: Path) -> tuple[str, dict[str, str]]:
    """The hash of a slot that was made in this folder, and of each file in it."""
    folder.mkdir()
    root = making.make_root(BOARD, debian, VERSION, _epoch())
    slot = making.slot_image(BOARD, root, _epoch())
    told = _digest(slot), {str(path.relative_to(root)): _told(path) for path in root.rglob("*")}
    shutil.rmtree(folder)
    return told


def _told(path: Path) -> str:
    facts = path.lstat()
    what = str(path.readlink()) if path.is_symlink() else _digest(path) if path.is_file() else ""
    return f"{facts.st_mode:o} {facts.st_uid} {facts.st_gid} {facts.st_mtime:.0f} {what}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_the_root_file_system_is_the_same_when_it_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a first stage of its own each time. The packages of the lock are taken as they were installed once."""
    debian = next(IMAGE_BUILD.glob(f"debian-{BOARD.name}-*[0-9a-f].tar"))
    slots, files = [], []
    for name in ("one", "other"):
        monkeypatch.setattr(making, "IMAGE_BUILD", tmp_path / name)
        slot, told = _made(tmp_path / name, debian)
        slots.append(slot)
        files.append(told)
    assert [path for path in files[0] | files[1] if files[0].get(path) != files[1].get(path)] == []
    assert slots[0] == slots[1]
