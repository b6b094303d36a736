"""Data that comes into another machine says so, until somebody says that it is meant to."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.board.home import FILE, Home

pytestmark = pytest.mark.unit

ONE, OTHER, ADDED = "b8:27:eb:00:00:01", "b8:27:eb:00:00:02", "00:e0:4c:00:00:03"


def machine(root: Path, *cards: str, assigned: str = "0") -> Path:
    for number, address in enumerate(cards):
        card = root / f"sys/class/net/eth{number}"
        (card / "device").mkdir(parents=True)
        (card / "address").write_text(f"{address}\n")
        (card / "addr_assign_type").write_text(f"{assigned}\n")
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_where_it_was_set_up_it_is_at_home(data: Path, tmp_path: Path) -> None:
    root = machine(tmp_path / "one", ONE)
    assert Home(data, root).left == ()
    assert Home(data, root).left == ()


def test_in_another_machine_it_is_not_until_somebody_says_so(data: Path, tmp_path: Path) -> None:
    Home(data, machine(tmp_path / "one", ONE))
    other = machine(tmp_path / "other", OTHER)
    moved = Home(data, other)
    assert moved.left == (ONE,)
    assert Home(data, other).left == (ONE,), "a restart changes nothing"
    moved.settle()
    assert not moved.left
    assert Home(data, other).left == ()


def test_a_card_that_is_added_or_taken_away_makes_no_other_machine(data: Path, tmp_path: Path) -> None:
    Home(data, machine(tmp_path / "one", ONE, OTHER))
    assert Home(data, machine(tmp_path / "less", OTHER, ADDED)).left == ()


@pytest.mark.parametrize("assigned", ["1", "3"])
def test_addresses_that_were_made_up_tell_nothing(data: Path, tmp_path: Path, assigned: str) -> None:
    Home(data, machine(tmp_path / "one", ONE))
    assert Home(data, machine(tmp_path / "other", OTHER, assigned=assigned)).left == ()


def test_a_machine_without_cards_says_nothing(data: Path, tmp_path: Path) -> None:
    assert Home(data, tmp_path).left == ()
    assert not (data / FILE).exists()


@pytest.mark.parametrize("damage", [b"", b"[", b"{}", b"\xff"])
def test_a_damaged_note_is_made_anew(data: Path, tmp_path: Path, damage: bytes) -> None:
    (data / FILE).write_bytes(damage)
    root = machine(tmp_path / "one", ONE)
    assert Home(data, root).left == ()
    assert Home(data, machine(tmp_path / "other", OTHER)).left == (ONE,)
