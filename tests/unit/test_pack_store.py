"""Packs in the data folder, on disks that fail: what the owner is told, and that the telephone goes on."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from app.speech_servers import SpeechFailed
from firmware.packs import open_pack, program, store
from firmware.packs.store import QUIET_S, Packs
from models.neural import engines
from models.neural.pack_file import PackFault, unpacked
from tests.office.neural_packs import description, packed
from tests.patience import PATIENCE_S

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


async def test_what_a_check_that_was_killed_left_is_gone_after_the_next_start(tmp_path: Path) -> None:
    """And the pack that it was about to replace is there: it was killed between the two."""
    files = {"tone.onnx": b"x"}
    unpacked(packed(tmp_path, description(files=files), files), tmp_path / "packs")
    (tmp_path / "packs" / "tone").rename(tmp_path / "packs" / ".tone.old")
    (tmp_path / "packs" / ".tone.part").mkdir()
    (tmp_path / "packs" / ".tone.part" / "tone.onnx").write_bytes(b"y")
    packs = Packs(tmp_path / "packs")
    await packs.tidy()
    assert [each.name for each in (tmp_path / "packs").iterdir()] == ["tone"]
    assert await packs.one("tone") == description(files=files)


async def test_what_a_check_that_took_too_long_left_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packs = Packs(tmp_path / "packs")
    await packs.receive(0, b"x")
    (tmp_path / "packs" / ".tone.part").mkdir()
    monkeypatch.setattr(store, "CHECK_S", 0.0)
    with pytest.raises(PackFault, match="the disk of the box is too slow for it"):
        await packs.take()
    assert list((tmp_path / "packs").iterdir()) == []


async def test_what_nobody_goes_on_with_is_forgotten(tmp_path: Path, mock_clock: MockClock) -> None:
    """A browser is closed in the middle: a gigabyte that nobody sees would stay until the next start."""
    packs = Packs(tmp_path / "packs")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(packs.run)
        await packs.receive(0, b"x")
        mock_clock.jump(0.9 * QUIET_S)
        await packs.receive(1, b"x")
        mock_clock.jump(0.2 * QUIET_S)
        await wait_all_tasks_blocked()
        await packs.receive(2, b"x")
        mock_clock.jump(2 * QUIET_S)
        await wait_all_tasks_blocked()
        with pytest.raises(PackFault, match="no part came for long"):
            await packs.receive(3, b"x")
        nursery.cancel_scope.cancel()


async def test_a_list_of_millions_of_members_takes_no_memory_from_calls(tmp_path: Path) -> None:
    """Before a zip says what is in it, the list of that is read, which may be all of a gigabyte."""
    list_bytes = 320 * 1024 * 1024
    (tmp_path / "packs").mkdir()
    with (tmp_path / "packs" / ".received").open("wb") as file:
        file.truncate(list_bytes)  # takes no room on the disk
        file.seek(list_bytes)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, list_bytes, 0, 0))
    with pytest.raises(PackFault, match="looking at it failed"):
        await Packs(tmp_path / "packs").take()
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


async def test_an_engine_that_cannot_be_started_ends_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is short, there is no process for it."""
    files = {"tone.onnx": b"x"}
    unpacked(packed(tmp_path, description(files=files), files), tmp_path / "packs")
    monkeypatch.setattr(engines, "is_installed", lambda _: True)
    monkeypatch.setattr(engines, "command", lambda *_: [str(tmp_path / "nothing")])
    async with open_pack(Packs(tmp_path / "packs"), "tone", "voice") as engine:
        with trio.fail_after(PATIENCE_S), pytest.raises(SpeechFailed, match="No such file"):
            await engine.loaded()
