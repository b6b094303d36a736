"""`python -m image.make image BOARD`, `... bundle VERSION`: a disk image or an update bundle, from nothing, as root."""

from __future__ import annotations

import argparse
import os
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from image.make.board import IMAGE_BUILD, Board, board
from image.make.bundle import checked_version, list_version, make_bundle
from image.make.debian import debian_archive
from image.make.disk import compressed, make_disk
from image.make.engines import ENGINES
from image.make.foreign import run_foreign_programs
from image.make.keys import signer
from image.make.parts import parts_of, write_parts
from image.make.root import make_root, slot_image
from image.setup import debian
from image.setup.paths import TREE
from image.setup.running import SetupFailed, run

T = TypeVar("T")


def main() -> int:
    arguments = _arguments()
    try:
        wanted, version = board(arguments.board), checked_version(arguments.version)
        _prepare(arguments.what, wanted)
        if arguments.what == "bundle":
            _bundle(wanted, version, arguments.engines)
        else:
            _image(wanted, version, arguments.engines, compress=arguments.compress)
    except SetupFailed as fault:
        print(f"No {arguments.what} was made: {fault}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just", description="Make the disk image of a Deskbell box, or an update.")
    kinds = parser.add_subparsers(dest="what", required=True)
    image = kinds.add_parser("image", help="the disk image for a board")
    image.add_argument("board")
    image.add_argument("--version", default=_version(), help="what it calls itself (default: %(default)s)")
    image.add_argument("--compress", action="store_true", help="also as a file to give away (.img.xz)")
    bundle = kinds.add_parser("bundle", help="the signed update to a version")
    bundle.add_argument("version")
    bundle.add_argument("--board", default="amd64")
    for each in (image, bundle):
        each.add_argument(
            "--with",
            dest="engines",
            action="append",
            default=[],
            choices=ENGINES,
            help="also the engine of neural packs (docs/speech-packs.md); an update without it takes it away",
        )
    return parser.parse_args()


def _prepare(what: str, wanted: Board) -> None:
    """Raises: SetupFailed."""
    if os.geteuid() != 0:
        raise SetupFailed(f"that needs root, since its files belong to several users. Run: sudo just {what} ...")
    for tools in wanted.tools:
        if missing := debian.missing(tools):
            _step("tools that are missing", partial(debian.install, missing, tools))
    if wanted.foreign:
        run_foreign_programs(wanted)
    IMAGE_BUILD.mkdir(parents=True, exist_ok=True)


def _image(wanted: Board, version: str, engines: Sequence[str], *, compress: bool) -> None:
    """Raises: SetupFailed."""
    epoch = _epoch()
    slot = _slot(wanted, version, epoch, engines)
    disk = _step("disk", lambda: make_disk(wanted, slot, epoch))
    _tell(disk, version)
    if compress:
        _tell(_step("compressed", lambda: compressed(disk)), version)


def _bundle(wanted: Board, version: str, engines: Sequence[str]) -> None:
    """Raises: SetupFailed."""
    slot, by = _slot(wanted, version, _epoch(), engines), signer()
    bundle = _step("signed bundle", lambda: make_bundle(wanted, slot, version, by))
    _tell(bundle, version)
    print(
        f"{list_version(wanted, bundle, version).relative_to(TREE)}: for boxes that ask daily; put both on one server"
    )


def _slot(wanted: Board, version: str, epoch: int, engines: Sequence[str]) -> Path:
    """Raises: SetupFailed."""
    archive = _step("Debian", lambda: debian_archive(wanted, epoch))
    root = _step("root file system", lambda: make_root(wanted, archive, version, epoch, engines))
    _step("list of its parts", lambda: write_parts(wanted, parts_of(wanted, root, archive), version, epoch))
    return _step("slot", lambda: slot_image(wanted, root, epoch))


def _tell(made: Path, version: str) -> None:
    print(f"{made.relative_to(TREE)}: {made.stat().st_size // 2**20} MiB, version {version}")


def _step(name: str, do: Callable[[], T]) -> T:
    began = time.monotonic()
    print(f"image: {name} ...", flush=True)
    made = do()
    print(f"image: {name} took {time.monotonic() - began:.0f} s", flush=True)
    return made


def _version() -> str:
    return str(tomllib.loads((TREE / "pyproject.toml").read_text())["project"]["version"])


def _epoch() -> int:
    """No file is younger than the commit that it was made of. Raises: SetupFailed."""
    return int(run(["git", "log", "-1", "--format=%ct"], timeout_s=60))


if __name__ == "__main__":
    sys.exit(main())
