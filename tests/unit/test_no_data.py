"""What a box says whose data partition cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image.make.disk import BOOT_MIB, DATA_MIB, FIRST_MIB
from image.make.root import SLOT_MIB
from provisioning.no_data import Card, card, page, reason

pytestmark = pytest.mark.unit

IMAGE = (FIRST_MIB + BOOT_MIB + 2 * SLOT_MIB + DATA_MIB) * 2**20


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Card(IMAGE - 512, has_data=False), "too small"),
        (Card(IMAGE - 512, has_data=True), "too small"),
        (Card(IMAGE, has_data=False), "table of partitions"),
        (Card(IMAGE, has_data=True), "worn out"),
        (Card(0, has_data=True), "worn out"),
    ],
)
def test_why_and_what_to_do(found: Card, words: str) -> None:
    why, remedy = reason(found)
    assert words in why
    assert "backup" in remedy
    assert why in page(found).decode()


def _told(sys_folder: Path, sectors: int, *partitions: str) -> Path:
    device = Path("/").stat().st_dev
    disk = sys_folder / "devices/vda"
    for number in partitions:
        (disk / f"vda{number}").mkdir(parents=True)
        (disk / f"vda{number}/partition").write_text(f"{number}\n")
    (disk / "size").write_text(f"{sectors}\n")
    (sys_folder / "dev/block").mkdir(parents=True)
    (sys_folder / f"dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(disk / "vda2")
    return sys_folder


def test_what_the_kernel_tells(tmp_path: Path) -> None:
    assert card(sys_folder=_told(tmp_path / "small", 4_000_000, "1", "2", "3")) == Card(2_048_000_000, has_data=False)
    assert card(sys_folder=_told(tmp_path / "all", 8_000_000, "1", "2", "3", "4")) == Card(4_096_000_000, has_data=True)


def test_a_system_that_runs_from_no_partition(tmp_path: Path) -> None:
    assert card(sys_folder=tmp_path) == Card(0, has_data=True)
