"""`python -m image.flash DEVICE`: asks, writes, and reads it all again. Needs root."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from image.flash.card import described, disk_at, refusal
from image.make.board import AMD64, BOARDS, Board, image_of

CHUNK_BYTES = 4 * 2**20  # what cards write well


class NotFlashed(Exception):
    """Nothing usable is on the card. The text says why, and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="just flash", description="Write the image to a card. All on it is lost.")
    parser.add_argument("device", help="the whole card, such as /dev/sdb")
    parser.add_argument("--board", choices=list(BOARDS), default=AMD64.name, help="whose image (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        _flash(arguments.device, BOARDS[arguments.board])
    except NotFlashed as fault:
        print(f"Nothing was written: {fault}.", file=sys.stderr)
        return 1
    except OSError as fault:
        print(f"The card is not usable: {fault.strerror}. Try again, or take another card.", file=sys.stderr)
        return 1
    return 0


def _flash(device: str, board: Board) -> None:
    """Raises: NotFlashed, OSError."""
    image = image_of(board)
    if not image.is_file():
        raise NotFlashed(f"there is no image {image.name}. Make it with: just image {board.name}")
    disk = disk_at(device)
    if isinstance(disk, str):
        raise NotFlashed(disk)
    if why := refusal(disk, image.stat().st_size):
        raise NotFlashed(why)
    print(f"Everything on {described(disk)} will be lost.")
    if not _agreed(disk.name):
        raise NotFlashed("you did not agree")
    write(image, Path("/dev") / disk.name, _show)
    print("\nWritten, and read again: take the card out.")


def _agreed(name: str) -> bool:
    try:
        return input(f"Type {name} to go on: ").strip() == name
    except EOFError:  # nobody is there to ask
        return False


def write(image: Path, device: Path, show: Callable[[str, float], None]) -> None:
    """`show` is told what is done, and how much of it. Raises: NotFlashed, OSError."""
    total = image.stat().st_size
    # O_EXCL on a disk: refused while something of it is mounted.
    target = os.open(device, os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if device.is_block_device() else 0))
    try:
        written = _copy(image, target, lambda done: show("written", done / total))
        os.fsync(target)
        os.posix_fadvise(target, 0, 0, os.POSIX_FADV_DONTNEED)  # from the card, not from memory
        os.lseek(target, 0, os.SEEK_SET)
        if _digest(target, total, lambda done: show("read", done / total)) != written:
            raise NotFlashed("what was read from the card is not what was written to it: take another card")
    finally:
        os.close(target)


def _copy(image: Path, target: int, told: Callable[[int], None]) -> str:
    digest, done = hashlib.sha256(), 0
    with image.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
            done += len(chunk)
            told(done)
    return digest.hexdigest()


def _digest(target: int, total: int, told: Callable[[int], None]) -> str:
    digest, done = hashlib.sha256(), 0
    while done < total and (chunk := os.read(target, min(CHUNK_BYTES, total - done))):
        digest.update(chunk)
        done += len(chunk)
        told(done)
    return digest.hexdigest()


def _show(what: str, share: float) -> None:
    print(f"\r{what}: {share:4.0%}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
