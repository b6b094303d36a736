"""The page's small files: replaced as a whole, and there to stay."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioning.files import replace_file

pytestmark = pytest.mark.unit


def test_what_was_replaced_stays_though_the_plug_is_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the last step, a password that was set seconds before is gone, and the box is a new one to its page."""
    steps = list[str]()

    def seen(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(what: object, *more: object) -> object:
            is_folder = name == "fsync" and isinstance(what, int) and stat.S_ISDIR(os.fstat(what).st_mode)
            steps.append("fsync of the folder" if is_folder else name)
            return real(what, *more)

        return step

    monkeypatch.setattr(os, "fsync", seen("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", seen("replace", Path.replace))
    replace_file(tmp_path / "password", b"new")
    assert steps == ["fsync", "replace", "fsync of the folder"]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"old")
    replace_file(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("broken", ["fsync", "open"])
def test_a_disk_that_takes_nothing_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"new")
    monkeypatch.undo()
    assert file.read_bytes() == b"old"
