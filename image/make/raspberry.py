"""What a Raspberry Pi starts with, before GRUB: the program of its graphics processor, U-Boot, and the kernel's
descriptions of the models. A PC has all that in its mainboard."""

from __future__ import annotations

from pathlib import Path

from image.setup.paths import TREE
from image.setup.running import SetupFailed

CONFIG = TREE / "image" / "boot" / "config.txt"
FIRMWARE = ("bootcode.bin", "fixup.dat", "fixup4.dat", "start.elf", "start4.elf")


def first_programs(kit: Path, root: Path) -> list[Path]:
    """Files of the top folder of the boot partition. `root`: where the kernel's are. Raises: SetupFailed."""
    firmware = [kit / "usr/lib/raspi-firmware" / name for name in FIRMWARE]
    models = sorted(root.glob("usr/lib/linux-image-*/broadcom/bcm2*-rpi-*.dtb"))
    found = [*firmware, kit / "usr/lib/u-boot/rpi_arm64/u-boot.bin", *models, CONFIG]
    if missing := [file.name for file in found if not file.is_file()] or ([] if models else ["bcm2*.dtb"]):
        raise SetupFailed(f"Debian's packages have no {', '.join(missing)} any more, which a Raspberry Pi starts with")
    return found
