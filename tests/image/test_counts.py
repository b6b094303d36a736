"""The boot loader's counts, damaged in several ways, and mended by the image's own program: with its own tools, in its
own root, at places of the test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.image.subject import ROOT

pytestmark = pytest.mark.image

WHOLE = {"ORDER": "A B", "A_OK": "1", "A_TRY": "2", "B_OK": "0", "B_TRY": "0"}
_BOX = """
mount -t tmpfs none "$0/proc"; mount -t tmpfs none "$0/dev"; mount -t tmpfs none "$0/boot/efi"
echo "ro rauc.slot=$1 quiet" > "$0/proc/cmdline"
touch "$0/dev/null"
mkdir -p "$0/dev/disk/by-partuuid" "$0/boot/efi/EFI/BOOT"
for slot in 02 03; do cp "$2/other" "$0/dev/disk/by-partuuid/c0ffee00-$slot"; done
[ ! -e "$2/grubenv" ] || cp "$2/grubenv" "$0/boot/efi/EFI/BOOT/grubenv"
chroot "$0" /usr/lib/deskbell-update/whole-counts >&2
ls "$0/boot/efi/EFI/BOOT" >&2
chroot "$0" grub-editenv /boot/efi/EFI/BOOT/grubenv list
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With an empty slot."""
    (tmp_path / "other").write_bytes(bytes(2**20))
    return tmp_path


def _after(folder: Path, slot: str) -> dict[str, str]:
    """The counts, after a start of this slot."""
    asked = ["unshare", "--mount", "sh", "-euc", _BOX, str(ROOT), slot, str(folder)]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    assert "grubenv.new" not in told.stderr
    return dict(line.split("=", 1) for line in told.stdout.splitlines())


def _counts(folder: Path, counts: dict[str, str]) -> None:
    file = str(folder / "grubenv")
    subprocess.run(["grub-editenv", file, "create"], check=True)
    subprocess.run(["grub-editenv", file, "set", *(f"{name}={value}" for name, value in counts.items())], check=True)


def test_whole_ones_stay(folder: Path) -> None:
    _counts(folder, WHOLE)
    assert _after(folder, "A") == WHOLE


@pytest.mark.parametrize("slot", ["A", "B"])
@pytest.mark.parametrize("left", [None, b"", bytes(1024), b"# GRUB Environment Block\nORDER=B A\n" + bytes(900)])
def test_what_runs_is_good_and_comes_first(folder: Path, slot: str, left: bytes | None) -> None:
    if left is not None:
        (folder / "grubenv").write_bytes(left)
    other = "B" if slot == "A" else "A"
    assert _after(folder, slot) == {
        "ORDER": f"{slot} {other}", f"{slot}_OK": "1", f"{slot}_TRY": "1", f"{other}_OK": "0", f"{other}_TRY": "0"
    }  # fmt: skip


@pytest.mark.parametrize("missing", WHOLE)
def test_one_that_is_missing_is_damage_too(folder: Path, missing: str) -> None:
    """RAUC takes a slot for bad then."""
    _counts(folder, {name: value for name, value in WHOLE.items() if name != missing})
    assert _after(folder, "A") == WHOLE | {"A_TRY": "1"}


def test_a_slot_with_a_system_can_be_gone_back_to(folder: Path) -> None:
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "deskbell", str(folder / "other")], check=True)
    counts = _after(folder, "B")
    assert (counts["A_OK"], counts["A_TRY"]) == ("1", "0")
