"""Is this a card? What the kernel tells of a disk, and why it is refused. `root` stands for / in tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GB = 10**9
LARGEST_BYTES = 300 * GB
"""Cards for a box have 8 to 256 GB. Whatever is larger is more likely somebody's backup disk."""


@dataclass(frozen=True, slots=True)
class Disk:
    """`used_as`: where it, or a part of it, is mounted, or "swap"."""

    name: str
    size_bytes: int
    removable: bool
    read_only: bool
    model: str
    used_as: tuple[str, ...]


def disk_at(device: str, root: Path = Path("/")) -> Disk | str:
    """What is behind /dev/sdb, or why that is no disk."""
    name = (root / device.lstrip("/")).resolve().name
    folder = root / "sys/class/block" / name
    if not folder.exists():
        return f"there is no disk {device}. `lsblk` lists those that there are"
    if (folder / "partition").exists():
        return f"{device} is a part of a disk. Name the whole disk, without the number at its end"
    return Disk(
        name=name,
        size_bytes=int(_told(folder / "size") or 0) * 512,
        removable=_told(folder / "removable") == "1" or _told(folder / "device/type") == "SD",
        read_only=_told(folder / "ro") == "1",
        model=" ".join(filter(None, (_told(folder / "device/vendor"), _told(folder / "device/model")))),
        used_as=tuple(_uses(name, root)),
    )


def refusal(disk: Disk, image_bytes: int) -> str:
    """Why nothing is written to it; empty if it may be."""
    if not disk.removable:
        return f"{disk.name} is not a removable disk: it may be the one that this computer runs from"
    if disk.used_as:
        return f"{disk.name} is in use ({', '.join(disk.used_as)}). Eject it on the desktop, or unmount it"
    if disk.read_only:
        return f"{disk.name} cannot be written to: move the switch on the side of the card, or of its adapter"
    if disk.size_bytes < image_bytes:
        return f"{disk.name} is too small: it has {_gb(disk.size_bytes)}, and the image needs {_gb(image_bytes)}"
    if disk.size_bytes > LARGEST_BYTES:
        return f"{disk.name} has {_gb(disk.size_bytes)}: that is no card for a box, and what is on it would be lost"
    return ""


def described(disk: Disk) -> str:
    return f"{disk.name} ({_gb(disk.size_bytes)}{', ' if disk.model else ''}{disk.model})"


def _uses(name: str, root: Path) -> list[str]:
    parts = {f"/dev/{each.name}" for each in (root / "sys/class/block" / name).glob(f"{name}*")} | {f"/dev/{name}"}
    mounts = [line.split() for line in _told(root / "proc/mounts").splitlines()]
    swaps = [line.split()[0] for line in _told(root / "proc/swaps").splitlines()[1:]]
    held = [each for part in parts for each in (root / "sys/class/block" / Path(part).name / "holders").glob("*")]
    found = [mount[1] for mount in mounts if mount[0] in parts] + ["swap" for each in swaps if each in parts]
    return found + [each.name for each in held]


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / GB:.1f} GB"


def _told(file: Path) -> str:
    """Empty for what this disk does not tell."""
    return file.read_text().strip() if file.is_file() else ""
