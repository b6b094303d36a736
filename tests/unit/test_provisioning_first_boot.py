"""The set-up code: how long it lives, and what the console says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.boot_partition import tell
from provisioning.console import Shown, looked, news
from provisioning.first_boot import forget_set_up_code, in_groups, set_up_code
from provisioning.identity import identity
from provisioning.passwords import Passwords
from provisioning.settings import Process

pytestmark = pytest.mark.unit


def test_the_code_stays_until_there_is_a_password_and_is_another_one_afterwards(tmp_path: Path) -> None:
    code = set_up_code(tmp_path)
    assert len(code) == 8
    assert code.isdigit()
    assert set_up_code(tmp_path) == code
    forget_set_up_code(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len({code, *_fresh_codes(tmp_path, 3)}) > 1


def _fresh_codes(folder: Path, count: int) -> list[str]:
    codes = []
    for _ in range(count):
        codes.append(set_up_code(folder))
        forget_set_up_code(folder)
    return codes


def test_only_its_owner_may_read_it_and_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    set_up_code(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("1234\x00")
    assert len(set_up_code(tmp_path)) == 8


async def test_a_password_ends_the_code(tmp_path: Path) -> None:
    passwords = Passwords(tmp_path)
    code = passwords.set_up_code
    assert passwords.is_set_up_code(in_groups(code))
    assert await passwords.set_first("three green frogs")
    assert not passwords.is_set_up_code(code)
    assert _names(tmp_path) == ["password"]


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_while_a_set_up_file_is_used_the_console_shows_no_code(tmp_path: Path) -> None:
    """It may hold the password; if it cannot be used, the code is the way in again."""
    process = Process(admin_folder=tmp_path, boot_folder=tmp_path)
    identity(tmp_path, ["deskbell"], [])
    file = tmp_path / "deskbell-setup.toml"
    file.touch()
    assert looked(process).code == ""
    tell(process, file, "It was not used.")
    assert looked(process).code == set_up_code(tmp_path)
    file.unlink()
    assert looked(process).code == set_up_code(tmp_path)


def test_people_read_it_in_groups() -> None:
    assert in_groups("12345678") == "1234 5678"


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (Shown(), Shown("AA", "12345678"), ["Its certificate", "Set-up code: 1234 5678"]),
        (Shown("AA", "12345678"), Shown("AA", "12345678"), []),
        (Shown("AA", "12345678"), Shown("AA"), []),
        (Shown("AA"), Shown("AA", "87654321"), ["Set-up code: 8765 4321"]),
        (Shown("AA"), Shown("BB"), ["The page has a new certificate"]),
    ],
)
def test_the_console_says_what_is_new(before: Shown, now: Shown, said: list[str]) -> None:
    lines = list(news(before, now))
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))
