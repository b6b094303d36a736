"""Step: the Debian packages of image/debian-packages.txt, or of another such list."""

from __future__ import annotations

import os
from pathlib import Path

from image.setup.paths import PACKAGE_LIST
from image.setup.running import SetupFailed, last_lines, run

INSTALL_TIMEOUT_S = 1800  # 300 MB on a slow line


def wanted(listed: str) -> list[str]:
    """Package names of the list, without the reasons."""
    names = (line.partition("#")[0].strip() for line in listed.splitlines())
    return [name for name in names if name]


def missing(listed: Path = PACKAGE_LIST) -> list[str]:
    """Raises: SetupFailed where there is no dpkg."""
    try:
        table = run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"], timeout_s=60)
    except SetupFailed as fault:
        raise SetupFailed(f"cannot ask which Debian packages are installed ({fault}): setup needs Debian 12") from fault
    installed = {line.split()[0] for line in table.splitlines() if line.endswith(" installed")}
    return [name for name in wanted(listed.read_text()) if name not in installed]


def install(names: list[str], listed: Path = PACKAGE_LIST) -> None:
    """`listed`: where they stand. Raises: SetupFailed, without root with the line to run."""
    line = f"apt-get install --no-install-recommends {' '.join(names)}"
    if os.geteuid() != 0:
        raise SetupFailed(f"these Debian packages are missing, and installing them needs root. Run:\n\n  sudo {line}\n")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    command = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *names]
    try:
        run(["apt-get", "update", "-qq"], timeout_s=INSTALL_TIMEOUT_S)
        run(command, timeout_s=INSTALL_TIMEOUT_S)
    except SetupFailed as fault:
        raise SetupFailed(
            f"apt-get could not install the Debian packages:\n{last_lines(str(fault))}\n"
            f"If the machine is off-line, run this when it is not: {line}\n"
            f"If Debian has no such package any more, change its name in image/{listed.name}."
        ) from fault
    if still := [name for name in missing(listed) if name in names]:
        raise SetupFailed(f"apt-get says it is done, but these are not installed: {' '.join(still)}")
