"""A set-up file on the boot partition: carried to the page and back by the image's own program, in its own root; and
once on a box that starts, from the card to a page that knows the password."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import trio

from tests.image.machine import LOOK_S, Machine, disk_of, machine, put_on_boot_partition, trusted
from tests.image.owner import BOOT_S, PROVEN_S, Owner
from tests.image.subject import ROOT
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

NAME, ERRORS = "deskbell-setup.toml", "deskbell-setup-errors.txt"
TEXT = b'[page]\npassword = "correct horse battery"\n'
_BOX = """
for folder in card page run; do mkdir -p "$1/$folder"; done
mount -t tmpfs none "$0/run"; mkdir "$0/run/deskbell-boot" "$0/run/deskbell-carried"
mount --bind "$1/card" "$0/boot/efi"; mount --bind "$1/page" "$0/run/deskbell-boot"
mount --bind "$1/run" "$0/run/deskbell-carried"
mount -t tmpfs none "$0/dev"; touch "$0/dev/zero"; mount --bind /dev/zero "$0/dev/zero"
exec chroot "$0" /usr/lib/deskbell-boot/carry-set-up-file
"""


class Card:
    """Beside it the folder in which the page works."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.card, self.page = folder, folder / "card", folder / "page"
        self.card.mkdir()
        self.page.mkdir()

    def carries(self) -> str:
        told = self.runs()
        assert told.returncode == 0, told.stderr
        return told.stdout

    def runs(self) -> subprocess.CompletedProcess[str]:
        asked = ["unshare", "--mount", "sh", "-euc", _BOX, str(ROOT), str(self.folder)]
        return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


@pytest.mark.parametrize("name", [NAME, f"{NAME}.txt"])
def test_one_that_is_used_is_written_over_and_removed(card: Card, name: str) -> None:
    (card.card / name).write_bytes(TEXT)
    (card.folder / "kept").hardlink_to(card.card / name)
    card.carries()
    copy = card.page / name
    assert (copy.read_bytes(), copy.stat().st_mode & 0o777, copy.stat().st_uid) == (TEXT, 0o600, 901)
    card.carries()
    assert (card.card / name).read_bytes() == TEXT, "the page has not used it yet"
    copy.unlink()
    assert "was used" in card.carries()
    assert not (card.card / name).exists()
    assert (card.folder / "kept").read_bytes() == b"#" * len(TEXT)
    assert list(card.page.iterdir()) == []


def test_what_is_wrong_with_it_is_told_beside_it(card: Card) -> None:
    (card.card / NAME).write_bytes(TEXT)
    card.carries()
    (card.page / ERRORS).write_bytes(b"Line 2: too short.\r\n")
    card.carries()
    assert (card.card / ERRORS).read_bytes() == b"Line 2: too short.\r\n"
    assert (card.card / NAME).read_bytes() == TEXT


def test_the_page_cannot_have_other_files_told(card: Card) -> None:
    (card.page / ERRORS).symlink_to("/etc/shadow")
    assert "Too many levels of symbolic links" in card.runs().stderr
    assert not (card.card / ERRORS).exists()


def test_one_that_is_too_large_is_not_carried(card: Card) -> None:
    (card.card / NAME).write_bytes(bytes(2**20 + 1))
    card.carries()
    assert list(card.page.iterdir()) == []
    assert b"larger than 1 MB" in (card.card / ERRORS).read_bytes()


def test_no_file_is_no_matter(card: Card) -> None:
    assert card.carries() == ""
    assert list(card.card.iterdir()) == []


async def test_a_box_that_starts_with_one(tmp_path: Path) -> None:
    """Nobody looks at its console: whoever wrote the file knows the password."""
    disk_of(tmp_path)
    file = tmp_path / NAME
    file.write_text(f'[page]\npassword = "{PASSWORD}"\n')
    put_on_boot_partition(tmp_path, file, NAME)
    async with machine(tmp_path) as box:
        await box.said(r"SHA-256 fingerprint:\n\s+(\S+)", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            await Owner(browser, box).sees(BOOT_S, "A (runs)")
            await _removed(box)


async def _removed(box: Machine) -> None:
    with trio.fail_after(PROVEN_S):
        while True:
            if NAME not in box.on_boot_partition():
                return
            await trio.sleep(LOOK_S)
