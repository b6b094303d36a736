"""Bundles for tests that install them: the slot of the image that was made, with some of its files changed in place, so
that no root file system has to be made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from image.make.bundle import manifest, seal
from image.make.keys import signer
from tests.image.subject import BOARD, SLOT

_QUICKLY = 1  # packing well takes minutes, and nobody downloads these


def bundle_with(
    folder: Path, version: str, changes: Mapping[str, bytes], kept: Path | None = None, effort: int = _QUICKLY
) -> bytes:
    """`changes`: what files hold instead, by their path on the box; they are there already. `kept`: where its slot is
    left, for whoever wants to know it again. `effort`: of packing."""
    content = folder / f"content-{version}"
    content.mkdir()
    slot, bundle = content / "rootfs.img", folder / f"{version}.raucb"
    slot_with(slot, {**changes, "etc/deskbell-release": _release(version)}, folder)
    (content / "manifest.raucm").write_text(manifest(BOARD, version))
    seal(content, bundle, signer(), effort)
    if kept:
        slot.rename(kept)
    shutil.rmtree(content)
    data = bundle.read_bytes()
    bundle.unlink()
    return data


def slot_with(slot: Path, changes: Mapping[str, bytes], folder: Path) -> None:
    """The content of a slot, as the file `slot`. `folder`: for what is needed to make it."""
    subprocess.run(["cp", "--sparse=always", str(SLOT), str(slot)], check=True)
    for path, data in changes.items():
        _put(slot, Path(path), data, folder)


def _release(version: str) -> bytes:
    return f"VERSION={version}\nBOARD={BOARD.name}\n".encode()


def _put(slot: Path, path: Path, data: bytes, folder: Path) -> None:
    """In place of the file that is there. debugfs takes the mode of the file it copies."""
    file, steps = folder / "file", folder / "steps"
    file.write_bytes(data)
    file.chmod(0o644)
    os.chown(file, 0, 0)
    steps.write_text(f"rm /{path}\ncd /{path.parent}\nwrite {file} {path.name}\n")
    told = subprocess.run(["debugfs", "-w", "-f", str(steps), str(slot)], capture_output=True, text=True, check=True)
    assert "not found" not in told.stderr, told.stderr
