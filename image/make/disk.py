"""The disk: a plain MBR that every machine reads, the boot partition with GRUB, two slots, and a small data partition
that grows at the first start."""

from __future__ import annotations

import os
from pathlib import Path

from image.make.board import IMAGE_BUILD, Board
from image.make.root import SLOT_MIB
from image.setup.paths import TREE
from image.setup.running import run

BOOT = TREE / "image" / "boot"
BOOT_MIB = 128
DATA_MIB = 256
FIRST_MIB = 4  # before the first partition: what cards like to have aligned
STEP_TIMEOUT_S = 600

_MODULES = (
    "part_msdos part_gpt fat ext2 normal linux configfile loadenv test regexp echo search search_fs_file sleep reboot "
    "halt boot minicmd true"
).split()
# Slot A runs and is good; B is empty until the first update. All five must be there, or RAUC finds a slot bad.
_GRUBENV = ("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0")


def make_disk(board: Board, slot: Path, epoch: int) -> Path:
    """Raises: SetupFailed."""
    disk = IMAGE_BUILD / f"deskbell-{board.name}.img"
    part = disk.with_suffix(".part")
    total_mib = FIRST_MIB + BOOT_MIB + 2 * SLOT_MIB + DATA_MIB
    part.unlink(missing_ok=True)
    with part.open("wb") as file:
        file.truncate(total_mib * 2**20)
    _partition(part)
    _put(part, _boot_partition(board, epoch), FIRST_MIB)
    _put(part, slot, FIRST_MIB + BOOT_MIB)
    _put(part, _data_partition(epoch), FIRST_MIB + BOOT_MIB + 2 * SLOT_MIB)
    part.rename(disk)
    return disk


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
    image, folder = IMAGE_BUILD / f"boot-{board.name}.img", IMAGE_BUILD / f"boot-{board.name}"
    folder.mkdir(exist_ok=True)
    loader, grubenv, settings = folder / board.loader, folder / "grubenv", folder / "grub.cfg"
    for each in (image, grubenv):
        each.unlink(missing_ok=True)
    run(["grub-mkimage", "-O", board.grub, "-p", "/EFI/BOOT", "-c", BOOT / "embed.cfg", "-o", loader, *_MODULES],
        timeout_s=STEP_TIMEOUT_S)  # fmt: skip
    consoles = " ".join(f"console={each}" for each in board.consoles)
    settings.write_text((BOOT / "grub.cfg").read_text().replace("@CONSOLES@", consoles))
    run(["grub-editenv", grubenv, "create"], timeout_s=STEP_TIMEOUT_S)
    run(["grub-editenv", grubenv, "set", *_GRUBENV], timeout_s=STEP_TIMEOUT_S)
    with image.open("wb") as file:
        file.truncate(BOOT_MIB * 2**20)
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    run(["mkfs.vfat", "--invariant", "-F", "32", "-n", "DESKBELL", "-i", "c0ffee01", image], timeout_s=STEP_TIMEOUT_S)
    run(["mmd", "-i", image, "::EFI", "::EFI/BOOT"], timeout_s=STEP_TIMEOUT_S)
    for each in (loader, settings, grubenv):
        os.utime(each, (epoch, epoch))
        run(["mcopy", "-m", "-i", image, each, f"::EFI/BOOT/{each.name}"], timeout_s=STEP_TIMEOUT_S)
    return image


def _data_partition(epoch: int) -> Path:
    """Blocks of 4 KiB from the start, which a file system this small would not take by itself: it grows."""
    image = IMAGE_BUILD / "data.img"
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
