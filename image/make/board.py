"""What differs between the machines that an image is for."""

from __future__ import annotations

from dataclasses import dataclass

from image.setup.paths import BUILD
from image.setup.running import SetupFailed

IMAGE_BUILD = BUILD / "image"


@dataclass(frozen=True, slots=True)
class Board:
    """`kernel`: Debian's package. `grub`: the format of GRUB's program, and the name that UEFI looks for. `compatible`:
    RAUC refuses a bundle that names another one. `consoles`: the kernel's, the one that the box speaks on last."""

    name: str
    kernel: str
    grub: str
    loader: str
    consoles: tuple[str, ...]

    @property
    def compatible(self) -> str:
        return f"deskbell-{self.name}"


AMD64 = Board("amd64", "linux-image-amd64", "x86_64-efi", "BOOTX64.EFI", ("ttyS0,115200", "tty0"))
BOARDS = {AMD64.name: AMD64}
NOT_YET = {"arm64"}


def board(name: str) -> Board:
    """Raises: SetupFailed for one that there is no recipe for."""
    if name in BOARDS:
        return BOARDS[name]
    if name in NOT_YET:
        raise SetupFailed(f"there is no recipe for {name} yet: only {', '.join(BOARDS)} is built so far")
    raise SetupFailed(f'there is no board "{name}": only {", ".join(BOARDS)} is built so far')
