"""The office PBX in a folder: a Debian root file system with just Asterisk 22, its prompts, and llama.cpp's server.

Debian 12 has neither package, Debian unstable has. The folder is made once by mmdebstrap (about 40 s, 420 MB, in
build/pbx), from the Debian mirror that this machine's own apt sources name, and both run in it under chroot.
Nothing is installed on the machine itself. Without root the same is done in a user namespace: all files are then
the user's own, and so is Asterisk's process.

Run as a program (`just setup` does), it makes the folder unless it is there; with --check it only says by its status
whether it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build" / "pbx"
SUITE = "sid"
PACKAGES = (
    "asterisk",
    "asterisk-core-sounds-en-wav",
    "asterisk-core-sounds-en-g722",
    "llama.cpp-tools",
    "ca-certificates",
)
APT_OPTIONS = (
    'APT::Install-Recommends "false"',
    'Acquire::Check-Valid-Until "false"',  # a mirror's copy of unstable can be past its date
)
INSTANCES = "run/office"  # where each run keeps its files, inside the folder
MAKING_TIMEOUT_S = 1800  # 150 MB of packages on a slow line


class PbxFolderError(Exception):
    """The folder cannot be made or used. The text says why and what to do next."""


def pbx_folder() -> Path:
    """The root file system to run Asterisk in.

    Raises: PbxFolderError if it was not made yet.
    """
    folder = _folder()
    if not folder.is_dir():
        raise PbxFolderError(f"the PBX folder {folder} does not exist. Make it with: just setup")
    return folder


def make_pbx_folder() -> Path:
    """Make the folder unless it is there. All or nothing: it gets its name when it is complete.

    Raises: PbxFolderError.
    """
    folder = _folder()
    if folder.is_dir():
        return folder
    part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        _bootstrap(part)
        (part / INSTANCES).mkdir(parents=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def debian_mirror() -> str:
    """Where this machine gets Debian from: $DESKBELL_DEBIAN_MIRROR, or asked of apt.

    Raises: PbxFolderError on a machine without Debian sources.
    """
    if given := os.environ.get("DESKBELL_DEBIAN_MIRROR"):
        return given
    codename = _codename()
    command = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    try:
        targets = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as fault:
        raise PbxFolderError(f"cannot ask apt for its sources: {fault}") from fault
    for line in targets.splitlines():
        release, _, address = line.partition(" ")
        if release in {codename, "stable", "testing", SUITE}:
            return address
    raise PbxFolderError(
        f"this machine's apt sources name no Debian mirror for {codename}. "
        "Set DESKBELL_DEBIAN_MIRROR to the address of one, then: just setup"
    )


def _folder() -> Path:
    """Named by its recipe, so that a changed recipe makes a new one."""
    recipe = "\n".join([SUITE, *PACKAGES, *APT_OPTIONS])
    return BUILD / f"asterisk-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _codename() -> str:
    release = Path("/etc/os-release").read_text()
    names = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    return names.get("VERSION_CODENAME", "stable").strip('"')


def inside(root: Path, command: list[str]) -> list[str]:
    """The command that runs `command` as the PBX's user in its file system. Ends as the very process it starts."""
    if os.geteuid() == 0:
        return ["chroot", "--userspec=asterisk:asterisk", str(root), *command]
    enter = 'mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", enter, str(root), *command]


def owner(root: Path) -> tuple[int, int]:
    """User and group id, as seen from here, of the PBX's user."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for line in (root / "etc" / "passwd").read_text().splitlines():
        name, _, uid, gid, *_ = line.split(":")
        if name == "asterisk":
            return int(uid), int(gid)
    raise PbxFolderError(f"{root} has no user asterisk: remove build/pbx and run just setup")


def own_folder(folder: Path, ids: tuple[int, int]) -> None:
    """Make `folder`, the PBX's own."""
    folder.mkdir()
    os.chown(folder, *ids)


def write_private(path: Path, text: str, ids: tuple[int, int]) -> None:
    """Configuration holds passwords: private before its content is there."""
    path.touch(mode=0o600)
    os.chown(path, *ids)
    path.write_text(text)


def _bootstrap(part: Path) -> None:
    options = [f"--aptopt={option}" for option in APT_OPTIONS]
    recipe = ["--variant=minbase", f"--include={','.join(PACKAGES)}", *options, SUITE]
    if os.geteuid() == 0:
        return _run(["mmdebstrap", "--mode=root", *recipe, str(part), debian_mirror()])
    packed = part.with_suffix(".tar")
    try:
        _run(["mmdebstrap", "--mode=unshare", *recipe, str(packed), debian_mirror()])
        part.mkdir()
        _run(["tar", "--extract", "--file", str(packed), "--directory", str(part), "--exclude=./dev/*"])
    finally:
        packed.unlink(missing_ok=True)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MAKING_TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise PbxFolderError(f"{command[0]} is not installed. Run: sudo apt-get install {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise PbxFolderError(
            f"{command[0]} did not end within {MAKING_TIMEOUT_S} s: is the mirror reachable?"
        ) from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("E:", "Err:", "W: "))]
        last = "\n  ".join((errors or done.stderr.splitlines())[-5:])
        raise PbxFolderError(
            f"{command[0]} could not make the PBX folder (status {done.returncode}):\n  {last}\n"
            f"Check that this machine reaches its Debian mirror, and that the mirror has {SUITE} with "
            f"{', '.join(PACKAGES)} (named in tests/office/pbx_folder.py). Another mirror: DESKBELL_DEBIAN_MIRROR."
            + ("" if os.geteuid() == 0 else "\nWithout root, user namespaces are needed; else: sudo just setup")
        )


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        return 0 if _folder().is_dir() else 1
    try:
        print(f"  {make_pbx_folder().relative_to(BUILD.parents[1])}")
    except PbxFolderError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
