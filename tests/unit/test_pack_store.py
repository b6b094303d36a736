"""Packs in the data folder, on disks that fail: what the owner is told, and that the telephone goes on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from firmware.packs import program
from firmware.packs.store import Packs
from models.neural.pack_file import PackFault

pytestmark = pytest.mark.unit


def fails_with(code: int) -> object:
    def fails(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fails


async def test_what_a_power_cut_left_is_gone_after_the_next_start(tmp_path: Path) -> None:
    packs = Packs(tmp_path / "packs")
    await packs.receive(0, b"the beginning of a pack")
    assert list((tmp_path / "packs").iterdir())
    await Packs(tmp_path / "packs").tidy()
    assert list((tmp_path / "packs").iterdir()) == []


async def test_a_box_without_packs_has_nothing_to_tidy(tmp_path: Path) -> None:
    await Packs(tmp_path / "packs").tidy()
    assert not (tmp_path / "packs").exists()


@pytest.mark.parametrize(
    ("code", "told"), [(errno.ENOSPC, "Delete old sessions or other packs"), (errno.EIO, "(Input/output error)")]
)
async def test_a_disk_that_takes_nothing_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, told: str
) -> None:
    monkeypatch.setattr(os, "fchmod", fails_with(code))
    with pytest.raises(PackFault) as fault:
        await Packs(tmp_path / "packs").receive(0, b"x")
    assert str(fault.value).endswith(told)


async def test_a_card_that_became_read_only_ends_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a fault of the pack's: anything else would end the process that answers calls."""
    packs = Packs(tmp_path / "packs")
    await packs.receive(0, b"x")
    monkeypatch.setattr(Path, "unlink", fails_with(errno.EROFS))
    with pytest.raises(PackFault, match="Read-only file system"):
        await packs.take()
    await packs.tidy()


def test_an_engine_that_dies_is_started_again_ever_more_seldom() -> None:
    assert [program._retry_s(tries) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert program._retry_s(100_000) == program.LONGEST_RETRY_S
