"""Steps: the virtual environment with locked packages, and pjsua2 in it."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from image.setup.paths import LOCK, PJSUA2_BUILD, VENV, VENV_PYTHON, WHEELS
from image.setup.running import SetupFailed, digest, is_done, last_lines, mark_done, run

PIP_TIMEOUT_S = 1800  # 150 MB on a slow line
BUILD_TIMEOUT_S = 1800  # 2 min on two idle cores; a Pi is slower


def locked_packages_inputs() -> str:
    return f"{digest(LOCK)} {sys.version}"


def has_locked_packages() -> bool:
    return VENV_PYTHON.exists() and is_done("locked-packages", locked_packages_inputs())


def install_locked_packages() -> None:
    """Raises: SetupFailed."""
    _make_venv()
    command = [*_pip(), "install", "--require-hashes", "--requirement", LOCK]
    try:
        run(command, timeout_s=PIP_TIMEOUT_S)
    except SetupFailed as fault:
        raise SetupFailed(explain_pip(str(fault))) from fault
    mark_done("locked-packages", locked_packages_inputs())


def explain_pip(stderr: str) -> str:
    """pip's complaint as cause and remedy."""
    if "DO NOT MATCH THE HASHES" in stderr:
        named = re.search(r"^\s+(\S+==\S+|\S+) from ", stderr, re.MULTILINE)
        return (
            f"{named[1] if named else 'a package'} has another sha256 than requirements-dev.lock says.\n"
            "The package index was changed or a download was damaged. Try again; if the same comes back and the new\n"
            "file is to be trusted, run: just lock"
        )
    if found := re.search(r"No matching distribution found for (\S+)", stderr):
        pin = found[1]
        unreachable = "Retrying (" in stderr or "ProxyError" in stderr or "Connection" in stderr
        cause = "the package index cannot be reached" if unreachable else "the package index does not have it"
        return (
            f"the Python package {pin} cannot be had: {cause}.\n"
            "Off-line: try again with a connection, or point pip at a local index (PIP_INDEX_URL, PIP_FIND_LINKS).\n"
            f"Gone: change {re.split('[=<>]', pin)[0]} in pyproject.toml, then run: just lock"
        )
    return f"pip could not install requirements-dev.lock:\n{last_lines(stderr, 6)}"


def newest_wheel(folder: Path = WHEELS) -> Path | None:
    wheels = sorted(folder.glob("pjsua2-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    return wheels[-1] if wheels else None


def pjsua2_inputs() -> str:
    folder = PJSUA2_BUILD.parent
    sources = digest(*sorted(path for path in folder.rglob("*") if path.is_file()))
    return f"{sources} {locked_packages_inputs()}"


def has_pjsua2() -> bool:
    """In an environment that was made anew it is missing, whatever was installed before."""
    installed = any(VENV.glob("lib/python*/site-packages/pjsua2.py"))
    return installed and newest_wheel() is not None and is_done("pjsua2", pjsua2_inputs())


def install_pjsua2() -> None:
    """Build the wheel, unless it is built, and install it.

    Raises: SetupFailed. What the build had to say is on the terminal already.
    """
    try:
        run([PJSUA2_BUILD], timeout_s=BUILD_TIMEOUT_S, quiet=False)
    except SetupFailed as fault:
        raise SetupFailed(f"the pjsua2 wheel was not built ({fault}); the reason is above") from fault
    wheel = newest_wheel()
    if wheel is None:
        raise SetupFailed(f"{PJSUA2_BUILD.name} left no pjsua2 wheel in {WHEELS}")
    run([*_pip(), "install", "--no-index", "--no-deps", "--force-reinstall", wheel], timeout_s=PIP_TIMEOUT_S)
    mark_done("pjsua2", pjsua2_inputs())


def _make_venv() -> None:
    if VENV_PYTHON.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        run([sys.executable, "-m", "venv", VENV], timeout_s=300)
    except SetupFailed as fault:
        raise SetupFailed(
            f"{sys.executable} could not make the virtual environment {VENV}:\n{last_lines(str(fault))}\n"
            "On Debian 12 the missing part is: sudo apt-get install python3.11-venv"
        ) from fault


def _pip() -> list[str | Path]:
    return [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "2"]
