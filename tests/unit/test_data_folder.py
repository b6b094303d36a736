"""One box per data folder."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.data_folder import DataFolderProblem, data_folder

pytestmark = pytest.mark.unit


def test_a_folder_is_made_for_its_owner_alone_and_free_again_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    with data_folder(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with data_folder(folder):
        pass


def test_a_second_box_is_told_which_folder_and_what_to_do(tmp_path: Path) -> None:
    with data_folder(tmp_path):
        with (
            pytest.raises(DataFolderProblem, match=r"another Deskbell.*DESKBELL_DATA") as refused,
            data_folder(tmp_path),
        ):
            pytest.fail("two boxes in one folder")
        assert str(tmp_path) in str(refused.value)
        with pytest.raises(DataFolderProblem), data_folder(tmp_path):
            pytest.fail("the refused one took the lock away")


HOLDER = """
import sys
from pathlib import Path
from firmware.data_folder import data_folder
with data_folder(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_a_box_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"mine\n"
        with pytest.raises(DataFolderProblem), data_folder(tmp_path):
            pytest.fail("two boxes in one folder")
        holder.kill()
    with data_folder(tmp_path):
        assert (tmp_path / "lock").exists()


def test_a_folder_that_cannot_be_made_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(DataFolderProblem, match=r"Not a directory.*DESKBELL_DATA"),
        data_folder(tmp_path / "file" / "x"),
    ):
        pytest.fail("there is no such folder")


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], check=True)
    (tmp_path / "lock").touch()  # of a box that ran when it could be written to
    subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_read_only_folder_is_a_message(read_only_disk: Path) -> None:
    with pytest.raises(DataFolderProblem, match="on a disk that can be written to"), data_folder(read_only_disk):
        pytest.fail("nothing can be kept there")
