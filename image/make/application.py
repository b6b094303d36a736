"""Our part of the image: the program, the packages of the lock file, and the models, below /usr/lib/deskbell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from image.make.board import IMAGE_BUILD, Board
from image.make.wheels import LOCK, PIP, PIP_TIMEOUT_S, SOURCES, listed, own_wheels
from image.setup.environment import explain_pip
from image.setup.paths import TREE, VENV_PYTHON
from image.setup.running import SetupFailed, digest, run

HOME = Path("usr/lib/deskbell")
FOLDERS = ("app", "firmware", "models", "provisioning")
COMPILE_TIMEOUT_S = 600

ENVIRONMENT = """\
# Both processes'. Numbers and paths belong to the machine; what owners set is in the box's database.
DESKBELL_DATA=/data/phone
DESKBELL_CONTROL_SOCKET=/run/deskbell/control.sock
DESKBELL_ADMIN_FOLDER=/data/admin
DESKBELL_BOOT_FOLDER=/run/deskbell-boot
DESKBELL_UPDATE_FOLDER=/data/update
DESKBELL_UPDATE_RUN=/run/deskbell-update
DESKBELL_UPLOAD_FOLDER=/data/upload
DESKBELL_ENGINES=/usr/lib/deskbell/engines
DESKBELL_ADMIN_PORT=443
DESKBELL_ADMIN_HTTP_PORT=80
PYTHONDONTWRITEBYTECODE=1
"""


def put_application(root: Path, board: Board) -> None:
    """Raises: SetupFailed."""
    home = root / HOME
    home.mkdir(parents=True)
    for folder in FOLDERS:
        shutil.copytree(
            TREE / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__", "convert_*.py", "train_*")
        )
    shutil.copytree(_packages(board), home / "packages", symlinks=True)
    (home / "environment").write_text(ENVIRONMENT)
    # Not by PYTHONPATH, which the recognisers' processes do not listen to.
    (root / "usr/lib/python3/dist-packages/deskbell.pth").write_text(f"/{HOME}/packages\n")
    for folder in FOLDERS:
        compiled(home / folder, f"/{HOME}/{folder}")
    _readable(home)


def _packages(board: Board) -> Path:
    """The packages of the lock, once for each state of it and of what is built from source. Raises: SetupFailed."""
    own = own_wheels(board)
    folder = IMAGE_BUILD / f"packages-{board.name}-{digest(LOCK, *own)[:12]}"
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    into = [*PIP, "install", "--no-compile", "--target", part]
    processor = [f"--platform={name}" for name in platforms(board)]
    with listed(lambda name: name not in SOURCES) as published:
        try:
            run([*into, *processor, "--only-binary=:all:", "--require-hashes", "--no-deps", "--requirement", published],
                timeout_s=PIP_TIMEOUT_S)  # fmt: skip
        except SetupFailed as fault:
            raise SetupFailed(explain_pip(str(fault))) from fault
    run([*into, *processor, "--only-binary=:all:", "--no-index", "--no-deps", *own], timeout_s=PIP_TIMEOUT_S)
    slim(part)
    compiled(part, f"/{HOME}/packages")
    part.rename(folder)
    return folder


def platforms(board: Board) -> Iterator[str]:
    """What pip calls a processor with Debian 12's C library, version 2.36, or an older one."""
    yield f"linux_{board.machine}"
    yield from (f"manylinux_2_{minor}_{board.machine}" for minor in range(36, 16, -1))
    yield f"manylinux2014_{board.machine}"


def slim(packages: Path) -> None:
    """Programs to start by hand, and the packages' own tests."""
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for tests in [*packages.glob("*/tests"), *packages.glob("*/*/tests"), *packages.glob("*/_tests")]:
        shutil.rmtree(tests)


def _readable(home: Path) -> None:
    """Whoever builds may have another umask: for everybody to read, for root to write."""
    for path in [home, *home.rglob("*")]:
        if path.is_symlink():
            continue
        runs = path.is_dir() or os.access(path, os.X_OK)
        path.chmod(0o755 if runs else 0o644)
        os.chown(path, 0, 0)


def compiled(folder: Path, on_the_box: str) -> None:
    """Nothing can be written on the box, and compiling 1500 files takes a minute there. Nobody checks them, since they
    do not change. Every Python 3.11 reads what another one made. Raises: SetupFailed."""
    how: list[str | Path] = ["-q", "--invalidation-mode", "unchecked-hash", "-s", folder, "-p", on_the_box]
    run([VENV_PYTHON, "-m", "compileall", *how, folder], timeout_s=COMPILE_TIMEOUT_S)
