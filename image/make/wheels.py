"""The wheels that nobody publishes: pjsua2, and what its authors publish as source only, for the board's processor."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from image.make.board import IMAGE_BUILD, Board
from image.make.kit import kit
from image.setup.environment import BUILD_TIMEOUT_S, explain_pip, newest_wheel
from image.setup.paths import PJSUA2_BUILD, TREE, VENV_PYTHON, WHEELS
from image.setup.running import SetupFailed, digest, run

LOCK = TREE / "requirements.lock"
SOURCES = ("pyalsaaudio",)
PIP: list[str | Path] = [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet"]
PIP_TIMEOUT_S = 1800  # 60 MB on a slow line


def own_wheels(board: Board) -> list[Path]:
    """Raises: SetupFailed."""
    return [_pjsua2(board), *_from_sources(board)]


@contextmanager
def listed(which: Callable[[str], bool]) -> Iterator[Path]:
    """A lock file with those packages of the lock alone, and their hashes."""
    entries = re.findall(r"^\S+==.*(?:\n[ \t].*)*\n", LOCK.read_text(), re.MULTILINE)
    with NamedTemporaryFile("w", suffix=".lock") as file:
        file.writelines(entry for entry in entries if which(entry.partition("==")[0]))
        file.flush()
        yield Path(file.name)


def _pjsua2(board: Board) -> Path:
    """Raises: SetupFailed. What the build had to say is on the terminal already."""
    there = WHEELS / board.machine if board.foreign else WHEELS
    target = {"MACHINE": board.machine, "SYSROOT": str(kit(board))} if board.foreign else {}
    run([PJSUA2_BUILD], timeout_s=BUILD_TIMEOUT_S, quiet=False, variables=target)
    wheel = newest_wheel(there)
    if wheel is None:
        raise SetupFailed(f"{PJSUA2_BUILD.name} left no pjsua2 wheel in {there}")
    return wheel


def _from_sources(board: Board) -> list[Path]:
    """Once for each state of the lock. Raises: SetupFailed."""
    folder = IMAGE_BUILD / f"wheels-{board.name}-{digest(LOCK)[:12]}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        compiler = _cross_compiler(board, kit(board)) if board.foreign else {}
        with listed(lambda name: name in SOURCES) as sources:
            try:
                run([*PIP, "wheel", "--no-deps", "--no-binary=:all:", "--no-cache-dir", "--require-hashes",
                     "--wheel-dir", part, "--requirement", sources],
                    timeout_s=PIP_TIMEOUT_S, variables=compiler)  # fmt: skip
            except SetupFailed as fault:
                raise SetupFailed(explain_pip(str(fault))) from fault
        if len(list(part.glob("*.whl"))) != len(SOURCES):
            raise SetupFailed(f"pip left no wheel of each of {', '.join(SOURCES)} in {part}")
        part.rename(folder)
    return sorted(folder.glob("*.whl"))


def _cross_compiler(board: Board, libraries: Path) -> dict[str, str]:
    """What setuptools listens to, which would compile for this machine."""
    compiler = f"{board.machine}-linux-gnu-gcc --sysroot={libraries}"
    return {
        "CC": f"{compiler} -I{libraries / 'usr/include/python3.11'}",
        "LDSHARED": f"{compiler} -shared",
        "SETUPTOOLS_EXT_SUFFIX": f".cpython-311-{board.machine}-linux-gnu.so",
        "_PYTHON_HOST_PLATFORM": f"linux-{board.machine}",
    }
