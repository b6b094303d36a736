"""The disk: a plain MBR that every machine reads, the boot partition with GRUB, two slots, and a small data partition
that grows at the first start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from image.make.board import IMAGE_BUILD, Board, image_of
from image.make.kit import starters_at
from image.make.parts import LICENCES
from image.make.raspberry import first_programs
from image.make.root import SLOT_MIB, root_of
from image.setup.paths import TREE
from image.setup.running import run

BOOT = TREE / "image" / "boot"
BOOT_MIB = 128
DATA_MIB = 256
FIRST_MIB = 4  # before the first partition: what cards like to have aligned
STEP_TIMEOUT_S = 600
COMPRESS_TIMEOUT_S = 3600  # five minutes on two cores

_MODULES = (
    "part_msdos part_gpt fat ext2 normal linux configfile loadenv test regexp echo search search_fs_file sleep reboot "
    "halt boot minicmd true"
).split()
# Slot A runs and is good; B is empty until the first update. All five must be there, or RAUC finds a slot bad.
_GRUBENV = ("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0")


def make_disk(board: Board, slot: Path, epoch: int) -> Path:
    """Raises: SetupFailed."""
    disk = image_of(board)
    part = disk.with_suffix(".part")
    total_mib = FIRST_MIB + BOOT_MIB + 2 * SLOT_MIB + DATA_MIB
    part.unlink(missing_ok=True)
    with part.open("wb") as file:
        file.truncate(total_mib * 2**20)
    _partition(part)
    _put(part, _boot_partition(board, epoch), FIRST_MIB)
    _put(part, slot, FIRST_MIB + BOOT_MIB)
    _put(part, _data_partition(board, epoch), FIRST_MIB + BOOT_MIB + 2 * SLOT_MIB)
    part.rename(disk)
    return disk


def compressed(disk: Path) -> Path:
    """In the format that programs for writing cards read. Raises: SetupFailed."""
    packed = disk.with_name(f"{disk.name}.xz")
    run(["xz", "--keep", "--force", "--threads=0", disk], timeout_s=COMPRESS_TIMEOUT_S)
    return packed


def _partition(disk: Path) -> None:
    table = disk.with_suffix(".table")
    sizes = [(BOOT_MIB, "type=c, bootable"), (SLOT_MIB, "type=83"), (SLOT_MIB, "type=83"), (DATA_MIB, "type=83")]
    start, lines = FIRST_MIB, ["label: dos", "label-id: 0xc0ffee00", "unit: sectors"]
    for size, kind in sizes:
        lines.append(f"start={start}MiB, size={size}MiB, {kind}")
        start += size
    table.write_text("\n".join(lines) + "\n")
    run(["sh", "-c", 'sfdisk --quiet "$0" < "$1"', disk, table], timeout_s=STEP_TIMEOUT_S)
    table.unlink()


def _boot_partition(board: Board, epoch: int) -> Path:
    """Times and order of its files are always the same. Raises: SetupFailed."""
    image, folder = IMAGE_BUILD / f"boot-{board.name}.img", IMAGE_BUILD / f"boot-{board.name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if board.raspberry:
        for file in first_programs(starters_at(board), root_of(board)):
            shutil.copyfile(file, folder / file.name)
    for name in board.starters:
        _licence(board, name, folder / LICENCES)
    _grub(board, folder / "EFI" / "BOOT")
    image.unlink(missing_ok=True)
    with image.open("wb") as empty:
        empty.truncate(BOOT_MIB * 2**20)
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    run(["mkfs.vfat", "--invariant", "-F", "32", "-n", "DESKBELL", "-i", "c0ffee01", image], timeout_s=STEP_TIMEOUT_S)
    run(["mmd", "-i", image, "::EFI", "::EFI/BOOT", f"::{LICENCES}"], timeout_s=STEP_TIMEOUT_S)
    for each in sorted(path for path in folder.rglob("*") if path.is_file()):
        os.utime(each, (epoch, epoch))
        run(["mcopy", "-m", "-i", image, each, f"::{each.relative_to(folder)}"], timeout_s=STEP_TIMEOUT_S)
    return image


def _licence(board: Board, package: str, folder: Path) -> None:
    """Beside what it is the licence of: the root file system does not have these packages."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(starters_at(board) / "usr/share/doc" / package / "copyright", folder / f"{package}.txt")


def _grub(board: Board, folder: Path) -> None:
    """The boot loader, its settings and its counts."""
    folder.mkdir(parents=True)
    loader, grubenv, settings = folder / board.loader, folder / "grubenv", folder / "grub.cfg"
    modules = starters_at(board) / "usr/lib/grub" / board.grub
    run(["grub-mkimage", "-O", board.grub, "-d", modules, "-p", "/EFI/BOOT", "-c", BOOT / "embed.cfg", "-o", loader,
         *_MODULES], timeout_s=STEP_TIMEOUT_S)  # fmt: skip
    consoles = " ".join(f"console={each}" for each in board.consoles)
    settings.write_text((BOOT / "grub.cfg").read_text().replace("@CONSOLES@", consoles))
    run(["grub-editenv", grubenv, "create"], timeout_s=STEP_TIMEOUT_S)
    run(["grub-editenv", grubenv, "set", *_GRUBENV], timeout_s=STEP_TIMEOUT_S)


def _data_partition(board: Board, epoch: int) -> Path:
    """Blocks of 4 KiB from the start, which a file system this small would not take by itself: it grows."""
    image = IMAGE_BUILD / f"data-{board.name}.img"
    image.unlink(missing_ok=True)
    os.environ |= {"SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}
    identity = "6465736b-6265-6c6c-0000-000064617461"
    run(
        ["mke2fs", "-q", "-t", "ext4", "-O", "^orphan_file,^metadata_csum_seed", "-L", "deskbell-data", "-U", identity,
         "-b", "4096", "-i", "16384", "-m", "1", "-E", f"hash_seed={identity},root_owner=0:0", image, f"{DATA_MIB}M"],
        timeout_s=STEP_TIMEOUT_S,
    )  # fmt: skip
    return image


def _put(disk: Path, content: Path, at_mib: int) -> None:
    run(["dd", f"if={content}", f"of={disk}", "bs=1M", f"seek={at_mib}", "conv=notrunc,sparse", "status=none"],
        timeout_s=STEP_TIMEOUT_S)  # fmt: skip
