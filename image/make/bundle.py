"""An update bundle: the content of a slot, its version and board, signed. Verity format, whose signature covers all."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from image.make.board import IMAGE_BUILD, Board
from image.make.keys import Signer
from image.make.root import OVERLAY
from image.setup.running import SetupFailed, last_lines, run

SETTINGS = OVERLAY / "etc" / "rauc" / "system.conf"
"""What a key must be good for stands there."""

BUNDLING_TIMEOUT_S = 900
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}")


def checked_version(version: str) -> str:
    """Three numbers, so that a box can tell which one is older. Raises: SetupFailed."""
    if not _VERSION.fullmatch(version):
        raise SetupFailed(f'"{version}" is not a version: write three numbers with dots, such as 1.4.0')
    return version


def make_bundle(board: Board, slot: Path, version: str, by: Signer) -> Path:
    """Raises: SetupFailed."""
    bundle = IMAGE_BUILD / f"deskbell-{board.name}-{version}.raucb"
    content = IMAGE_BUILD / "bundle"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    os.link(slot, content / "rootfs.img")
    (content / "manifest.raucm").write_text(manifest(board, version))
    seal(content, bundle, by)
    shutil.rmtree(content)
    return bundle


def list_version(board: Board, bundle: Path, version: str) -> Path:
    """What boxes that are told to ask daily read, beside the bundle: of each board the version that was made last."""
    listing = IMAGE_BUILD / "deskbell-versions.json"
    listed = json.loads(listing.read_text()) if listing.exists() else {}
    listed[board.name] = {"version": version, "file": bundle.name}
    listing.write_text(json.dumps(listed, indent=2, sort_keys=True) + "\n")
    return listing


def manifest(board: Board, version: str) -> str:
    return (
        f"[update]\ncompatible={board.compatible}\nversion={version}\n\n"
        "[bundle]\nformat=verity\n\n[image.rootfs]\nfilename=rootfs.img\n"
    )


def seal(content: Path, bundle: Path, by: Signer, effort: int = 15) -> None:
    """Sign what lies in `content`, packed with an `effort` of 1 to 22. Raises: SetupFailed."""
    part = bundle.with_suffix(".part.raucb")
    part.unlink(missing_ok=True)
    trusted = [f"--conf={SETTINGS}", f"--cert={by.certificate}", f"--key={by.key}", f"--keyring={by.keyring}"]
    try:
        run(
            ["rauc", "bundle", *trusted,
             f"--mksquashfs-args=-comp zstd -Xcompression-level {effort} -processors 1 -quiet", content, part],
            timeout_s=BUNDLING_TIMEOUT_S,
        )  # fmt: skip
    except SetupFailed as fault:
        raise SetupFailed(f"rauc could not make the bundle:\n{last_lines(str(fault))}") from fault
    part.rename(bundle)
