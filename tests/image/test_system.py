"""The root file system as it was made, looked at from outside and asked with its own programs."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from image.make.root import OVERLAY
from tests.image.subject import BOARD, ROOT

pytestmark = pytest.mark.image

UNITS = sorted(path.name for path in (OVERLAY / "etc/systemd/system").glob("deskbell-*.service"))
OURS = [name.replace("@.", "@tty1.") for name in UNITS]
MOST_EXPOSED = 2.0
_ENVIRONMENT = "set -a; . /usr/lib/deskbell/environment; cd /usr/lib/deskbell; exec "


def _inside(*command: str) -> str:
    ended = subprocess.run(["chroot", str(ROOT), *command], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _files() -> list[Path]:
    return [path for path in ROOT.rglob("*") if path.is_file() and not path.is_symlink()]


@pytest.mark.parametrize("unit", OURS)
def test_how_exposed_a_unit_is(unit: str) -> None:
    told = _inside("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert found, told
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_unit(unit: str) -> None:
    _inside("systemd-analyze", "verify", "--recursive-errors=no", unit.replace("@.", "@tty1."))


def test_nobody_can_log_in_or_become_somebody_else() -> None:
    shadow = [line.split(":") for line in (ROOT / "etc/shadow").read_text().splitlines()]
    assert [user for user, word, *_ in shadow if not word.startswith(("!", "*"))] == []
    assert [path for path in _files() if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)] == []
    assert [name for name in ("usr/sbin/sshd", "usr/sbin/dropbear", "usr/bin/sudo") if (ROOT / name).exists()] == []
    for getty in ("getty@.service", "serial-getty@.service", "console-getty.service"):
        assert (ROOT / "etc/systemd/system" / getty).readlink() == Path("/dev/null")


def test_nobody_but_root_writes_what_is_ours() -> None:
    home = ROOT / "usr/lib/deskbell"
    wrong = [path for path in [home, *home.rglob("*")] if not path.is_symlink() and not _is_roots(path.stat())]
    assert wrong == []


def _is_roots(facts: os.stat_result) -> bool:
    return facts.st_uid == 0 and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def test_no_box_has_the_identity_of_another() -> None:
    assert (ROOT / "etc/machine-id").read_bytes() == b""
    assert list((ROOT / "etc").rglob("ssh_host_*")) == []
    assert not (ROOT / "var/lib/systemd/credential.secret").exists()


@pytest.mark.parametrize(("version", "taken"), [("0.0.9", False), ("0.1.0", True), ("0.10.0", True), ("", False)])
def test_rauc_itself_takes_no_older_version(version: str, taken: bool) -> None:
    """Whatever the page and the telephone have looked at before."""
    bundle = ROOT / "tmp/bundle"
    bundle.mkdir(exist_ok=True)
    (bundle / "manifest.raucm").write_text(f"[update]\ncompatible={BOARD.compatible}\nversion={version}\n")
    asked = ["chroot", str(ROOT), "env", "RAUC_UPDATE_SOURCE=/tmp/bundle", "/usr/lib/deskbell-update/not-older"]
    told = subprocess.run(asked, timeout=60, check=False)
    shutil.rmtree(bundle)
    assert (told.returncode == 0) is taken


@pytest.mark.parametrize("process", ["firmware", "provisioning.worker"])
def test_both_processes_find_all_that_they_import(process: str) -> None:
    """Packages of the lock file, pjsua2, and the libraries that they need."""
    assert "usage" in _inside("sh", "-c", f"{_ENVIRONMENT} python3 -m {process} --help")


def test_the_models_are_those_that_were_declared() -> None:
    declared = "from models import packs; [packs.verify(p) for p in packs.load().values() if p.needed_by == 'box']"
    _inside("sh", "-c", f'{_ENVIRONMENT} python3 -c "{declared}"')


def test_nothing_is_compiled_on_the_box() -> None:
    """The root is read-only: each source file has its compiled one beside it."""
    home = ROOT / "usr/lib/deskbell"
    sources = [path for name in ("app", "firmware", "models", "provisioning") for path in (home / name).rglob("*.py")]
    assert sources
    assert [
        path for path in sources if not (path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc").exists()
    ] == []
