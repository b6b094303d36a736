"""What is on the disk of a box whose plug was pulled, looked at from outside, without starting it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from firmware.update.trial import Trial, read_trial
from image.make.board import IMAGE_BUILD
from image.make.disk import BOOT_MIB, FIRST_MIB
from image.make.root import SLOT_MIB
from tests.image.subject import BOARD

SLOT_AT = {"A": FIRST_MIB + BOOT_MIB, "B": FIRST_MIB + BOOT_MIB + SLOT_MIB}
DATA_AT = FIRST_MIB + BOOT_MIB + 2 * SLOT_MIB
LOADER = (BOARD.loader, "grub.cfg")

_MENDED = 1
"""fsck's word for a file system that it left whole."""

_COMPARED = 2**20
_LINUX_KEEPS = 4096
"""Blocks of ext4 that no program gets while it is mounted, root's neither: a fiftieth, and no more than these."""


@dataclass(frozen=True, slots=True)
class Card:
    """`disk`: all of it."""

    disk: Path

    def counts(self) -> dict[str, str]:
        """What the boot loader reads next."""
        return dict(line.split("=", 1) for line in self._boot_file("grubenv").decode().splitlines() if "=" in line)

    def loader_is_whole(self) -> bool:
        made = IMAGE_BUILD / f"boot-{BOARD.name}" / "EFI" / "BOOT"
        return all(self._boot_file(name) == (made / name).read_bytes() for name in LOADER)

    def slot_is(self, name: str, content: Path) -> bool:
        """Byte for byte."""
        with self.disk.open("rb") as disk, content.open("rb") as wanted:
            disk.seek(SLOT_AT[name] * 2**20)
            while piece := wanted.read(_COMPARED):
                if disk.read(len(piece)) != piece:
                    return False
        return True

    def fill_data(self, folder: Path) -> None:
        """As programs other than root's can: to what is kept for that one, and for Linux itself."""
        with self._mended_data(folder) as part:
            told = _run("dumpe2fs", "-h", str(part)).decode()
            kept = _number(told, "Reserved block count") + min(_number(told, "Block count") // 50, _LINUX_KEEPS)
            blocks = _number(told, "Free blocks") - kept
            size = blocks * _number(told, "Block size")
            steps = folder / "steps"
            steps.write_text(
                f"write /dev/null ballast\nfallocate ballast 0 {blocks - 1}\nset_inode_field ballast size {size}\n"
            )
            _run("debugfs", "-w", "-f", str(steps), str(part))
            _run("dd", f"if={part}", f"of={self.disk}", "bs=1M", f"seek={DATA_AT}", "conv=notrunc", "status=none")

    @contextmanager
    def data(self, folder: Path) -> Iterator[Path]:
        """All that stays, as the box will find it: mended as at a start, where that is needed, in a copy. A file system
        that cannot be mended without somebody who decides fails."""
        with self._mended_data(folder) as part:
            there = folder / "data"
            there.mkdir(exist_ok=True)
            _run("debugfs", "-R", f"rdump / {there}", str(part))
            try:
                yield there
            finally:
                shutil.rmtree(there)

    @contextmanager
    def _mended_data(self, folder: Path) -> Iterator[Path]:
        part = folder / "data.img"
        _run("dd", f"if={self.disk}", f"of={part}", "bs=1M", f"skip={DATA_AT}", "conv=sparse", "status=none")
        mended = subprocess.run(["e2fsck", "-p", str(part)], capture_output=True, text=True, check=False)
        assert mended.returncode <= _MENDED, mended.stdout
        try:
            yield part
        finally:
            part.unlink()

    def data_file_system_bytes(self) -> int:
        told = _run("dumpe2fs", "-h", f"{self.disk}?offset={DATA_AT * 2**20}").decode()
        return _number(told, "Block count") * _number(told, "Block size")

    def _boot_file(self, name: str) -> bytes:
        boot = f"{self.disk}@@{FIRST_MIB}M"
        return _run("mcopy", "-n", "-i", boot, f"::EFI/BOOT/{name}", "-")


def note(data: Path) -> Trial | None:
    """Of the last update."""
    return read_trial(data / "update")


def connections(data: Path) -> list[str]:
    """Names of those that are stored, in a database that is whole."""
    with closing(sqlite3.connect(data / "phone/deskbell.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [name for (name,) in database.execute("SELECT name FROM connections")]


def has_table(data: Path, name: str) -> bool:
    """Whatever version made it."""
    with closing(sqlite3.connect(data / "phone/deskbell.sqlite")) as database:
        return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())


def _number(told: str, name: str) -> int:
    """Of what dumpe2fs tells."""
    found = re.search(rf"^{name}: +(\d+)$", told, re.MULTILINE)
    assert found, told
    return int(found[1])


def _run(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout
