"""What differs between the machines that an image is for."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from image.setup.paths import BUILD, TREE
from image.setup.running import SetupFailed

IMAGE_BUILD = BUILD / "image"


@dataclass(frozen=True, slots=True)
class Board:
    """`name`: ours, and Debian's for the processor; `machine`: the kernel's for it. `kernel`: Debian's package. `grub`:
    the format of GRUB's program, and the name that UEFI looks for. `compatible`: RAUC refuses a bundle that names
    another one. `consoles`: the kernel's, the one that the box speaks on last. Lists of Debian packages: `tools`, for
    the machine that makes the image; `starters`, whose files are on the boot partition. `raspberry`: Raspberry Pis
    start from it too."""

    name: str
    machine: str
    kernel: str
    grub: str
    loader: str
    consoles: tuple[str, ...]
    tools: tuple[Path, ...]
    starters: tuple[str, ...]
    raspberry: bool = False

    @property
    def compatible(self) -> str:
        return f"deskbell-{self.name}"

    @property
    def foreign(self) -> bool:
        """Its programs run here by emulation at most, and what is compiled for it is so by a cross compiler."""
        return self.machine != platform.machine()

    @property
    def lines(self) -> tuple[str, ...]:
        """Devices of the serial consoles."""
        return tuple(console.partition(",")[0] for console in self.consoles if "," in console)


_TOOLS = TREE / "image" / "make-packages.txt"
AMD64 = Board(
    name="amd64",
    machine="x86_64",
    kernel="linux-image-amd64",
    grub="x86_64-efi",
    loader="BOOTX64.EFI",
    consoles=("ttyS0,115200", "tty0"),
    tools=(_TOOLS,),
    starters=("grub-efi-amd64-bin",),
)
ARM64 = Board(
    name="arm64",
    machine="aarch64",
    kernel="linux-image-arm64",
    grub="arm64-efi",
    loader="BOOTAA64.EFI",
    consoles=("ttyAMA0,115200", "ttyS1,115200", "tty0"),  # ttyS1 is on the pins of a Raspberry Pi
    tools=(_TOOLS, TREE / "image" / "make-packages-arm64.txt"),
    starters=("grub-efi-arm64-bin", "raspi-firmware", "u-boot-rpi"),
    raspberry=True,
)
BOARDS = {each.name: each for each in (AMD64, ARM64)}


def image_of(board: Board) -> Path:
    return IMAGE_BUILD / f"deskbell-{board.name}.img"


def board(name: str) -> Board:
    """Raises: SetupFailed for one that there is no recipe for."""
    if name not in BOARDS:
        raise SetupFailed(f'there is no board "{name}": there are {" and ".join(BOARDS)}')
    return BOARDS[name]
