"""What may be written over, and what may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from image.flash.__main__ import NotFlashed, write
from image.flash.card import GB, Disk, disk_at, refusal

pytestmark = pytest.mark.unit

CARD = Disk("sdb", 32 * GB, removable=True, read_only=False, model="Generic SD", used_as=())
IMAGE_BYTES = 2_500_000_000


def test_a_card_is_taken() -> None:
    assert refusal(CARD, IMAGE_BYTES) == ""


@pytest.mark.parametrize(
    ("disk", "why"),
    [
        (replace(CARD, removable=False), "not a removable disk"),
        (replace(CARD, used_as=("/media/photos",)), "/media/photos"),
        (replace(CARD, read_only=True), "cannot be written to"),
        (replace(CARD, size_bytes=2 * GB), "too small: it has 2.0 GB, and the image needs 2.5 GB"),
        (replace(CARD, size_bytes=0), "too small"),
        (replace(CARD, size_bytes=4000 * GB), "no card for a box"),
    ],
)
def test_what_is_refused(disk: Disk, why: str) -> None:
    assert why in refusal(disk, IMAGE_BYTES)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """One with a system disk in use, a card in a reader, and an SD slot."""
    for name, facts in {
        "sda": {"size": "1000000000", "removable": "0", "ro": "0", "device/model": "Big disk"},
        "sdb": {"size": "62333952", "removable": "1", "ro": "0", "device/vendor": "Generic", "device/model": "Reader"},
        "sdb/sdb1": {"partition": "1", "size": "1000", "ro": "0"},
        "mmcblk0": {"size": "31116288", "removable": "0", "ro": "1", "device/type": "SD"},
    }.items():
        for file, text in facts.items():
            where = tmp_path / "sys/class/block" / name / file
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(f"{text}\n")
    (tmp_path / "sys/class/block/sdb1").symlink_to("sdb/sdb1")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/mounts").write_text("/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /media/card vfat rw 0 0\n")
    (tmp_path / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    return tmp_path


def test_what_the_kernel_tells(machine: Path) -> None:
    assert disk_at("/dev/sdb", machine) == Disk("sdb", 31_914_983_424, True, False, "Generic Reader", ("/media/card",))
    assert disk_at("/dev/mmcblk0", machine) == Disk("mmcblk0", 15_931_539_456, True, True, "", ())
    assert isinstance(disk_at("/dev/sda", machine), Disk)


@pytest.mark.parametrize(("device", "why"), [("/dev/sdb1", "whole disk"), ("/dev/sdx", "there is no disk")])
def test_what_is_no_disk(machine: Path, device: str, why: str) -> None:
    found = disk_at(device, machine)
    assert isinstance(found, str)
    assert why in found


def test_all_of_it_is_written_and_nothing_behind_it(tmp_path: Path) -> None:
    image, card = tmp_path / "image", tmp_path / "card"
    image.write_bytes(bytes(range(256)) * 20_000)
    card.write_bytes(b"x" * 6_000_000)
    shown: list[tuple[str, float]] = []
    write(image, card, lambda what, share: shown.append((what, share)))
    assert card.read_bytes() == image.read_bytes() + b"x" * (6_000_000 - image.stat().st_size)
    assert [what for what, share in shown if share == 1] == ["written", "read"]


def test_a_card_that_forgets_is_told(tmp_path: Path) -> None:
    image, card = tmp_path / "image", tmp_path / "card"
    image.write_bytes(b"deskbell" * 1000)
    card.touch()

    def forget(what: str, share: float) -> None:
        if (what, share) == ("written", 1):
            card.write_bytes(b"")

    with pytest.raises(NotFlashed, match="another card"):
        write(image, card, forget)
